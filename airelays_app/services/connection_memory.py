"""What one connection remembers: its latest reply, kept or not, with all that was said before."""

from collections.abc import Sequence
from dataclasses import dataclass

from airelays_app.dialects.base import Json
from airelays_app.framing.jsontext import dumps, loads
from airelays_app.services.generation import Prepared
from airelays_app.services.keeping import kept_items
from airelays_app.services.references import History
from airelays_app.services.turns import replayable

MOST_BYTES = 16 * 1024 * 1024
"""How much JSON one connection remembers. Clients may leave many open, with nothing to do."""


class ConnectionMemory:
    """Remembers up to ``max_bytes`` of JSON, or nothing.

    It is kept as text, because many small items take twelve times as much memory once they are
    parsed (measured 2026-11-25).
    """

    def __init__(self, *, max_bytes: int = MOST_BYTES) -> None:
        self._max_bytes = max_bytes
        self._response_id: str | None = None
        self._first_id = ""
        self._items = b""

    def recall(self, response_id: str) -> History | None:
        """Return what was said up to a response, if it is the latest one."""
        if response_id != self._response_id:
            return None
        return History(tuple(loads(self._items)), self._first_id)

    def remember(
        self, response_id: str, items: Sequence[Json], *, first_id: str | None = None
    ) -> None:
        """Take the place of what was remembered; ``first_id`` is where it begins, if not here."""
        text = dumps(replayable(items))
        if len(text) > self._max_bytes:
            self.forget()
            return
        # A copy, because orjson 3.13 leaves up to four times the room behind what it writes.
        self._response_id, self._items = response_id, bytes(memoryview(text))
        self._first_id = first_id or response_id

    def forget(self) -> None:
        """Remember nothing: the latest turn has failed, so nobody knows what it is based on."""
        self._response_id, self._items = None, b""

    def keeper(self, said: Sequence[Json], *, first_id: str | None) -> "MemoryKeeper":
        """Return who remembers the reply to what was ``said``, beginning with the history."""
        return MemoryKeeper(self, said, first_id)


@dataclass(frozen=True, slots=True)
class MemoryKeeper:
    """Remembers one reply."""

    memory: ConnectionMemory
    said: Sequence[Json]
    first_id: str | None

    def keep(self, prepared: Prepared) -> None:
        """Remember the whole reply."""
        items = [*self.said, *kept_items(prepared)]
        self.memory.remember(prepared.reply_id(), items, first_id=self.first_id)

    def fail(self, prepared: Prepared) -> None:  # noqa: ARG002
        """Forget what was before it, too."""
        self.memory.forget()

    def heartbeat(self) -> None:
        """Nothing is held that could be lost."""

    def release(self) -> None:
        """Nothing is held."""
