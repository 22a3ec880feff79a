"""The few SQLite connections that one process shares between its many threads.

One connection writes, the others only read. Threads of one process queue for the writer on a
lock, which hands over at once, instead of in SQLite's busy handler, which sleeps in steps.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from airelays_app.store import faults


class ConnectionPool:
    """Connections of one process, opened when first needed.

    ``prepare`` runs once before the first connection is handed out, and again at the next call
    if it raised. ``connect`` opens one connection; its argument says whether it will write.
    """

    def __init__(
        self,
        *,
        prepare: Callable[[], None],
        connect: Callable[[bool], sqlite3.Connection],
        readers: int,
        wait_seconds: float,
    ) -> None:
        self._prepare = prepare
        self._connect = connect
        self._wait_seconds = wait_seconds
        self._reader_places = threading.BoundedSemaphore(readers)
        self._writer_place = threading.BoundedSemaphore(1)
        self._idle_readers: list[sqlite3.Connection] = []
        self._idle_writers: list[sqlite3.Connection] = []
        self._state_lock = threading.Lock()
        self._prepared = False
        self._closed = False

    @contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """Lend a read-only connection; wait for a free one, raise Unavailable when none comes."""
        with self._lend(self._reader_places, self._idle_readers, writes=False) as connection:
            yield connection

    @contextmanager
    def writer(self) -> Iterator[sqlite3.Connection]:
        """Lend the one connection that writes; raise Unavailable when it stays taken."""
        with self._lend(self._writer_place, self._idle_writers, writes=True) as connection:
            yield connection

    def close(self) -> None:
        """Close what is idle now and the rest when it comes back."""
        with self._state_lock:
            self._closed = True
            idle = [*self._idle_readers, *self._idle_writers]
            self._idle_readers.clear()
            self._idle_writers.clear()
        for connection in idle:
            connection.close()

    @contextmanager
    def _lend(
        self, places: threading.Semaphore, idle: list[sqlite3.Connection], *, writes: bool
    ) -> Iterator[sqlite3.Connection]:
        if not places.acquire(timeout=self._wait_seconds):
            raise faults.busy()
        try:
            connection = self._take(idle, writes=writes)
            try:
                yield connection
            except sqlite3.DatabaseError:
                connection.close()
                raise
            except BaseException:
                self._give_back(connection, idle)
                raise
            self._give_back(connection, idle)
        finally:
            places.release()

    def _take(self, idle: list[sqlite3.Connection], *, writes: bool) -> sqlite3.Connection:
        with self._state_lock:
            if idle:
                return idle.pop()
            if not self._prepared:
                self._prepare()
                self._prepared = True
        return self._connect(writes)

    def _give_back(self, connection: sqlite3.Connection, idle: list[sqlite3.Connection]) -> None:
        with self._state_lock:
            if not self._closed:
                idle.append(connection)
                return
        connection.close()
