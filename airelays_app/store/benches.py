"""Accounts that are left alone for a while, shared by all workers and kept across restarts.

A bench is for one model of an account, or for all that it has: then ``model`` is empty.

A bench only ever gets longer, until a call that was let through succeeds. ``probe_at`` is when the
next call may be let through to see whether the bench still holds: whoever moves it on has the call.
All moments are seconds of the steady clock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from airelays_app.store.database import Database

BenchKind = Literal["limit", "dead", "outage"]


@dataclass(frozen=True, slots=True)
class Bench:
    """What of a provider's account is left alone, why, and until when."""

    provider: str
    account: str
    model: str
    kind: BenchKind
    until: float
    probe_at: float


def is_due(bench: Bench, now: float, *, probe_after: float) -> bool:
    """Tell whether a call may be let through: one does every ``probe_after`` seconds.

    A later moment than that was written by a clock that has been set back since.
    """
    return bench.probe_at <= now or bench.probe_at > now + probe_after


class Benches:
    """The table of benches."""

    def __init__(self, database: Database, *, clock: Callable[[], float]) -> None:
        self._database = database
        self.clock = clock

    def held(self) -> list[Bench]:
        """Return the benches that hold now."""
        now = self.clock()
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT provider, account, model, kind, until, probe_at FROM benches "
                "WHERE until > ?",
                (now,),
            ).fetchall()
        return [Bench(*row) for row in rows]

    def extend(
        self,
        provider: str,
        account: str,
        model: str,
        *,
        kind: BenchKind,
        seconds: float,
        probe_after: float,
    ) -> None:
        """Leave something alone for ``seconds`` from now; a longer bench stays as it is."""
        now = self.clock()
        with self._database.writing() as connection:
            connection.execute("DELETE FROM benches WHERE until <= ?", (now,))
            connection.execute(
                """
                INSERT INTO benches (provider, account, model, kind, until, probe_at)
                VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (provider, account, model) DO UPDATE SET
                    kind = CASE WHEN excluded.until > until THEN excluded.kind ELSE kind END,
                    probe_at = MAX(probe_at, excluded.probe_at),
                    until = MAX(until, excluded.until)
                """,
                (provider, account, model, kind, now + seconds, now + min(probe_after, seconds)),
            )

    def claim_probe(self, bench: Bench, *, probe_after: float) -> bool:
        """Take the next call to what is benched; true for one caller when it is due."""
        now = self.clock()
        with self._database.writing() as connection:
            claimed = connection.execute(
                "UPDATE benches SET probe_at = ? "
                "WHERE provider = ? AND account = ? AND model = ? AND probe_at = ?",
                (now + probe_after, bench.provider, bench.account, bench.model, bench.probe_at),
            )
        return claimed.rowcount == 1

    def release(self, bench: Bench) -> None:
        """Forget a bench, unless it has become longer since it was read."""
        with self._database.writing() as connection:
            connection.execute(
                "DELETE FROM benches "
                "WHERE provider = ? AND account = ? AND model = ? AND until = ?",
                (bench.provider, bench.account, bench.model, bench.until),
            )
