"""What makes a stream of events legal; the tests hold every decoder and encoder to it."""

from collections.abc import Iterable

from airelays_app.neutral.events import (
    Event,
    Failed,
    Finished,
    Noted,
    PartClosed,
    PartDelta,
    PartOpened,
    PartSealed,
    Started,
)


class IllegalStreamError(Exception):
    """An event came that the grammar does not allow there."""


class Grammar:
    """Checks events one by one.

    ``Started`` comes first and once (a ``Failed`` may stand alone). Parts open in the order of
    their numbers; deltas, seals and notes name an open part, and no delta is empty; every part is
    closed before ``Finished``; nothing follows ``Finished`` or ``Failed``.
    """

    def __init__(self) -> None:
        self._started = False
        self._ended = False
        self._next_part = 0
        self._open: set[int] = set()

    def check(self, event: Event) -> None:
        """Take the next event; raises IllegalStreamError."""
        self._require(not self._ended, event, "nothing may follow the end")
        match event:
            case Failed():
                self._ended = True
            case Started():
                self._require(not self._started, event, "started twice")
                self._started = True
            case _:
                self._require(self._started, event, "not started")
                self._check_inside(event)

    def _check_inside(self, event: Event) -> None:
        match event:
            case PartOpened(part=part):
                self._require(part == self._next_part, event, "parts open in order")
                self._next_part += 1
                self._open.add(part)
            case PartDelta(part=part, text=text):
                self._require(part in self._open, event, "the part is not open")
                self._require(text != "", event, "the delta is empty")
            case PartSealed(part=part) | Noted(part=part):
                self._require(part in self._open, event, "the part is not open")
            case PartClosed(part=part):
                self._require(part in self._open, event, "the part is not open")
                self._open.discard(part)
            case Finished():
                self._require(not self._open, event, "a part is still open")
                self._ended = True

    def end(self) -> None:
        """The stream has ended; raises IllegalStreamError without a terminal event."""
        if not self._ended:
            raise IllegalStreamError("the stream has no terminal event")

    def _require(self, holds: bool, event: Event, rule: str) -> None:  # noqa: FBT001
        if not holds:
            raise IllegalStreamError(f"{rule}: {event!r}")


def check(events: Iterable[Event]) -> None:
    """Raise IllegalStreamError unless ``events`` is one whole legal stream."""
    grammar = Grammar()
    for event in events:
        grammar.check(event)
    grammar.end()
