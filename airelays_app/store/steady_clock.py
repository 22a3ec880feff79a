"""One clock for limits: seconds that no correction of the wall clock moves.

Blocks and windows outlive restarts, so they need a time that means the same in every process and
after a reboot; a home server without a battery-backed clock boots in 1970 and jumps when the
network comes. Here the wall clock is asked once per boot. From then on time is what the kernel
has counted since boot, suspended time included, plus that one offset, which all processes share
through the database. It never runs backwards: a boot with an earlier wall clock continues from
the latest moment that was recorded, so a block lasts longer by the time the machine was off at
most, and never for ever. Where the boot's name is hidden, a clock that would run backwards is what
tells a reboot.
"""

import sqlite3
import time
from collections.abc import Callable

from airelays_app.store.database import Database
from airelays_app.store.process_identity import boot_id

_RECORDED_MOMENTS = """
    SELECT MAX(moment) FROM (
        SELECT MAX(at) AS moment FROM limit_entries
        UNION ALL SELECT MAX(updated_at) FROM limit_buckets
        UNION ALL SELECT MAX(blocked_at) FROM lockouts
        UNION ALL SELECT MAX(last_used_at) FROM known_credentials
    )
"""


def seconds_since_boot() -> float:
    """Return the kernel's count, the same in every process, suspended time included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class SteadyClock:
    """A function of no arguments; see :meth:`__call__`."""

    def __init__(
        self,
        database: Database,
        *,
        since_boot: Callable[[], float] = seconds_since_boot,
        boot: Callable[[], str] = boot_id,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._since_boot = since_boot
        self._boot = boot
        self._wall = wall
        self._offset: float | None = None

    def __call__(self) -> float:
        """Return the time in seconds, near Unix time; the first call may raise Unavailable.

        The first call of a boot writes; a later process needs only to read.
        """
        if self._offset is None:
            self._offset = self._shared_offset(self._boot())
        return self._since_boot() + self._offset

    def _shared_offset(self, boot: str) -> float:
        with self._database.reading() as connection:
            offset = self._recorded_offset(connection, boot)
        return self._agreed_offset(boot) if offset is None else offset

    def _agreed_offset(self, boot: str) -> float:
        with self._database.writing() as connection:
            offset = self._recorded_offset(connection, boot)
            if offset is None:
                offset = max(self._wall(), _latest_moment(connection)) - self._since_boot()
                connection.execute("DELETE FROM limit_clock")
                connection.execute("INSERT INTO limit_clock VALUES (?, ?)", (boot, offset))
        return offset

    def _recorded_offset(self, connection: sqlite3.Connection, boot: str) -> float | None:
        """Return this boot's offset; None if there is none, or if it would run backwards."""
        row = connection.execute(
            "SELECT offset FROM limit_clock WHERE boot = ?", (boot,)
        ).fetchone()
        if row is None or self._since_boot() + row["offset"] < _latest_moment(connection):
            return None
        return float(row["offset"])


def _latest_moment(connection: sqlite3.Connection) -> float:
    return float(connection.execute(_RECORDED_MOMENTS).fetchone()[0] or 0.0)
