"""What providers run of batches, each as a batch of their own: a row for each such submission.

Its states: ``planned``; ``sending``, from before the provider is told until its answer is written
down, so that a crash in between is seen afterwards; ``running`` with the provider's own id;
``over``. A result is written once, and only while the submission is not over.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from airelays_app.framing.jsontext import dumps, loads
from airelays_app.ids import fresh_id
from airelays_app.store.batches import BatchRequest
from airelays_app.store.database import Database

Json = dict[str, Any]
State = Literal["planned", "sending", "running"]

_REQUEST_PAGE = 200
_FURTHEST_SECONDS = 12 * 3600


@dataclass(frozen=True, slots=True)
class Submission:
    """One that is not over; moments are Unix seconds.

    ``owner`` is the batch's. ``size`` counts the requests that were sent, ``looks`` how often it
    was looked at since. ``is_unwanted`` says that its batch has been cancelled or is out of time,
    ``is_called_off`` that the provider knows.
    """

    id: str
    batch_id: str
    owner: str
    endpoint: str
    provider: str
    account: str
    model: str
    state: State
    native_id: str | None
    size: int
    sent_at: int | None
    looks: int
    is_unwanted: bool
    is_called_off: bool


@dataclass(frozen=True, slots=True)
class Result:
    """How one request of a submission went."""

    position: int
    status: int
    response: Json


class SubmissionStore:
    """The submissions of all batches."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, *, limit: int = 100) -> list[Submission]:
        """Return those that have something to do now, the longest waiting first.

        A moment too far ahead is one from before the clock was set back.
        """
        now = int(time.time())
        with self._database.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} AND (s.look_at <= ? OR s.look_at > ?) "
                "ORDER BY s.look_at, s.sequence LIMIT ?",
                (now, now, now + _FURTHEST_SECONDS, limit),
            ).fetchall()
        return [_submission(row) for row in rows]

    def get(self, submission_id: str) -> Submission | None:
        """Return one as it is now; None once it is over."""
        with self._database.reading() as connection:
            row = connection.execute(
                f"{_SELECT} AND s.id = ?", (int(time.time()), submission_id)
            ).fetchone()
        return _submission(row) if row else None

    def requests(self, submission_id: str) -> Iterator[BatchRequest]:
        """Yield its requests without result, in their order."""
        after = -1
        while rows := self._request_rows(submission_id, after):
            yield from (BatchRequest(row[0], row[1], loads(row[2])) for row in rows)
            after = rows[-1][0]

    def request(self, submission: Submission, position: int) -> BatchRequest | None:
        """Return one of its requests; None if it is not one of those without result."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT position, custom_id, body_json FROM batch_requests WHERE batch_id = ? "
                "AND position = ? AND submission = ? AND status IS NULL",
                (submission.batch_id, position, submission.id),
            ).fetchone()
        return BatchRequest(row[0], row[1], loads(row[2])) if row else None

    def split(self, submission: Submission, *, at: int) -> None:
        """Give its requests from a position on to a submission of their own."""
        further = fresh_id("sub")
        with self._database.writing(durable=True) as connection:
            connection.execute(
                "INSERT INTO batch_submissions (id, batch_id, provider, model) VALUES (?, ?, ?, ?)",
                (further, submission.batch_id, submission.provider, submission.model),
            )
            connection.execute(
                "UPDATE batch_requests SET submission = ? WHERE submission = ? AND position >= ?",
                (further, submission.id, at),
            )

    def leave(self, submission: Submission, positions: Sequence[int]) -> None:
        """Have the relay run these requests."""
        if not positions:
            return
        with self._database.writing(durable=True) as connection:
            connection.executemany(
                "UPDATE batch_requests SET submission = NULL "
                "WHERE submission = ? AND position = ? AND status IS NULL",
                [(submission.id, position) for position in positions],
            )

    def sending(self, submission: Submission, *, account: str, size: int, look_at: float) -> bool:
        """Write down that it is about to be sent; false if it is not any more as it was read."""
        with self._database.writing(durable=True) as connection:
            cursor = connection.execute(
                "UPDATE batch_submissions SET state = 'sending', account = ?, size = ?, "
                "sent_at = ?, look_at = ?, looks = 0 WHERE id = ? AND state = ? AND sent_at IS ?",
                (
                    *(account, size, int(time.time()), int(look_at)),
                    *(submission.id, submission.state, submission.sent_at),
                ),
            )
        return cursor.rowcount == 1

    def sent(self, submission: Submission, native_id: str, *, look_at: float) -> bool:
        """Write down the provider's id; false if somebody else has seen to it meanwhile."""
        with self._database.writing(durable=True) as connection:
            cursor = connection.execute(
                "UPDATE batch_submissions SET state = 'running', native_id = ?, look_at = ? "
                "WHERE id = ? AND state = 'sending'",
                (native_id, int(look_at), submission.id),
            )
        return cursor.rowcount == 1

    def plan_again(self, submission: Submission, *, look_at: float) -> None:
        """Write down that it was not taken, and when to try again."""
        self._update(submission, "state = 'planned', look_at = ?", (int(look_at),))

    def hold_back(self, submission: Submission, *, look_at: float) -> None:
        """Try none of the same provider and model earlier."""
        with self._database.writing(durable=True) as connection:
            connection.execute(
                "UPDATE batch_submissions SET look_at = MAX(look_at, ?) "
                "WHERE provider = ? AND model = ? AND state = 'planned' "
                "AND batch_id IN (SELECT id FROM batches WHERE status = 'in_progress')",
                (int(look_at), submission.provider, submission.model),
            )

    def look_later(self, submission: Submission, *, look_at: float) -> None:
        """Write down when to look next."""
        self._update(submission, "looks = looks + 1, look_at = ?", (int(look_at),))

    def call_off(self, submission: Submission, *, look_at: float) -> None:
        """Write down that the provider knows that it is not wanted any more."""
        self._update(submission, "is_called_off = 1, looks = 0, look_at = ?", (int(look_at),))

    def finish(self, submission: Submission, results: Sequence[Result]) -> set[int]:
        """Write results, each the first of its request; return the positions written."""
        with self._database.writing(durable=True) as connection:
            return {each.position for each in results if _is_written(connection, submission, each)}

    def close(self, submission: Submission, *, leave: bool = False) -> None:
        """Be done with it; ``leave`` has the relay run what has no result."""
        with self._database.writing(durable=True) as connection:
            if leave:
                connection.execute(
                    "UPDATE batch_requests SET submission = NULL "
                    "WHERE submission = ? AND status IS NULL",
                    (submission.id,),
                )
            connection.execute(
                "UPDATE batch_submissions SET state = 'over' WHERE id = ?", (submission.id,)
            )

    def known_ids(self, submission: Submission) -> frozenset[str]:
        """Return the ids of the other batches that the account has been given."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT native_id FROM batch_submissions WHERE provider = ? AND account = ? "
                "AND native_id IS NOT NULL AND id != ?",
                (submission.provider, submission.account, submission.id),
            ).fetchall()
        return frozenset(row[0] for row in rows)

    def _update(self, submission: Submission, setting: str, values: Sequence[object]) -> None:
        with self._database.writing(durable=True) as connection:
            connection.execute(
                f"UPDATE batch_submissions SET {setting} "  # noqa: S608
                "WHERE id = ? AND state != 'over'",
                (*values, submission.id),
            )

    def _request_rows(self, submission_id: str, after: int) -> list[sqlite3.Row]:
        with self._database.reading() as connection:
            return connection.execute(
                "SELECT position, custom_id, body_json FROM batch_requests "
                "WHERE submission = ? AND position > ? AND status IS NULL "
                "ORDER BY position LIMIT ?",
                (submission_id, after, _REQUEST_PAGE),
            ).fetchall()


_SELECT = """
    SELECT s.*, b.owner, b.endpoint, (b.status != 'in_progress' OR b.expires_at <= ?) AS is_unwanted
    FROM batch_submissions s JOIN batches b ON b.id = s.batch_id
    WHERE s.state IN ('planned', 'sending', 'running')
"""


def _submission(row: sqlite3.Row) -> Submission:
    known = {name: row[name] for name in Submission.__slots__}
    flags = {name: bool(row[name]) for name in ("is_unwanted", "is_called_off")}
    return Submission(**{**known, **flags})


def _is_written(connection: sqlite3.Connection, submission: Submission, result: Result) -> bool:
    cursor = connection.execute(
        "UPDATE batch_requests SET status = ?, response_json = ? "
        "WHERE batch_id = ? AND position = ? AND submission = ? AND status IS NULL "
        "AND EXISTS (SELECT 1 FROM batch_submissions WHERE id = ? AND state != 'over')",
        (
            *(result.status, dumps(result.response)),
            *(submission.batch_id, result.position, submission.id, submission.id),
        ),
    )
    return cursor.rowcount == 1
