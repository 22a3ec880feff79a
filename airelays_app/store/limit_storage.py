"""Storage for ``limits`` and flask-limiter in the relay's own database.

Counts are shared by all workers and outlive restarts. Registered under ``airelays+sqlite://``;
the database and the clock are handed over as storage options. Whatever is wrong with the disk
or the database reaches the caller as :class:`~airelays_app.errors.Unavailable`.
"""

import sqlite3
from collections.abc import Callable

from limits.storage import MovingWindowSupport, Storage

from airelays_app.errors import Unavailable
from airelays_app.store.database import Database
from airelays_app.store.token_bucket import Bucket, Grant, refilled, withdraw

SCHEME = "airelays+sqlite"
_FORGET_EVERY = 256


class SqliteLimitStorage(Storage, MovingWindowSupport):
    """Fixed windows, moving windows and token buckets as rows.

    An entry of a moving window counts while it is younger than the window; ``clock`` returns
    seconds on an axis that all processes share.
    """

    STORAGE_SCHEME = [SCHEME]

    def __init__(
        self,
        uri: str | None = None,
        wrap_exceptions: bool = False,  # noqa: FBT001, FBT002 - the signature of limits
        *,
        database: Database,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._database = database
        self._clock = clock
        self._takes = 0

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """What the storage raises when it is down."""
        return (sqlite3.Error, Unavailable)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a counter that starts anew ``expiry`` seconds after its first use."""
        now = self._clock()
        with self._database.writing() as connection:
            connection.execute("DELETE FROM limit_counters WHERE expires_at <= ?", (now,))
            row = connection.execute(
                """
                INSERT INTO limit_counters VALUES (?, ?, ?)
                ON CONFLICT (key) DO UPDATE SET value = value + excluded.value
                RETURNING value
                """,
                (key, amount, now + expiry),
            ).fetchone()
        return int(row["value"])

    def get(self, key: str) -> int:
        """Return a counter's value, 0 when it has run out."""
        now = self._clock()
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT value FROM limit_counters WHERE key = ? AND expires_at > ?", (key, now)
            ).fetchone()
        return 0 if row is None else int(row["value"])

    def get_expiry(self, key: str) -> float:
        """Return when a counter runs out; now, when there is none."""
        now = self._clock()
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT expires_at FROM limit_counters WHERE key = ?", (key,)
            ).fetchone()
        return now if row is None else max(now, float(row["expires_at"]))

    def check(self) -> bool:
        """Return whether the storage answers."""
        try:
            with self._database.reading() as connection:
                connection.execute("SELECT 1 FROM limit_counters LIMIT 1").fetchone()
        except Unavailable:
            return False
        return True

    def reset(self) -> int:
        """Forget every count and return how many there were."""
        with self._database.writing() as connection:
            return sum(
                connection.execute(f"DELETE FROM {table}").rowcount  # noqa: S608 - names of ours
                for table in ("limit_counters", "limit_entries", "limit_buckets")
            )

    def clear(self, key: str) -> None:
        """Forget what is counted under ``key``."""
        with self._database.writing() as connection:
            for table in ("limit_counters", "limit_entries", "limit_buckets"):
                connection.execute(
                    f"DELETE FROM {table} WHERE key = ?",  # noqa: S608 - names of ours
                    (key,),
                )

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count ``amount`` hits unless more than ``limit`` would lie within ``expiry`` seconds."""
        now = self._clock()
        with self._database.writing() as connection:
            connection.execute("DELETE FROM limit_entries WHERE expires_at <= ?", (now,))
            if count_entries(connection, key, now=now) + amount > limit:
                return False
            connection.executemany(
                "INSERT INTO limit_entries VALUES (?, ?, ?)", [(key, now, now + expiry)] * amount
            )
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002 - the signature of limits
        """Return when the oldest counted hit was, and how many are counted."""
        now = self._clock()
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT MIN(at), COUNT(*) FROM limit_entries WHERE key = ? AND expires_at > ?",
                (key, now),
            ).fetchone()
        return (now if row[0] is None else float(row[0])), int(row[1])

    def take_tokens(self, key: str, bucket: Bucket, *, wanted: int, returned: int) -> Grant:
        """Withdraw up to ``wanted`` tokens from the bucket ``key``, after giving some back.

        One short transaction. Nothing is kept of a bucket that has had time to fill up.
        """
        now = self._clock()
        with self._database.writing() as connection:
            self._forget_full_buckets(connection, now)
            level = _level(connection, key, bucket, now)
            grant = withdraw(min(bucket.capacity, level + returned), bucket, wanted=wanted)
            full_at = now + (bucket.capacity - grant.left) / bucket.per_second
            connection.execute(
                "INSERT OR REPLACE INTO limit_buckets VALUES (?, ?, ?, ?)",
                (key, grant.left, now, full_at),
            )
        return grant

    def tokens_left(self, key: str, bucket: Bucket) -> float:
        """Return how many tokens the bucket holds now."""
        now = self._clock()
        with self._database.reading() as connection:
            return _level(connection, key, bucket, now)

    def _forget_full_buckets(self, connection: sqlite3.Connection, now: float) -> None:
        self._takes += 1
        if self._takes % _FORGET_EVERY == 1:
            connection.execute("DELETE FROM limit_buckets WHERE full_at <= ?", (now,))


def count_entries(connection: sqlite3.Connection, key: str, *, now: float) -> int:
    """Return how many hits of a moving window still count."""
    row = connection.execute(
        "SELECT COUNT(*) FROM limit_entries WHERE key = ? AND expires_at > ?", (key, now)
    ).fetchone()
    return int(row[0])


def _level(connection: sqlite3.Connection, key: str, bucket: Bucket, now: float) -> float:
    row = connection.execute(
        "SELECT tokens, updated_at FROM limit_buckets WHERE key = ?", (key,)
    ).fetchone()
    if row is None:
        return float(bucket.capacity)
    return refilled(row["tokens"], bucket, seconds=now - row["updated_at"])
