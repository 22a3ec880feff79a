"""One client connection: the bytes of its next request, then its parser.

While a connection waits, the worker's poller calls :meth:`Connection.receive`; only a complete
request head is worth a thread. Sockets stay in Python's blocking mode for the application (it
finds its own as ``environ["gunicorn.socket"]``); what must not block says ``MSG_DONTWAIT``.
"""

import socket
import struct
from contextlib import suppress
from enum import Enum, auto
from typing import Any

from gunicorn.http.errors import UnsupportedTransferCoding
from gunicorn.http.parser import RequestParser

from airelays_app.errors import ClientGone, RelayError
from airelays_app.server.body import GuardedReader, PatientUnreader
from airelays_app.server.options import ServerOptions

LONGEST_HEAD = 65_536
"""Bytes of a request line with all its headers."""

_MOST_LEFT_UNREAD = 65_536
_MAPPED_IPV4 = "::ffff:"


class Progress(Enum):
    """What :meth:`Connection.receive` found."""

    WAITING = auto()
    COMPLETE = auto()
    TOO_LONG = auto()
    GONE = auto()


class Connection:
    """A client's socket, the head it is sending, and the answer to its latest request."""

    def __init__(
        self, sock: socket.socket, client: Any, server: Any, options: ServerOptions
    ) -> None:
        self.sock = sock
        self.client = _without_mapping(client)
        self.server = server
        self.response: Any = None
        self._options = options
        self._head = bytearray()
        self._parser: Any = None
        _bound_sending(sock, options.send_seconds)

    @property
    def has_begun(self) -> bool:
        """Whether bytes of the next request are here."""
        return bool(self._head)

    @property
    def is_closed(self) -> bool:
        """Whether the application has closed the socket it was lent."""
        return self.sock.fileno() < 0

    def receive(self) -> Progress:
        """Take what has arrived of the next request's head."""
        try:
            data = self.sock.recv(LONGEST_HEAD, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return Progress.WAITING
        except OSError:
            return Progress.GONE
        return self._collect(data) if data else Progress.GONE

    def next_head(self) -> Progress:
        """Prepare for the next request; its first bytes may have come with the last one."""
        self.response = None
        return self._collect(self._parser.unreader.take_buffered())

    def _collect(self, data: bytes) -> Progress:
        start = max(0, len(self._head) - 3)
        self._head += data
        if _is_complete(self._head, start):
            return Progress.COMPLETE
        return Progress.TOO_LONG if len(self._head) > LONGEST_HEAD else Progress.WAITING

    def parse(self, cfg: Any) -> Any:
        """Return gunicorn's request for the collected head.

        Raises gunicorn's ``ParseException`` for a malformed head, or a transfer coding that the
        application would have to undo.
        """
        if self._parser is None:
            self._parser = RequestParser(cfg, self.sock, self.client)
            self._parser.unreader = PatientUnreader(
                self.sock, gap_seconds=self._options.body_seconds
            )
        unreader = self._parser.unreader
        unreader.begin()
        unreader.unread(bytes(self._head))
        self._head.clear()
        request = next(self._parser)
        _refuse_coding(request.headers)
        request.body.reader = GuardedReader(request.body.reader, on_failure=request.force_close)
        return request

    def is_reusable(self) -> bool:
        """Drop what is left of the body; false when it has not all arrived yet."""
        self._parser.unreader.stop_waiting()
        try:
            return bool(self._parser.finish_body(max_bytes=_MOST_LEFT_UNREAD))
        except (RelayError, ClientGone):
            return False

    def send_error(self, reply: bytes) -> None:
        """Send a whole error answer, unless one has begun; a client that left is left alone."""
        if self.response is not None and self.response.headers_sent:
            return
        with suppress(OSError):
            self.sock.sendall(reply)

    def try_to_send(self, reply: bytes) -> None:
        """Send ``reply`` as far as the socket takes it at once."""
        with suppress(OSError):
            self.sock.send(reply, socket.MSG_DONTWAIT)

    def finish_sending(self) -> bool:
        """Tell the client that nothing follows; true when it has closed its side too.

        Closing at once while bytes of the client are still on their way would make the kernel
        reset the connection, and the end of the answer could be lost (RFC 9112, section 9.6).
        """
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            return True
        return self.discard()

    def discard(self) -> bool:
        """Throw away what has arrived; true when the client has closed."""
        try:
            return not self.sock.recv(LONGEST_HEAD, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def cut(self) -> None:
        """Break the connection under a thread that is using it."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Free the descriptor."""
        self.sock.close()


def _bound_sending(sock: socket.socket, seconds: float) -> None:
    """Let the kernel end a send that gets nowhere: cheaper than a poll before every one."""
    whole, part = divmod(seconds, 1)
    timeout = struct.pack("ll", int(whole), int(part * 1_000_000))
    with suppress(OSError):  # has left already, or is a UNIX socket without TCP's options
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeout)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))


def _is_complete(head: bytearray, start: int) -> bool:
    """Whether the parser can finish without reading on.

    That is so after an empty line, and at a bare LF, which it refuses. ``start`` is where to look.
    """
    if start < len(head) and head[start : start + 1] == b"\n":
        start += 1
    if head.find(b"\r\n\r\n", start) >= 0:
        return True
    return head.count(b"\n", start) != head.count(b"\r\n", start)


def _refuse_coding(headers: list[tuple[str, str]]) -> None:
    """gunicorn hands a body in ``gzip, chunked`` on as it is, without its chunks."""
    for name, value in headers:
        if name == "TRANSFER-ENCODING" and value.strip(" \t").lower() != "chunked":
            raise UnsupportedTransferCoding(value)


def _without_mapping(client: Any) -> Any:
    """An IPv4 client of a dual-stack listener under its IPv4 address."""
    if not isinstance(client, tuple) or not client[0].startswith(_MAPPED_IPV4):
        return client
    return client[0].removeprefix(_MAPPED_IPV4), client[1]
