"""The listening socket and its connections: HTTP/1.1 with keep-alive, one thread a connection."""

import contextlib
import itertools
import logging
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import zstandard

from airelays_app.sandbox import wire_json
from airelays_app.sandbox.exchange import Exchange, PeerGone, will_reset
from airelays_app.sandbox.recorded import RecordedRequest, RequestLog

Dispatch = Callable[[Exchange], None]

_JOIN_SECONDS = 10.0
_LOG = logging.getLogger(__name__)


class Listener(ThreadingMixIn, TCPServer):
    """Accepts connections, records every request and hands it to ``dispatch`` as an Exchange."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], log: RequestLog, dispatch: Dispatch) -> None:
        self.log = log
        self.dispatch = dispatch
        self._open: dict[socket.socket, threading.Thread] = {}
        self._guard = threading.Lock()
        self._numbers = itertools.count(1)
        super().__init__(address, _Connection)

    def next_number(self) -> int:
        """Return a number for a new connection."""
        return next(self._numbers)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection in a thread that ``server_close`` can end and wait for."""
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        with self._guard:
            self._open[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        """Close one connection and forget it; a reset must not be preceded by a FIN."""
        try:
            if will_reset(request):
                self.close_request(request)
            else:
                super().shutdown_request(request)
        finally:
            with self._guard:
                self._open.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Log what ended a connection's thread: a fault of the sandbox itself."""
        _LOG.exception("the sandbox failed on a connection from %s", client_address)

    def server_close(self) -> None:
        """Close the listening socket and every connection, and wait for their threads."""
        super().server_close()
        with self._guard:
            live = dict(self._open)
        for connection in live:
            with contextlib.suppress(OSError):  # already closed by its own thread
                connection.shutdown(socket.SHUT_RDWR)
        for thread in live.values():
            thread.join(_JOIN_SECONDS)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Listener

    def setup(self) -> None:
        super().setup()
        self.number = self.server.next_number()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # the peer may leave between two requests
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: the request log is the record."""

    def serve(self) -> None:
        """Read the request, record it, answer it."""
        request = self._head()
        try:
            request.body, complete = self._read_body()
        except ValueError:
            self.send_error(400, "Bad framing of the body")
            return
        request.json = _decoded(request)
        self.server.log.add(request)
        if not complete:
            self.close_connection = True
            self.server.log.close(request, early=True)
            return
        self._answer(request)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = serve  # noqa: N815

    def _answer(self, request: RecordedRequest) -> None:
        exchange = Exchange(
            self.connection,
            request,
            keep_alive=not self.close_connection,
            knows_chunks=self.request_version != "HTTP/1.0",
        )
        early = False
        try:
            self.server.dispatch(exchange)
        except PeerGone:
            early = True
        except Exception:
            exchange.hang_up()
            raise
        finally:
            self.close_connection = early or not exchange.keep_alive
            self.server.log.close(request, early=early)

    def _head(self) -> RecordedRequest:
        url = urlsplit(self.path)
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            key = name.lower()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
        return RecordedRequest(
            method=self.command,
            path=url.path,
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers=headers,
            connection=self.number,
            target=self.path,
        )

    def _read_body(self) -> tuple[bytes, bool]:
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            return self._read_chunks()
        announced = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(announced)
        return body, len(body) == announced

    def _read_chunks(self) -> tuple[bytes, bool]:
        pieces: list[bytes] = []
        while line := self.rfile.readline():
            size = int(line.split(b";")[0], 16)
            pieces.append(self.rfile.read(size))
            ending = self.rfile.readline()
            if size == 0 or not ending:
                return b"".join(pieces), size == 0
        return b"".join(pieces), False


def _decoded(request: RecordedRequest) -> Any:
    body = request.body
    try:
        if request.headers.get("content-encoding", "").lower() == "zstd":
            body = zstandard.ZstdDecompressor().decompressobj().decompress(body)
        return wire_json.loads(body)
    except (ValueError, zstandard.ZstdError):
        return None
