"""How long batches that have ended are kept, with all that was asked and answered in them.

Their files of results are uploads like others, and stay.
"""

import time

from airelays_app.store.database import Database

_STEP_ROWS = 500


class BatchRetention:
    """Removes batches that ended ``max_age_seconds`` ago."""

    def __init__(self, database: Database, *, max_age_seconds: float) -> None:
        self._database = database
        self._max_age_seconds = max_age_seconds

    def sweep(self) -> None:
        """Remove all that are too old, in small steps, so that nobody waits for it."""
        for batch_id in self._too_old():
            while self._removed_requests(batch_id):
                continue
            with self._database.writing() as connection:
                connection.execute("DELETE FROM batches WHERE id = ?", (batch_id,))

    def _too_old(self) -> list[str]:
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT id FROM batches "
                "WHERE COALESCE(completed_at, cancelled_at, expired_at, failed_at) <= ?",
                (time.time() - self._max_age_seconds,),
            ).fetchall()
        return [row["id"] for row in rows]

    def _removed_requests(self, batch_id: str) -> int:
        with self._database.writing() as connection:
            return connection.execute(
                "DELETE FROM batch_requests WHERE batch_id = ? AND position IN "
                "(SELECT position FROM batch_requests WHERE batch_id = ? LIMIT ?)",
                (batch_id, batch_id, _STEP_ROWS),
            ).rowcount
