"""A stand-in upstream that is never the limit: one process, epoll, every answer encoded once.

Run it as ``python -m benchmarks.upstream PORT``. It answers requests of every wire, and
``POST /backend-api/codex/responses``, streamed when the body has ``"stream":true`` or the path says
so, ``GET /received`` with how many bytes of requests have come, and anything else with a list of
models. The model's name chooses how a stream is delivered, one HTTP chunk per event each time:
``single`` in one write per event, ``held`` with a pause between the events, any other in one write.
"""

import heapq
import re
import select
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from benchmarks.wires import WIRES
from benchmarks.wires.responses import RESPONSE_ID, codex_stream
from benchmarks.wires.wire import CREATED, MODEL, Json, Stream, deltas, encoded

BURST_DELTAS = 200
HELD_DELTAS = 20
HELD_SECONDS = 0.5
"""Between two events of a held stream."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_LIMITS = "".join(
    f"x-ratelimit-{what}-{unit}: {value}\r\n"
    for what, value in (("limit", "30000"), ("remaining", "29999"), ("reset", "2ms"))
    for unit in ("requests", "tokens")
)
_HEADERS = (
    "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 10:00:00 GMT\r\nServer: stand-in\r\n"
    "Connection: keep-alive\r\nopenai-organization: house\r\nopenai-processing-ms: 12\r\n"
    "openai-version: 2020-10-01\r\nx-request-id: req_0123456789abcdef0123456789abcdef\r\n"
    f"{_LIMITS}"
    "strict-transport-security: max-age=31536000\r\nx-content-type-options: nosniff\r\n"
    "cf-cache-status: DYNAMIC\r\ncf-ray: 0123456789abcdef-FRA\r\nalt-svc: h3\r\n"
)
_STREAM_HEAD = (
    f"{_HEADERS}Content-Type: text/event-stream; charset=utf-8\r\n"
    "Transfer-Encoding: chunked\r\n\r\n"
).encode()


@dataclass(slots=True)
class _Client:
    """One connection: what has come of a request, and what is still to be sent."""

    sock: socket.socket
    received: bytearray = field(default_factory=bytearray)
    unsent: memoryview = field(default_factory=lambda: memoryview(b""))


_Piece = tuple[bytes, ...]
"""Bytes to send, cut where the id of a response stands: each answer has another one."""


@dataclass(frozen=True, slots=True)
class _Answers:
    """The encoded answers of one route."""

    whole: _Piece
    burst: _Piece
    single: tuple[_Piece, ...]
    held: tuple[_Piece, ...]


def _whole(body: bytes) -> bytes:
    head = f"{_HEADERS}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _pieces(stream: Stream) -> tuple[bytes, ...]:
    """Return one piece per event; what comes before the first delta goes with it."""
    chunks = [b"%x\r\n%b\r\n" % (len(block), block) for block in stream.blocks]
    first = b"".join((_STREAM_HEAD, *chunks[: stream.first + 1]))
    return (first, *chunks[stream.first + 1 : -1], chunks[-1] + b"0\r\n\r\n")


def _routes() -> dict[bytes, _Answers]:
    """Return the answers by how the path begins."""
    routes = {
        wire.path.partition("{model}")[0].encode(): _answers(wire.whole, wire.stream)
        for wire in WIRES.values()
    }
    codex = _answers(WIRES["responses"].whole, codex_stream)
    return {**routes, b"/backend-api/codex/responses": codex}


def _answers(whole: Json, stream: Callable[[tuple[str, ...]], Stream]) -> _Answers:
    burst, held = (_pieces(stream(deltas(count))) for count in (BURST_DELTAS, HELD_DELTAS))
    return _Answers(
        _cut(_whole(encoded(whole))),
        _cut(b"".join(burst)),
        tuple(map(_cut, burst)),
        tuple(map(_cut, held)),
    )


def _cut(data: bytes) -> _Piece:
    return tuple(data.split(RESPONSE_ID))


def _models() -> Json:
    """Return a catalogue that every dialect of listing models can read."""
    entry = {"id": MODEL, "slug": MODEL, "object": "model", "created": CREATED}
    return {"object": "list", "data": [entry], "models": [entry]}


class Upstream:
    """The server; :meth:`serve` runs until the process ends."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._listener.settimeout(0)
        self._routes = _routes()
        self._models = _whole(encoded(_models()))
        self._received = 0
        self._answered = 0
        self._clients: dict[int, _Client] = {}
        self._due: list[tuple[float, int, _Client, Iterator[bytes]]] = []
        self._epoll = select.epoll()
        self._epoll.register(listener, select.EPOLLIN)

    def serve(self) -> None:
        """Answer requests for ever."""
        while True:
            for descriptor, events in self._epoll.poll(self._pause()):
                if descriptor == self._listener.fileno():
                    self._accept()
                elif descriptor in self._clients:
                    self._advance(self._clients[descriptor], events)
            self._send_due()

    def _pause(self) -> float:
        return max(0.0, self._due[0][0] - time.monotonic()) if self._due else -1

    def _accept(self) -> None:
        try:
            while True:
                sock, _ = self._listener.accept()
                sock.settimeout(0)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._clients[sock.fileno()] = _Client(sock)
                self._epoll.register(sock, select.EPOLLIN)
        except BlockingIOError:
            return

    def _advance(self, client: _Client, events: int) -> None:
        try:
            if events & select.EPOLLOUT:
                self._send(client, client.unsent)
            if events & ~select.EPOLLOUT:
                self._receive(client)
        except OSError:
            self._drop(client)

    def _receive(self, client: _Client) -> None:
        data = client.sock.recv(262_144)
        if not data:
            self._drop(client)
            return
        client.received += data
        end = client.received.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        length = _LENGTH.search(client.received, 0, end)
        size = end + (int(length[1]) if length else 0)
        if len(client.received) >= size:
            request = bytes(client.received[:size])
            del client.received[:size]
            self._answer(client, request)

    def _answer(self, client: _Client, request: bytes) -> None:
        target = request.split(b" ", 2)[1]
        answers = next((a for path, a in self._routes.items() if target.startswith(path)), None)
        if answers is None:
            self._tell(client, target)
            return
        self._received += len(request)
        self._answered += 1
        id_ = b"%0*d" % (len(RESPONSE_ID), self._answered)
        if b'"stream":true' not in request and b":stream" not in target:
            self._send(client, id_.join(answers.whole))
        elif b'"model":"held"' in request:
            self._hold(client, map(id_.join, answers.held))
        elif b'"model":"single"' in request:
            for piece in answers.single:
                self._send(client, id_.join(piece))
        else:
            self._send(client, id_.join(answers.burst))

    def _tell(self, client: _Client, target: bytes) -> None:
        asked_for_count = target == b"/received"
        answer = _whole(b"%d" % self._received) if asked_for_count else self._models
        self._send(client, answer)

    def _send(self, client: _Client, data: bytes | memoryview) -> None:
        if client.unsent and data is not client.unsent:
            client.unsent = memoryview(bytes(client.unsent) + data)
            return
        view = memoryview(data)
        try:
            view = view[client.sock.send(view) :]
        except BlockingIOError:
            view = view[0:]
        waits = select.EPOLLOUT if view else 0
        if bool(view) != bool(client.unsent):
            self._epoll.modify(client.sock, select.EPOLLIN | waits)
        client.unsent = view

    def _hold(self, client: _Client, pieces: Iterator[bytes]) -> None:
        """Send the next piece now and the ones after it in time."""
        piece = next(pieces, None)
        if piece is not None and client.sock.fileno() >= 0:
            self._send(client, piece)
            due = time.monotonic() + HELD_SECONDS
            heapq.heappush(self._due, (due, id(pieces), client, pieces))

    def _send_due(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            _, _, client, pieces = heapq.heappop(self._due)
            try:
                self._hold(client, pieces)
            except OSError:
                self._drop(client)

    def _drop(self, client: _Client) -> None:
        if client.sock.fileno() >= 0:
            del self._clients[client.sock.fileno()]
            client.sock.close()


def main() -> None:
    """Serve on the loopback port that the command line names."""
    port = int(sys.argv[1])
    with socket.create_server(("127.0.0.1", port), backlog=4096) as listener:
        Upstream(listener).serve()


if __name__ == "__main__":
    main()
