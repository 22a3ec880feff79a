"""How long replies are kept: to an age, and to a total size; the oldest go first.

Removal happens in small steps between other writes, so that nobody waits for it.
"""

import sqlite3
import time
from dataclasses import dataclass

from airelays_app.store.database import Database

_PAUSE_SECONDS = 10.0
"""How often it is looked whether something has to go, while nothing had to."""

_STEP_ROWS = 20


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """The age in seconds, and the size in bytes of all together."""

    max_age_seconds: float
    max_bytes: int


class ResponseRetention:
    """Removes what is too old or too much; one thread calls :meth:`step`."""

    def __init__(self, database: Database, rule: RetentionRule) -> None:
        self._database = database
        self._rule = rule
        self._due = 0.0

    def step(self) -> bool:
        """Remove a few replies; tell whether there may be more to remove at once."""
        now = time.monotonic()
        if now < self._due:
            return False
        self._due = now + _PAUSE_SECONDS
        if not self._removed():
            return False
        self._due = now
        return True

    def sweep(self) -> None:
        """Remove all that has to go, in small steps."""
        while self._removed():
            continue

    def _removed(self) -> bool:
        with self._database.writing() as connection:
            return self._remove(connection) > 0

    def _remove(self, connection: sqlite3.Connection) -> int:
        old = connection.execute(
            "SELECT number FROM responses WHERE created_at <= ? ORDER BY created_at LIMIT ?",
            [time.time() - self._rule.max_age_seconds, _STEP_ROWS],
        ).fetchall()
        numbers = [row["number"] for row in old] or self._in_excess(connection)
        connection.executemany(
            "DELETE FROM responses WHERE number = ?", [(number,) for number in numbers]
        )
        return len(numbers)

    def _in_excess(self, connection: sqlite3.Connection) -> list[int]:
        """Return the oldest replies without which the rest is small enough, or some of them."""
        total = connection.execute("SELECT TOTAL(bytes) FROM responses").fetchone()[0]
        excess = total - self._rule.max_bytes
        oldest = connection.execute(
            """
            SELECT number, bytes FROM responses
            WHERE number NOT IN (SELECT response FROM response_runs) ORDER BY created_at LIMIT ?
            """,
            [_STEP_ROWS],
        )
        numbers: list[int] = []
        for row in oldest:
            if excess <= 0:
                break
            numbers.append(row["number"])
            excess -= row["bytes"]
        return numbers
