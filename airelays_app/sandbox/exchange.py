"""One request and its answer on a socket: buffered or streamed, whole or deliberately broken."""

import contextlib
import select
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from airelays_app.sandbox import wire_json
from airelays_app.sandbox.recorded import RecordedRequest

Headers = tuple[tuple[str, str], ...]

_PEER_LEFT = select.POLLRDHUP | select.POLLHUP | select.POLLERR
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class PeerGone(Exception):
    """The client closed its side before the answer was complete."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole buffered answer."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Headers = ()


def json_answer(status: int, value: Any, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    """Return ``value`` as a JSON answer."""
    return Answer(status, wire_json.dumps(value), headers=tuple(headers))


class Exchange:
    """Writes the answer to one request; every write raises PeerGone once the client has left."""

    def __init__(
        self,
        connection: socket.socket,
        request: RecordedRequest,
        *,
        keep_alive: bool,
        knows_chunks: bool = True,
    ) -> None:
        self._connection = connection
        self._knows_chunks = knows_chunks
        self._chunked = False
        self.request = request
        self.keep_alive = keep_alive

    def wait(self, seconds: float) -> None:
        """Let time pass, noticing at once when the client leaves."""
        if seconds <= 0:
            return
        poller = select.poll()
        poller.register(self._connection, _PEER_LEFT)
        if poller.poll(seconds * 1000):
            raise PeerGone

    def answer(self, answer: Answer) -> None:
        """Send a whole answer."""
        self.begin_answer(answer)
        if self.request.method != "HEAD":
            self.raw(answer.body)

    def begin_answer(self, answer: Answer) -> None:
        """Send only the head of a buffered answer, announcing its full length."""
        self._send_head(
            answer.status,
            (
                ("content-type", answer.content_type),
                ("content-length", str(len(answer.body))),
                *answer.headers,
            ),
        )

    def open_stream(self, headers: Headers, *, chunked: bool = True) -> None:
        """Send the head of a streamed 200 answer.

        Without chunks (not asked for, or an HTTP/1.0 client) the stream ends with the connection.
        """
        self._chunked = chunked and self._knows_chunks
        if not self._chunked:
            self.keep_alive = False
        framing = ("transfer-encoding", "chunked") if self._chunked else ("connection", "close")
        self._send_head(200, (framing, *headers))

    def send(self, data: bytes) -> None:
        """Send a piece of the stream in one write, as one chunk if the stream is chunked."""
        self.raw(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    def send_part_of_chunk(self, data: bytes) -> None:
        """Announce ``data`` as a chunk but send only its first half."""
        half = data[: len(data) // 2]
        self.raw(b"%x\r\n%b" % (len(data), half) if self._chunked else half)

    def finish_stream(self) -> None:
        """End the stream as HTTP asks for it."""
        if self._chunked:
            self.raw(b"0\r\n\r\n")

    def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        try:
            self._connection.sendall(data)
        except OSError as error:
            raise PeerGone from error

    def receive(self, size: int) -> bytes:
        """Return exactly ``size`` bytes of what the client sends behind its request.

        Fewer when it has left.
        """
        data = b""
        with contextlib.suppress(OSError):  # a reset is an end, too
            while len(data) < size and (piece := self._connection.recv(size - len(data))):
                data += piece
        return data

    def hang_up(self) -> None:
        """Close the connection after this exchange, whatever was announced."""
        self.keep_alive = False

    def reset(self) -> None:
        """Have the connection end with RST instead of FIN."""
        self.keep_alive = False
        with contextlib.suppress(OSError):  # the peer may have reset it first
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)

    def _send_head(self, status: int, headers: Headers) -> None:
        self.request.status = status
        lines = [f"HTTP/1.1 {status} {_reason(status)}", f"date: {formatdate(usegmt=True)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        self.raw("\r\n".join([*lines, "", ""]).encode("latin-1", "replace"))


def will_reset(connection: socket.socket) -> bool:
    """Say whether closing ``connection`` ends it with RST."""
    size = len(_RESET_ON_CLOSE)
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, size) == _RESET_ON_CLOSE


def _reason(status: int) -> str:
    with contextlib.suppress(ValueError):  # statuses such as 529 have no standard phrase
        return HTTPStatus(status).phrase
    return "Status"
