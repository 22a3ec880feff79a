"""Work that one process of a data directory does for all: who has it, and until when.

A lease names the process that holds it. A killed holder loses it at once, because the next one who
asks sees that it is gone; where that cannot be seen it ends when it is not renewed.
"""

from sqlite3 import Row

from airelays_app.store.database import Database
from airelays_app.store.process_identity import is_gone, own_identity
from airelays_app.store.steady_clock import seconds_since_boot

LEASE_SECONDS = 30.0
"""How long a lease holds without being renewed."""


class Lease:
    """One kind of work, by its ``name``."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name

    def take(self) -> bool:
        """Take the work, or keep it for another while; false while another process has it."""
        now, own = seconds_since_boot(), own_identity()
        with self._database.writing() as connection:
            row = connection.execute(
                "SELECT holder, expires_at FROM leases WHERE name = ?", (self._name,)
            ).fetchone()
            if row is not None and row["holder"] != own and not is_free(row, now):
                return False
            connection.execute(
                "INSERT OR REPLACE INTO leases VALUES (?, ?, ?)",
                (self._name, own, now + LEASE_SECONDS),
            )
        return True

    def release(self) -> None:
        """Let another process have the work at once."""
        with self._database.writing() as connection:
            connection.execute(
                "DELETE FROM leases WHERE name = ? AND holder = ?", (self._name, own_identity())
            )


def is_free(row: Row, now: float) -> bool:
    """Tell whether what the row's ``holder`` held until ``expires_at`` is free ``now``.

    An end too far ahead is one of an earlier boot.
    """
    expires_at = float(row["expires_at"])
    return now >= expires_at or expires_at > now + 2 * LEASE_SECONDS or is_gone(row["holder"])
