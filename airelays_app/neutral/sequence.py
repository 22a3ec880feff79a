"""Parts that share one place on a wire, made to speak one after the other."""


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
