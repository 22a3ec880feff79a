"""Stop sequences, honoured by the relay itself where an upstream knows none."""

from collections.abc import Iterable

from airelays_app.neutral.events import Event, Finished, PartClosed, PartDelta, PartOpened


class StopCutter:
    """Ends a stream at the first stop sequence in its visible text, across deltas.

    As much text is held back as may be the beginning of a stop sequence, never more. After the
    match nothing follows but the end; ``hit`` is then true and the upstream can be closed.
    """

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = stops
        self._longest = max(map(len, stops))
        self._text_parts: set[int] = set()
        self._open: list[int] = []
        self._held: dict[int, str] = {}
        self.hit = False

    def feed(self, events: Iterable[Event]) -> list[Event]:
        """Return the events up to the stop sequence."""
        out: list[Event] = []
        for event in events:
            if self.hit:
                break
            out += self._take(event)
        return out

    def _take(self, event: Event) -> list[Event]:
        match event:
            case PartOpened(part=part, kind=kind):
                self._open.append(part)
                if kind == "text":
                    self._text_parts.add(part)
            case PartDelta(part=part, text=text) if part in self._text_parts:
                return self._cut(part, self._held.pop(part, "") + text)
            case PartClosed(part=part):
                self._open.remove(part)
                if held := self._held.pop(part, ""):
                    return [PartDelta(part, held), event]
        return [event]

    def _cut(self, part: int, text: str) -> list[Event]:
        found = [(text.find(stop), stop) for stop in self._stops if stop in text]
        if found:
            at, stop = min(found)
            self.hit = True
            return [
                *_delta(part, text[:at]),
                *map(PartClosed, self._open),
                Finished("stop_sequence", stop),
            ]
        keep = self._beginning_of_a_stop(text)
        if keep:
            self._held[part] = text[-keep:]
            text = text[:-keep]
        return _delta(part, text)

    def _beginning_of_a_stop(self, text: str) -> int:
        """Return how many characters at the end of ``text`` may begin a stop sequence."""
        for length in range(min(self._longest - 1, len(text)), 0, -1):
            if any(stop.startswith(text[-length:]) for stop in self._stops):
                return length
        return 0


def _delta(part: int, text: str) -> list[Event]:
    return [PartDelta(part, text)] if text else []
