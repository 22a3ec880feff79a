"""Many small writes in few transactions, off the threads that serve.

One thread per process writes what has gathered, in the order in which it came. A write that
nobody waits for costs its caller an entry in a queue; it is lost if the process is killed in the
next moments. While the database is down it is kept, and written once the database is back;
whoever waits for a write is told at once.
"""

import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from airelays_app.errors import Unavailable
from airelays_app.store.database import Database

_log = logging.getLogger(__name__)

Write = Callable[[sqlite3.Connection], object]

LINGER_SECONDS = 0.05
"""How long a write that nobody waits for gathers company: a transaction of its own costs the CPU
of five of its like in a larger one (measured 2026-11-25)."""

RETRY_SECONDS = 1.0
"""How long the database is left alone after it could not be written."""

_MOST_TOGETHER = 256
_MOST_QUEUED_BYTES = 64 * 1024 * 1024
_CLOSE_SECONDS = 10.0


@dataclass(slots=True)
class Pending:
    """A write on its way; ``bytes`` is what it holds of the memory until then.

    ``awaited``: somebody waits, and is told when the database is down.
    """

    write: Write
    bytes: int
    durable: bool
    awaited: bool
    _done: threading.Event = field(default_factory=threading.Event)
    _error: Exception | None = None

    def wait(self) -> None:
        """Return once it is committed; raises what the write itself raised.

        Raises Unavailable too if the write is ``awaited``.
        """
        self._done.wait()
        if self._error is not None:
            raise self._error

    def check(self) -> None:
        """Raise what :meth:`wait` would, if it is known by now."""
        if self._error is not None:
            raise self._error

    def settle(self, error: Exception | None) -> None:
        """Say how it went."""
        self._error = error
        self._done.set()


class BatchWriter:
    """Writes to ``database``; safe for many threads, and after a fork.

    ``tidy`` runs in the writing thread between two batches, and again while it returns true and
    nothing has to be written.
    """

    def __init__(self, database: Database, *, tidy: Callable[[], bool] = lambda: False) -> None:
        self._database = database
        self._tidy = tidy
        self._lock = threading.Lock()
        self._hurried = threading.Event()
        self._process = 0
        self._queued_bytes = 0
        self._queue: SimpleQueue[Pending | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_down = False

    def submit(self, write: Write, *, size: int, durable: bool = False) -> Pending:
        """Queue a write that holds ``size`` bytes; ``durable``: somebody waits for it.

        A durable write survives a power cut. While too much is queued, the caller waits for the
        write; raises Unavailable then if it fails, and if there is no thread that could write.
        """
        with self._lock:
            self._start_thread()
            self._queued_bytes += size
            crowded = self._queued_bytes > _MOST_QUEUED_BYTES
            pending = Pending(write, size, durable, awaited=durable or crowded)
            self._queue.put(pending)
        if durable or crowded:
            self.hurry()
        if crowded:
            pending.wait()
        return pending

    def hurry(self) -> None:
        """Write soon what is queued: somebody is waiting for it."""
        self._hurried.set()

    def close(self) -> None:
        """Write what is queued and end the thread; a later write begins anew."""
        with self._lock:
            thread, self._thread = self._thread, None
            queue, self._queue = self._queue, SimpleQueue()
        if thread is None or self._process != os.getpid():
            return
        queue.put(None)
        self.hurry()
        thread.join(_CLOSE_SECONDS)

    def _start_thread(self) -> None:
        if self._process != os.getpid():
            self._process = os.getpid()
            self._queue, self._thread, self._queued_bytes = SimpleQueue(), None, 0
        if self._thread is None:
            thread = threading.Thread(
                target=self._run, args=(self._queue,), name="batch-writer", daemon=True
            )
            try:
                thread.start()
            except RuntimeError as error:  # the system lets this process have no further thread
                raise Unavailable("The relay has no thread left to write with.") from error
            self._thread = thread

    def _run(self, queue: "SimpleQueue[Pending | None]") -> None:
        kept: list[Pending] = []
        goes_on = True
        while goes_on:
            batch, goes_on = self._gathered(queue, wait=RETRY_SECONDS if kept else None)
            kept = self._write([*kept, *batch])
            while goes_on and not kept and self._tidied() and queue.empty():
                continue
        self._settle(kept, Unavailable("The relay has ended before its storage was back."))

    def _gathered(
        self, queue: "SimpleQueue[Pending | None]", *, wait: float | None
    ) -> tuple[list[Pending], bool]:
        """Return what can be written together, and whether anything may follow.

        It is empty when nothing has come for ``wait`` seconds.
        """
        try:
            first = queue.get(timeout=wait)
        except Empty:
            return [], True
        if first is None:
            return [], False
        self._hurried.wait(LINGER_SECONDS)
        self._hurried.clear()
        batch, goes_on = _with_company(first, queue)
        if not queue.empty():
            self.hurry()
        return batch, goes_on

    def _tidied(self) -> bool:
        """Tell whether there is more to tidy; what goes wrong is for the next time."""
        try:
            return self._tidy()
        except Unavailable as error:
            _log.warning("tidying up waits for storage: %s", error.message)
        except Exception as error:
            _log.error("tidying up failed", exc_info=error)
        return False

    def _write(self, batch: list[Pending]) -> list[Pending]:
        """Write all in one transaction; if one of them is at fault, each in its own.

        Returns those to try again, because the database is down and nobody waits for them.
        """
        if not batch:
            return []
        error = self._tried(batch)
        if isinstance(error, Unavailable):
            return self._put_off(batch, error)
        self._is_down = False
        if error is None or len(batch) == 1:
            self._settle(batch, error)
            return []
        return [kept for pending in batch for kept in self._write([pending])]

    def _put_off(self, batch: list[Pending], error: Unavailable) -> list[Pending]:
        if not self._is_down:
            _log.warning("writes wait for storage: %s", error.message)
        self._is_down = True
        self._settle([pending for pending in batch if pending.awaited], error)
        return [pending for pending in batch if not pending.awaited]

    def _tried(self, batch: list[Pending]) -> Exception | None:
        try:
            with self._database.writing(durable=any(each.durable for each in batch)) as connection:
                for pending in batch:
                    pending.write(connection)
        except Exception as error:
            return error
        return None

    def _settle(self, batch: list[Pending], error: Exception | None) -> None:
        lost = sum(not each.awaited for each in batch) if error is not None else 0
        if lost:
            _log.error("writes were lost", exc_info=error, extra={"fields": {"writes": lost}})
        with self._lock:
            self._queued_bytes -= sum(each.bytes for each in batch)
        for pending in batch:
            pending.settle(error)


def _with_company(
    first: Pending, queue: "SimpleQueue[Pending | None]"
) -> tuple[list[Pending], bool]:
    """Return ``first`` and what is queued behind it, and whether anything may follow."""
    batch = [first]
    while len(batch) < _MOST_TOGETHER:
        try:
            pending = queue.get_nowait()
        except Empty:
            break
        if pending is None:
            return batch, False
        batch.append(pending)
    return batch, True
