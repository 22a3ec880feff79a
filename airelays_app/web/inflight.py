"""A bound on the request bytes that one process holds at the same time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from airelays_app.errors import Unavailable


class InflightBytes:
    """Counts the bytes of all bodies that are being read or worked on."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self._lock = threading.Lock()

    @contextmanager
    def held(self, size: int) -> Iterator[None]:
        """Hold ``size`` bytes; raises Unavailable when that would be too many."""
        with self._lock:
            if self._held and self._held + size > self._limit:
                raise Unavailable(
                    "Too many large requests are being read at once; try again in a moment.",
                    retry_after=1,
                )
            self._held += size
        try:
            yield
        finally:
            with self._lock:
                self._held -= size
