"""Following a reply that another thread makes, maybe in another process, event by event."""

from collections.abc import Callable
from socket import socket
from time import monotonic

from airelays_app.errors import ClientGone
from airelays_app.neutral.usage import Usage
from airelays_app.services.run_events import deleted
from airelays_app.store.response_runs import ResponseRuns
from airelays_app.upstream.waiting import TICK_SECONDS, sleep_watching

_SHORTEST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.25


class Follower:
    """Yields the events behind the sequence number ``after``, ``b""`` for each second without one.

    ``settle`` ends a run that is lost. ``watch`` is the client's socket.
    """

    usage: Usage | None = None

    def __init__(
        self,
        runs: ResponseRuns,
        number: int,
        *,
        after: int,
        settle: Callable[[int], None],
        watch: socket | None,
    ) -> None:
        self._runs = runs
        self._number = number
        self._after = after
        self._settle = settle
        self._watch = watch
        self._pause = _SHORTEST_PAUSE_SECONDS
        self._is_over = False

    @property
    def outcome(self) -> str:
        """``complete``, or ``client_gone`` before the last event."""
        return "complete" if self._is_over else "client_gone"

    def __iter__(self) -> "Follower":
        return self

    def __next__(self) -> bytes:
        try:
            return self._next(until=monotonic() + TICK_SECONDS)
        except ClientGone:
            raise StopIteration from None

    def close(self) -> None:
        """Nothing is held open."""

    def _next(self, *, until: float) -> bytes:
        while not self._is_over:
            excerpt = self._runs.excerpt(self._number, after=self._after)
            self._is_over = excerpt.is_last and excerpt.state == "over"
            if excerpt.events:
                self._after = excerpt.events[-1].sequence
                self._pause = _SHORTEST_PAUSE_SECONDS
                return b"".join(event.data for event in excerpt.events)
            if excerpt.state == "lost":
                self._settle(self._number)
            elif self._is_over:
                return self._last_words()
            elif monotonic() >= until:
                return b""
            else:
                self._wait()
        raise StopIteration

    def _last_words(self) -> bytes:
        """Return what there is to say behind the last event, which was the end if it is kept."""
        if self._runs.has_events(self._number):
            raise StopIteration
        return deleted(self._after + 1)

    def _wait(self) -> None:
        sleep_watching(self._pause, self._watch)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
