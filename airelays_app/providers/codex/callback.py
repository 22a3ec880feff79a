"""The listener on this machine to which the issuer sends the browser back.

It answers on the loopback addresses only, takes the one request that carries our ``state``, and
tells every other visitor that it was not what is awaited: a favicon, a page that guesses, half a
request. The browser gets its page once the login has been concluded, so the page tells the truth.
Nothing of a request is ever shown on a page or written to a log.
"""

import contextlib
import errno
import hmac
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlsplit

from airelays_app.providers.codex.constants import REDIRECT_HOST, REDIRECT_PATH, REDIRECT_PORTS

_LOOPBACK: Final = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_REQUEST_SECONDS: Final = 10.0
_VERDICT_SECONDS: Final = 90.0
_URL_CHARACTERS_MAX: Final = 16_384

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>AIRelays</title>
<body style="font:1.1rem system-ui;max-width:34rem;margin:4rem auto;padding:0 1rem">
<h1>{title}</h1><p>{text}</p></body></html>
"""
_WORKED: Final = (
    HTTPStatus.OK,
    "You are logged in",
    "AIRelays has stored the login. You can close this page.",
)
_FAILED: Final = (
    HTTPStatus.BAD_GATEWAY,
    "The login did not work",
    "The terminal in which you started it says why. You can close this page.",
)
_DECLINED: Final = (
    HTTPStatus.BAD_REQUEST,
    "The login was not granted",
    "The issuer sent you back without a login. Start again with: airelays login",
)
_NOT_AWAITED: Final = (
    HTTPStatus.BAD_REQUEST,
    "This is not the awaited answer",
    "AIRelays is still waiting for the login that was started in the terminal.",
)
_NOT_HERE: Final = (
    HTTPStatus.NOT_FOUND,
    "Nothing here",
    "AIRelays is waiting for a login on another page of this address.",
)
_Page = tuple[HTTPStatus, str, str]


class CallbackPortBusyError(Exception):
    """No port that the issuer accepts is free."""

    def __init__(self, ports: Sequence[int]) -> None:
        named = " and ".join(str(port) for port in ports)
        super().__init__(
            f"Port {named} on this machine is in use, probably by another login that is still "
            "open. Close it, or log in with a code instead: airelays login --device"
        )


@dataclass(frozen=True, slots=True)
class Redirect:
    """What the issuer sent back with our state: a code, or the name of an error."""

    code: str | None = field(default=None, repr=False)
    error: str | None = None


class CallbackListener:
    """A context manager that listens from entry to exit; safe to use from any thread."""

    def __init__(
        self, state: str, *, ports: Sequence[int] = REDIRECT_PORTS, path: str = REDIRECT_PATH
    ) -> None:
        self._state = state
        self._ports = ports
        self._path = path
        self._port = 0
        self._servers: list[_LoopbackServer] = []
        self._threads: list[threading.Thread] = []
        self._change = threading.Condition()
        self._redirect: Redirect | None = None
        self._worked: bool | None = None

    def __enter__(self) -> Self:
        """Start to listen; raise :class:`CallbackPortBusyError` if no port is free."""
        self._servers = self._listen()
        self._port = int(self._servers[0].server_address[1])
        for server in self._servers:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self.conclude(worked=self._worked or False)
        for server in self._servers:
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()

    @property
    def redirect_uri(self) -> str:
        """The address to which the issuer is to send the browser."""
        return f"http://{REDIRECT_HOST}:{self._port}{self._path}"

    def offer(self, address: str) -> bool:
        """Take an address that the browser was sent to; say whether it is the awaited one.

        Also the way for a person without a browser on this machine: the address can be pasted.
        """
        redirect = self._read(address.strip())
        if redirect is None:
            return False
        with self._change:
            if self._redirect is None:
                self._redirect = redirect
            self._change.notify_all()
            return self._redirect == redirect

    def wait(self, seconds: float) -> Redirect | None:
        """Return what the issuer sent back, ``None`` if it has not within ``seconds``."""
        with self._change:
            self._change.wait_for(lambda: self._redirect is not None, seconds)
            return self._redirect

    def conclude(self, *, worked: bool) -> None:
        """Tell the browser that is waiting for its page how the login ended."""
        with self._change:
            if self._worked is None:
                self._worked = worked
            self._change.notify_all()

    def page_for(self, target: str) -> _Page:
        """Return the page for one GET of ``target``; waits for the verdict if it is the answer."""
        if _path_of(target) != self._path:
            return _NOT_HERE
        if not self.offer(target):
            return _NOT_AWAITED
        with self._change:
            if self._redirect is not None and self._redirect.code is None:
                return _DECLINED
            self._change.wait_for(lambda: self._worked is not None, _VERDICT_SECONDS)
            return _WORKED if self._worked else _FAILED

    def _read(self, address: str) -> Redirect | None:
        if len(address) > _URL_CHARACTERS_MAX or _path_of(address) != self._path:
            return None
        try:
            query = parse_qs(urlsplit(address).query, max_num_fields=64)
        except ValueError:
            return None
        states = query.get("state", [])
        if len(states) != 1 or not _same(states[0], self._state):
            return None
        codes, errors = query.get("code", []), query.get("error", [])
        if errors:
            return Redirect(error=errors[0][:64])
        return Redirect(code=codes[0]) if len(codes) == 1 else None

    def _listen(self) -> "list[_LoopbackServer]":
        for port in self._ports:
            servers = self._bind(port)
            if servers:
                return servers
        raise CallbackPortBusyError(self._ports)

    def _bind(self, port: int) -> "list[_LoopbackServer]":
        """Return a server on each loopback address this machine has, none if one is taken.

        A taken one means that somebody else would get part of the browser's attempts.
        """
        servers: list[_LoopbackServer] = []
        for family, host in _LOOPBACK:
            try:
                server = _LoopbackServer(self, family, (host, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    continue
                for other in servers:
                    other.server_close()
                return []
            servers.append(server)
            port = int(server.server_address[1])
        return servers


def _path_of(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError:
        return ""


class _LoopbackServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(
        self, listener: CallbackListener, family: socket.AddressFamily, address: tuple[str, int]
    ) -> None:
        self.address_family = family
        self.listener = listener
        super().__init__(address, _CallbackHandler)

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A visitor that broke off is no news."""


class _CallbackHandler(BaseHTTPRequestHandler):
    server: _LoopbackServer
    server_version = "airelays"
    sys_version = ""
    timeout = _REQUEST_SECONDS

    def do_GET(self) -> None:
        self._answer(self.server.listener.page_for(self.path))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer whatever is not a GET, or not HTTP, with a page of ours."""
        del code, message, explain
        self.close_connection = True
        self._answer(_NOT_AWAITED)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: the request line holds the code."""

    def _answer(self, page: _Page) -> None:
        status, title, text = page
        body = _PAGE.format(title=title, text=text).encode()
        with contextlib.suppress(OSError):  # the browser has left; the login goes on without it
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", _POLICY)
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("X-Frame-Options", "DENY")
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Cache-Control", "no-store")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
