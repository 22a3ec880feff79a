"""A scripted upstream on loopback: each test says, byte by byte, what it answers."""

import contextlib
import select
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest

from airelays_app.upstream.client import ClientOptions, UpstreamClient
from airelays_app.upstream.request import OutboundRequest

PATIENCE = 20.0
"""Seconds until a condition that should come at once is called missing."""


class Peer:
    """The upstream's end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.settimeout(PATIENCE)

    def request(self) -> bytes:
        """Return one whole request, or b"" when the relay has closed the connection."""
        data = b""
        while b"\r\n\r\n" not in data:
            got = self.sock.recv(65536)
            if not got:
                return b""
            data += got
        head, _, rest = data.partition(b"\r\n\r\n")
        body = bytearray(rest)
        length = next(
            (
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            ),
            0,
        )
        while len(body) < length:
            body += self.sock.recv(65536)
        return head + b"\r\n\r\n" + bytes(body)

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def send_each_byte(self, data: bytes) -> None:
        for value in data:
            self.sock.sendall(bytes([value]))

    def chunk(self, data: bytes) -> None:
        self.send(b"%x\r\n%b\r\n" % (len(data), data))

    def reset(self) -> None:
        """Break the connection with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def closed_within(self, seconds: float) -> bool:
        """Say whether the relay closes the connection in time."""
        poll = select.poll()
        poll.register(self.sock, select.POLLRDHUP)
        return bool(poll.poll(seconds * 1000))

    def closed_soon(self) -> bool:
        """Say whether the relay closes the connection at once.

        The bound leaves room for a busy machine; ticks and timeouts of these tests are longer.
        """
        return self.closed_within(5)


Script = Callable[[Peer], None]


class Upstream:
    """Listens on loopback (or on ``path``) and runs ``script`` on every connection."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, path: str | None = None) -> None:
        if path is None:
            self.listener = socket.create_server(("127.0.0.1", 0))
            self.port = self.listener.getsockname()[1]
        else:
            self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.listener.bind(path)
            self.listener.listen()
        self.scheme = "http" if tls is None else "https"
        self.script: Script = lambda peer: None
        self.connections = 0
        self.failures: list[BaseException] = []
        self._tls = tls
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept)
        self._acceptor.start()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/v1/responses"

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self._acceptor.join(PATIENCE)
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
        assert not self.failures, self.failures

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(sock)
            thread = threading.Thread(target=self._serve, args=(sock, self.script))
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, script: Script) -> None:
        sock.settimeout(PATIENCE)
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
            script(Peer(sock))
        except OSError:
            return
        except BaseException as error:
            self.failures.append(error)
        finally:
            sock.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Upstream]]:
    """Start further upstreams: with TLS, or on a UNIX socket."""
    servers = []

    def start(**how: object) -> Upstream:
        servers.append(Upstream(**how))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def upstream(serve: Callable[..., Upstream]) -> Upstream:
    return serve()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PEM file with a key and its self-signed certificate, for 127.0.0.1 only."""
    path = tmp_path_factory.mktemp("tls") / "loopback.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        f"-subj /CN=loopback -addext subjectAltName=IP:127.0.0.1 -keyout {path} -out {path}.crt"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + path.with_suffix(".pem.crt").read_bytes())
    return str(path)


@pytest.fixture
def tls(certificate: str) -> ssl.SSLContext:
    """The TLS settings of an upstream with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def client() -> Iterator[UpstreamClient]:
    opened = UpstreamClient(ClientOptions(pool_size=4))
    yield opened
    opened.close()


@pytest.fixture
def post() -> Callable[..., OutboundRequest]:
    def build(url: str, **fields: object) -> OutboundRequest:
        values = {"method": "POST", "headers": {}, "body": b"{}", **fields}
        return OutboundRequest(url=url, **values)

    return build


@pytest.fixture
def watched() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The client's connection: our end of it, and the end that the client closes."""
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()
