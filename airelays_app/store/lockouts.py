"""Addresses that are blocked after failed attempts, and the credentials known to work from them.

Failures are counted as hits of a moving window (``limits``), keyed by address and by where the
request says it comes from: ``direct``, or a web ``page`` of another origin. A page can send
requests from its visitor's address; counting them apart keeps it from locking the visitor out.
A block of ``direct`` holds for both, a block of ``page`` for pages only.

Nobody gets more tries by trying at the same time: whoever presents a right credential for the
first time is let in by the same kind of transaction that counts a failure, so the outcome is
that of some order one after the other. From the moment at which the tries are used up until the
block ends, the full window or the block is there to be seen.
"""

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from limits import RateLimitItem, RateLimitItemPerSecond

from airelays_app.errors import Unavailable
from airelays_app.store.database import Database
from airelays_app.store.limit_storage import count_entries

Origin = Literal["direct", "page"]

_NAMESPACE = "failed-auth"
_REMEMBER_EVERY_SECONDS = 600.0
_RETRY_SECONDS = 30.0
_REMEMBERED_IN_PROCESS = 8192


@dataclass(frozen=True, slots=True)
class LockoutRule:
    """``max_attempts`` failures within ``window_seconds`` block for ``block_seconds``.

    A credential that worked from an address within ``known_seconds`` passes a block.
    """

    max_attempts: int = 8
    window_seconds: int = 300
    block_seconds: int = 900
    known_seconds: int = 86400

    def counter(self) -> RateLimitItem:
        """Return the limit to hit with ``(address, origin)`` for each failure."""
        return RateLimitItemPerSecond(self.max_attempts, self.window_seconds, _NAMESPACE)


@dataclass(frozen=True, slots=True)
class Lockout:
    """A blocked address and for how many more seconds."""

    address: str
    origin: Origin
    seconds_left: float


@dataclass(frozen=True, slots=True)
class LockoutTotals:
    """How many addresses have failures, uses or blocks on record, and how many are blocked."""

    tracked: int
    blocked: int


@dataclass(slots=True)
class _Remembered:
    known_until: float
    write_again_at: float


class Lockouts:
    """Blocks and known credentials, shared by all workers and kept across restarts.

    ``clock`` returns seconds on an axis that all processes share and that does not jump.
    Methods raise Unavailable when the database is down.
    """

    def __init__(
        self, database: Database, *, clock: Callable[[], float], rule: LockoutRule
    ) -> None:
        self._database = database
        self._clock = clock
        self._rule = rule
        self._counter = rule.counter()
        self._remembered: OrderedDict[tuple[str, str], _Remembered] = OrderedDict()
        self._remembered_lock = threading.Lock()

    def seconds_blocked(self, address: str, origin: Origin = "direct") -> float:
        """Return how long the block on this address still holds, 0.0 when there is none."""
        now = self._clock()
        with self._database.reading() as connection:
            return self._seconds_blocked(connection, address, origin=origin, now=now)

    def failures(self, address: str, origin: Origin = "direct") -> int:
        """Return how many failures count towards the next block."""
        now = self._clock()
        with self._database.reading() as connection:
            return count_entries(connection, self._counter.key_for(address, origin), now=now)

    def start(self, address: str, origin: Origin) -> float:
        """Block the address and return for how many seconds; one that holds is not made longer.

        The failures that led there stop counting when the block ends, not before: a guess that
        is on its way while the block is written must find the window full.
        """
        now = self._clock()
        with self._database.writing() as connection:
            connection.execute("DELETE FROM lockouts WHERE blocked_until <= ?", (now,))
            connection.execute(
                "INSERT OR IGNORE INTO lockouts VALUES (?, ?, ?, ?)",
                (address, origin, now, now + self._rule.block_seconds),
            )
            wait = self._seconds_blocked(connection, address, origin=origin, now=now)
            connection.execute(
                "UPDATE limit_entries SET expires_at = MIN(expires_at, ?) WHERE key = ?",
                (now + wait, self._counter.key_for(address, origin)),
            )
        return wait

    def admit(self, address: str, fingerprint: str, origin: Origin = "direct") -> float:
        """Let a right credential in: return 0.0, or the seconds for which it must wait.

        One that is known from this address always passes, and costs no database access within
        ten minutes of its last one; while the database cannot be written it passes too if this
        process remembers it or can still read it there.
        """
        now = self._clock()
        remembered = self._remembered.get((address, fingerprint))
        if remembered is not None and now < remembered.write_again_at:
            return 0.0
        try:
            return self._admit(address, fingerprint, origin=origin, now=now)
        except Unavailable:
            known_until = self._known_without_writing(address, fingerprint, remembered)
            if now >= known_until:
                raise
            self._remember(address, fingerprint, known_until, for_seconds=_RETRY_SECONDS)
            return 0.0

    def list(self) -> tuple[Lockout, ...]:
        """Return the blocks that hold now, the longest first."""
        now = self._clock()
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT address, origin, blocked_until FROM lockouts"
                " WHERE blocked_until > ? ORDER BY blocked_until DESC, address",
                (now,),
            ).fetchall()
        return tuple(
            Lockout(row["address"], row["origin"], row["blocked_until"] - now) for row in rows
        )

    def clear(self, address: str | None = None) -> int:
        """End the block of one address, or of all, with its counted failures; return how many."""
        where, values = ("", ()) if address is None else (" WHERE address = ?", (address,))
        prefix = f"{_NAMESPACE}/" if address is None else f"{_NAMESPACE}/{address}/"
        with self._database.writing() as connection:
            cleared = connection.execute(f"DELETE FROM lockouts{where}", values).rowcount  # noqa: S608 - constant
            connection.execute(
                "DELETE FROM limit_entries WHERE key >= ? AND key < ?",
                (prefix, f"{prefix[:-1]}0"),
            )
        return cleared

    def totals(self) -> LockoutTotals:
        """Count the addresses on record, those used within ``known_seconds`` included."""
        now = self._clock()
        with self._database.reading() as connection:
            blocked = connection.execute(
                "SELECT COUNT(DISTINCT address) FROM lockouts WHERE blocked_until > ?", (now,)
            ).fetchone()[0]
            tracked = connection.execute(
                """
                SELECT COUNT(*) FROM (
                    SELECT address FROM lockouts WHERE blocked_until > ?
                    UNION SELECT address FROM known_credentials WHERE last_used_at > ?
                )
                """,
                (now, now - self._rule.known_seconds),
            ).fetchone()[0]
        return LockoutTotals(tracked=tracked, blocked=blocked)

    def _admit(self, address: str, fingerprint: str, *, origin: Origin, now: float) -> float:
        with self._database.writing() as connection:
            wait = 0.0
            if now >= self._known_until(connection, address, fingerprint):
                wait = self._seconds_to_wait(connection, address, origin=origin, now=now)
            if not wait:
                self._note_use(connection, address, fingerprint=fingerprint, now=now)
        if not wait:
            known_until = now + self._rule.known_seconds
            self._remember(address, fingerprint, known_until, for_seconds=_REMEMBER_EVERY_SECONDS)
        return wait

    def _known_without_writing(
        self, address: str, fingerprint: str, remembered: _Remembered | None
    ) -> float:
        if remembered is not None:
            return remembered.known_until
        with self._database.reading() as connection:
            return self._known_until(connection, address, fingerprint)

    def _known_until(self, connection: sqlite3.Connection, address: str, fingerprint: str) -> float:
        """Return until when the credential is known from the address; long ago if it is not."""
        row = connection.execute(
            "SELECT last_used_at FROM known_credentials WHERE address = ? AND fingerprint = ?",
            (address, fingerprint),
        ).fetchone()
        return 0.0 if row is None else float(row["last_used_at"]) + self._rule.known_seconds

    def _note_use(
        self, connection: sqlite3.Connection, address: str, *, fingerprint: str, now: float
    ) -> None:
        connection.execute(
            "DELETE FROM known_credentials WHERE last_used_at <= ?",
            (now - self._rule.known_seconds,),
        )
        connection.execute(
            "INSERT OR REPLACE INTO known_credentials VALUES (?, ?, ?)", (address, fingerprint, now)
        )

    def _seconds_to_wait(
        self, connection: sqlite3.Connection, address: str, *, origin: Origin, now: float
    ) -> float:
        blocked = self._seconds_blocked(connection, address, origin=origin, now=now)
        if blocked:
            return blocked
        used_up = any(
            count_entries(connection, self._counter.key_for(address, each), now=now)
            >= self._rule.max_attempts
            for each in _holding_for(origin)
        )
        return float(self._rule.block_seconds) if used_up else 0.0

    def _seconds_blocked(
        self, connection: sqlite3.Connection, address: str, *, origin: Origin, now: float
    ) -> float:
        rows = connection.execute(
            "SELECT origin, blocked_until FROM lockouts WHERE address = ? AND blocked_until > ?",
            (address, now),
        ).fetchall()
        left = [row["blocked_until"] - now for row in rows if row["origin"] in _holding_for(origin)]
        return min(float(self._rule.block_seconds), max(left, default=0.0))

    def _remember(
        self, address: str, fingerprint: str, known_until: float, *, for_seconds: float
    ) -> None:
        """Let the credential pass for a while without a look at the database."""
        entry = _Remembered(known_until, min(self._clock() + for_seconds, known_until))
        with self._remembered_lock:
            self._remembered[address, fingerprint] = entry
            self._remembered.move_to_end((address, fingerprint))
            if len(self._remembered) > _REMEMBERED_IN_PROCESS:
                self._remembered.popitem(last=False)


def _holding_for(origin: Origin) -> tuple[Origin, ...]:
    return ("direct",) if origin == "direct" else ("direct", "page")
