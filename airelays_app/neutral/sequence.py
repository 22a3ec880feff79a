"""Parts that share one place on a wire, made to speak one after the other."""

from collections import deque
from collections.abc import Iterable

from airelays_app.neutral.events import (
    Event,
    Failed,
    Noted,
    PartClosed,
    PartDelta,
    PartOpened,
    PartSealed,
)

PartEvent = PartOpened | PartDelta | PartSealed | PartClosed | Noted


class Turns:
    """Decides which part may speak where several open parts share one place.

    Of the parts of a place only the oldest open one speaks; what the others say meanwhile is held
    back until it is their turn. Chat Completions has one ``content`` for all text parts.
    """

    def __init__(self) -> None:
        self._queues: dict[str, list[int]] = {}
        self._places: dict[int, str] = {}
        self._held: dict[int, list[str]] = {}
        self._closed: set[int] = set()

    def open(self, part: int, place: str) -> None:
        """Let ``part`` queue up at ``place``."""
        self._places[part] = place
        self._queues.setdefault(place, []).append(part)

    def may_speak(self, part: int) -> bool:
        """Tell whether it is the turn of ``part``."""
        return self._queues[self._places[part]][0] == part

    def hold(self, part: int, text: str) -> None:
        """Keep what ``part`` said before its turn."""
        self._held.setdefault(part, []).append(text)

    def close(self, part: int) -> list[tuple[int, str]]:
        """``part`` is complete: return what can be said now, as parts and texts."""
        place = self._places.pop(part, None)
        if place is None:
            return []
        self._closed.add(part)
        queue = self._queues[place]
        said: list[tuple[int, str]] = []
        while queue and queue[0] in self._closed:
            queue.pop(0)
            said += self._released(queue[:1])
        return said

    def give_up(self) -> list[tuple[int, str]]:
        """The stream breaks off: return everything that is still held back, in order."""
        return self._released(sorted(self._held))

    def _released(self, parts: list[int]) -> list[tuple[int, str]]:
        return [(part, "".join(self._held.pop(part))) for part in parts if part in self._held]


class OneAtATime:
    """Rewrites a stream so that each part is closed before the next one opens.

    Parts keep their order and numbers. The oldest one that is not closed passes at once; what
    belongs to the others is held back until it is their turn. Messages has one open block. Parts
    that a failure has closed are in ``given_up``.
    """

    def __init__(self) -> None:
        self._open: deque[int] = deque()
        self._held: dict[int, list[PartEvent]] = {}
        self._closed: set[int] = set()
        self.given_up: set[int] = set()

    def feed(self, events: Iterable[Event]) -> list[Event]:
        """Return the events that may pass now."""
        out: list[Event] = []
        waiting = self._open
        for event in events:
            if event.__class__ is PartDelta and event.part == waiting[0]:
                out.append(event)
            elif isinstance(event, PartOpened):
                self._queue_up(event, out)
            elif isinstance(event, PartDelta | PartSealed | PartClosed | Noted):
                self._take(event, out)
            else:
                if isinstance(event, Failed):
                    self._give_up(out)
                out.append(event)
        return out

    def _queue_up(self, event: PartOpened, out: list[Event]) -> None:
        self._open.append(event.part)
        if len(self._open) == 1:
            out.append(event)
        else:
            self._held[event.part] = [event]

    def _take(self, event: PartEvent, out: list[Event]) -> None:
        if event.part != self._open[0]:
            self._held[event.part].append(event)
            if isinstance(event, PartClosed):
                self._closed.add(event.part)
            return
        out.append(event)
        if isinstance(event, PartClosed):
            self._open.popleft()
            self._advance(out)

    def _advance(self, out: list[Event]) -> None:
        """The first in the queue may speak: let out what it said before its turn."""
        while self._open:
            part = self._open[0]
            out += self._held.pop(part)
            if part not in self._closed:
                return
            self._open.popleft()

    def _give_up(self, out: list[Event]) -> None:
        """The stream breaks off: let out everything, each open part closed for the next one."""
        while len(self._open) > 1:
            self.given_up.add(self._open[0])
            out.append(PartClosed(self._open.popleft()))
            self._advance(out)
