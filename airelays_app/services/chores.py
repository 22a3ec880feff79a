"""Work without a client: one process of a data directory does each kind of it, in a thread."""

import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from airelays_app.errors import Unavailable
from airelays_app.store.leases import Lease

LOOK_SECONDS = 2.0
"""How often each process looks whether there is something to do."""

_log = logging.getLogger("airelays.chores")


class Chore(Protocol):
    """One kind of work."""

    def is_due(self) -> bool:
        """Tell whether there is something to do now; cheap, and asked in every process."""

    def run(self, keep: "Keep") -> None:
        """Do some of it and come back soon; ``keep`` renews the lease in longer waits."""


class Keep(Protocol):
    """Keeps the work while it takes its time."""

    def __call__(self) -> bool:
        """Return false once another process has the work, or this one is to end."""


class Chores:
    """Does each chore in a thread of its own, as long as this process has its lease."""

    def __init__(self, chores: Sequence[tuple[Chore, Lease]]) -> None:
        self._doers = [_Doer(chore, lease) for chore, lease in chores]
        self._retiring = False

    def start(self) -> None:
        """Begin, in the process that is to do the work."""
        for doer in self._doers:
            doer.start()

    def wake(self) -> None:
        """Look at once: there is something to do."""
        for doer in self._doers:
            doer.wake()

    @property
    def is_retiring(self) -> bool:
        """Whether this process has been told to end."""
        return self._retiring

    def retire(self) -> None:
        """Begin nothing more, and let another process have the work."""
        self._retiring = True
        for doer in self._doers:
            doer.retire()


class _Doer:
    """Does one chore: a long one keeps no other waiting."""

    def __init__(self, chore: Chore, lease: Lease) -> None:
        self._chore = chore
        self._lease = lease
        self._wanted = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="chore", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._wanted.set()

    def retire(self) -> None:
        self._ending.set()
        self._wanted.set()

    def _work(self) -> None:
        while not self._ending.is_set():
            self._wanted.wait(LOOK_SECONDS)
            self._wanted.clear()
            try:
                self._round()
            except Unavailable as error:
                _log.warning("chores wait for storage: %s", error.message)
            except Exception:
                _log.exception("a chore failed")
        with suppress(Unavailable):  # it ends by itself, then
            self._lease.release()

    def _round(self) -> None:
        if self._chore.is_due() and self._keep():
            self._chore.run(self._keep)

    def _keep(self) -> bool:
        return not self._ending.is_set() and self._lease.take()
