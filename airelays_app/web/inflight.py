"""A bound on the request bytes that one process holds at the same time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from airelays_app.errors import Unavailable


class InflightBytes:
    """Counts the bytes of all bodies that are being read or worked on."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._total = 0
        self._lock = threading.Lock()

    @contextmanager
    def held(self, size: int) -> Iterator["Hold"]:
        """Hold ``size`` bytes, and more as they are added, until the block ends.

        Raises Unavailable when that is too many; one body alone may be of any size.
        """
        hold = Hold(self)
        hold.add(size)
        try:
            yield hold
        finally:
            self._change(hold, -hold.size)

    def _change(self, hold: "Hold", size: int) -> None:
        with self._lock:
            others = self._total - hold.size
            if size > 0 and others and self._total + size > self._limit:
                raise Unavailable(
                    "Too many large requests are being read at once; try again in a moment.",
                    retry_after=1,
                )
            self._total += size
            hold.size += size


class Hold:
    """The bytes of one body."""

    def __init__(self, inflight: InflightBytes) -> None:
        self.size = 0
        self._inflight = inflight

    def add(self, size: int) -> None:
        """Hold ``size`` bytes more; raises Unavailable when that is too many."""
        self._inflight._change(self, size)

    def drop(self, size: int) -> None:
        """Hold ``size`` bytes less."""
        self._inflight._change(self, -size)
