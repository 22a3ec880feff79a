"""A stand-in upstream that is never the limit: one process, epoll, every answer encoded once.

Run it as ``python -m benchmarks.upstream PORT``. It answers ``POST /v1/responses``,
``POST /v1/chat/completions`` and ``POST /backend-api/codex/responses``, streamed when the body
has ``"stream":true``, and anything else with a list of models. The model's name chooses how a
stream is delivered, one HTTP chunk per event each time: ``burst`` in one write, ``single`` in one
write per event, ``held`` with a pause between the events.
"""

import heapq
import re
import select
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.replies import (
    BURST_DELTAS,
    HELD_DELTAS,
    HELD_SECONDS,
    Stream,
    chat_body,
    chat_stream,
    deltas,
    models_body,
    responses_body,
    responses_stream,
)

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


@dataclass(frozen=True, slots=True)
class _Answers:
    """The encoded answers of one route, streams in pieces."""

    whole: bytes
    burst: tuple[bytes, ...]
    held: tuple[bytes, ...]


def _answers(body: bytes, burst: Stream, held: Stream) -> _Answers:
    return _Answers(_whole(body), _pieces(burst), _pieces(held))


def _whole(body: bytes) -> bytes:
    head = f"{_HEADERS}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _pieces(stream: Stream) -> tuple[bytes, ...]:
    """Return one piece per event; what comes before the first delta goes with it."""
    chunks = [b"%x\r\n%b\r\n" % (len(block), block) for block in stream.blocks]
    first = b"".join((_STREAM_HEAD, *chunks[: stream.first + 1]))
    return (first, *chunks[stream.first + 1 : -1], chunks[-1] + b"0\r\n\r\n")


def _routes() -> dict[bytes, _Answers]:
    burst, held = deltas(BURST_DELTAS), deltas(HELD_DELTAS)

    def responses(*, quirks: bool) -> _Answers:
        return _answers(
            responses_body(),
            responses_stream(burst, quirks=quirks),
            responses_stream(held, quirks=quirks),
        )

    return {
        b"/v1/responses": responses(quirks=False),
        b"/backend-api/codex/responses": responses(quirks=True),
        b"/v1/chat/completions": _answers(chat_body(), chat_stream(burst), chat_stream(held)),
    }


class Upstream:
    """The server; :meth:`serve` runs until the process ends."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._listener.settimeout(0)
        self._routes = _routes()
        self._models = _whole(models_body())
        self._bursts = {path: b"".join(route.burst) for path, route in self._routes.items()}
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
        path = request.split(b" ", 2)[1]
        route = self._routes.get(path)
        if route is None:
            self._send(client, self._models)
        elif b'"stream":true' not in request:
            self._send(client, route.whole)
        elif b'"model":"held"' in request:
            self._hold(client, iter(route.held))
        elif b'"model":"single"' in request:
            for piece in route.burst:
                self._send(client, piece)
        else:
            self._send(client, self._bursts[path])

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
