"""Stop sequences, honoured by the relay itself where an upstream knows none."""

from collections.abc import Iterable, Iterator

from airelays_app.neutral.events import (
    Event,
    Failed,
    Finished,
    PartClosed,
    PartDelta,
    PartOpened,
    UsageSeen,
)


class StopCutter:
    """Ends a stream at the stop sequence that is complete first in its visible text.

    Of several that are complete with the same character, the longest counts. As much text is held
    back as may be the beginning of a stop sequence, never more. After the match nothing follows
    but the end; ``hit`` is then true and the upstream can be closed.
    """

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = stops
        self._longest = max(map(len, stops))
        self._text_parts: set[int] = set()
        self._open: list[int] = []
        self._held: dict[int, str] = {}
        self.hit = False

    def feed(self, events: Iterable[Event]) -> list[Event]:
        """Return the events up to the stop sequence, and the usage if it came along."""
        out: list[Event] = []
        for event in events:
            if not self.hit:
                out += self._take(event)
            elif isinstance(event, UsageSeen) and out:
                out.insert(-1, event)
        return out

    def _take(self, event: Event) -> Iterator[Event]:
        match event:
            case PartOpened(part=part, kind=kind):
                self._open.append(part)
                if kind == "text":
                    self._text_parts.add(part)
            case PartDelta(part=part, text=text) if part in self._text_parts:
                yield from self._cut(part, self._held.pop(part, "") + text)
                return
            case PartClosed(part=part):
                self._open.remove(part)
                yield from self._released(part)
            case Failed():
                for part in self._open:
                    yield from self._released(part)
        yield event

    def _cut(self, part: int, text: str) -> Iterator[Event]:
        found = [(at + len(stop), at, stop) for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            _, at, stop = min(found)
            yield from self._end(part, text[:at], stop)
            return
        keep = self._beginning_of_a_stop(text)
        if keep:
            self._held[part] = text[-keep:]
            text = text[:-keep]
        yield from _delta(part, text)

    def _end(self, part: int, text: str, stop: str) -> Iterator[Event]:
        self.hit = True
        yield from _delta(part, text)
        for open_part in self._open:
            yield from self._released(open_part)
            yield PartClosed(open_part)
        yield Finished("stop_sequence", stop)

    def _released(self, part: int) -> Iterator[Event]:
        yield from _delta(part, self._held.pop(part, ""))

    def _beginning_of_a_stop(self, text: str) -> int:
        """Return how many characters at the end of ``text`` may begin a stop sequence."""
        for length in range(min(self._longest - 1, len(text)), 0, -1):
            if any(stop.startswith(text[-length:]) for stop in self._stops):
                return length
        return 0


def _delta(part: int, text: str) -> Iterator[Event]:
    if text:
        yield PartDelta(part, text)
