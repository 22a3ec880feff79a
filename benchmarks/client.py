"""The load: many clients in one thread, over raw sockets and epoll, every answer verified."""

import select
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.answers import Answer
from benchmarks.exchange import Exchange, Verifier, WrongAnswerError

_GIVE_UP_SECONDS = 35.0
_TURN_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Plan:
    """How hard to press.

    Each of ``clients`` sends its next request when its answer is complete, for ``seconds``; with
    ``once`` it sends just one, and the clients begin spread over ``seconds``.
    """

    clients: int
    seconds: float
    once: bool = False


@dataclass(slots=True)
class Tally:
    """What came of it: seconds to the first delta and to the end of each verified answer."""

    opened: int = 0
    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def complete(self) -> int:
        """How many answers were right."""
        return len(self.whole)


class _Client:
    """One keep-alive connection and the answer it waits for."""

    def __init__(self) -> None:
        self.sock: socket.socket | None = None
        self.answer = Answer()
        self.sent_at = 0.0
        self.first_at = 0.0


class Load:
    """Drives one server at ``port``; ``watch`` is called a few times a second meanwhile."""

    def __init__(
        self, port: int, exchange: Exchange, plan: Plan, watch: Callable[[], None] | None = None
    ) -> None:
        self._port = port
        self._verifier = Verifier(exchange)
        self._request = exchange.request()
        self._mark = exchange.first_mark
        self._plan = plan
        self._watch = watch
        self._tally = Tally()
        self._epoll = select.epoll()
        self._running: dict[int, _Client] = {}
        self._until = 0.0

    def run(self) -> Tally:
        """Return what came of it, once every request has ended or is given up."""
        started = time.monotonic()
        self._until = started + self._plan.seconds
        waiting = [_Client() for _ in range(self._plan.clients)]
        last_watched = started
        while waiting or self._running:
            now = time.monotonic()
            if now > self._until + _GIVE_UP_SECONDS:
                break
            while waiting and now >= self._begins_at(len(waiting), started):
                self._send(waiting.pop())
            for descriptor, _ in self._epoll.poll(0.001 if waiting else _TURN_SECONDS):
                self._receive(self._running[descriptor])
            if self._watch and now - last_watched > _TURN_SECONDS:
                last_watched = now
                self._watch()
        self._tally.seconds = time.monotonic() - started
        self._close()
        return self._tally

    def _begins_at(self, left: int, started: float) -> float:
        if not self._plan.once:
            return started
        return started + self._plan.seconds * (1 - left / self._plan.clients)

    def _send(self, client: _Client) -> None:
        self._tally.opened += 1
        client.answer = Answer()
        client.first_at = 0.0
        client.sent_at = time.monotonic()
        if client.sock is None:
            client.sock = socket.create_connection(("127.0.0.1", self._port), timeout=10)
            client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._epoll.register(client.sock, select.EPOLLIN)
        client.sock.sendall(self._request)
        self._running[client.sock.fileno()] = client

    def _receive(self, client: _Client) -> None:
        assert client.sock is not None
        try:
            data = client.sock.recv(262_144)
        except OSError:
            data = b""
        if not data:
            self._fail(client, "closed")
            return
        answer = client.answer
        ended = answer.feed(data)
        if not client.first_at and answer.has(self._mark):
            client.first_at = time.monotonic()
        if ended:
            self._end(client)

    def _end(self, client: _Client) -> None:
        assert client.sock is not None
        now = time.monotonic()
        del self._running[client.sock.fileno()]
        try:
            if client.answer.status != 200:
                raise WrongAnswerError(f"status {client.answer.status}")
            self._verifier.verify(client.answer.body())
        except (WrongAnswerError, ValueError, LookupError) as error:
            self._tally.failures[str(error)] += 1
        else:
            self._tally.first.append((client.first_at or now) - client.sent_at)
            self._tally.whole.append(now - client.sent_at)
        if not self._plan.once and now < self._until:
            self._send(client)
        else:
            self._hang_up(client)

    def _fail(self, client: _Client, why: str) -> None:
        assert client.sock is not None
        self._tally.failures[why] += 1
        del self._running[client.sock.fileno()]
        self._hang_up(client)
        if not self._plan.once and time.monotonic() < self._until:
            self._send(client)

    def _hang_up(self, client: _Client) -> None:
        if client.sock is not None:
            client.sock.close()
            client.sock = None

    def _close(self) -> None:
        for client in list(self._running.values()):
            self._fail(client, "hung")
        self._epoll.close()
