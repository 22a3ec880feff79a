"""Batches and their requests: each request has one row, and its result is written once.

The states are OpenAI's (API reference, 2026-11-22): ``in_progress``, ``finalizing``, ``completed``,
``cancelling``, ``cancelled``, ``failed``, ``expired``.
"""

import json
import sqlite3
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from airelays_app.errors import NotFound
from airelays_app.framing.jsontext import dumps, loads
from airelays_app.ids import fresh_id
from airelays_app.store.database import Database
from airelays_app.store.paging import Page, checked_limit, page_of

Json = dict[str, Any]
End = Literal["completed", "cancelled", "expired"]
MOST_LISTED = 100

GRACE_SECONDS = 900
"""How long providers may take to wind up what they run of a batch: OpenAI says ten minutes at most
(API reference, 2026-11-25)."""

_RESULT_PAGE = 500


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """One line of a batch; ``position`` counts from 0."""

    position: int
    custom_id: str
    body: Json

    @property
    def model(self) -> str:
        """The model that it names; empty if it names none."""
        model = self.body.get("model")
        return model if isinstance(model, str) else ""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """How one request went: an HTTP status with a body."""

    position: int
    custom_id: str
    body: Json
    status: int
    response: Json


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch; moments are Unix seconds, None until they have come."""

    id: str
    owner: str
    endpoint: str
    input_file_id: str | None
    completion_window: str
    metadata: Mapping[str, Any]
    status: str
    created_at: int
    expires_at: int
    in_progress_at: int | None
    finalizing_at: int | None
    completed_at: int | None
    failed_at: int | None
    expired_at: int | None
    cancelling_at: int | None
    cancelled_at: int | None
    output_file_id: str | None
    error_file_id: str | None
    total: int
    completed: int
    failed: int


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """What has to be known to go on with a batch that has not ended; moments are Unix seconds."""

    id: str
    owner: str
    endpoint: str
    status: str
    expires_at: int
    finalizing_at: int | None


@dataclass(frozen=True, slots=True)
class Planned:
    """Requests, by their positions, that a provider is to run as one batch of its own."""

    provider: str
    model: str
    positions: frozenset[int]


class BatchStore:
    """The tables of batches; every batch is visible to its owner only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        requests: Sequence[BatchRequest],
        *,
        owner: str,
        endpoint: str,
        input_file_id: str | None,
        metadata: Mapping[str, Any],
        completion_window: str,
        window_seconds: int,
        planned: Sequence[Planned] = (),
    ) -> Batch:
        """Store a batch with its requests, ready to run, and who is to run them if it is others."""
        batch_id, now = fresh_id("batch"), int(time.time())
        submissions = {fresh_id("sub"): plan for plan in planned}
        by_position = {
            position: id_ for id_, plan in submissions.items() for position in plan.positions
        }
        with self._database.writing(durable=True) as connection:
            connection.execute(
                """
                INSERT INTO batches (id, owner, endpoint, input_file_id, metadata_json,
                                     completion_window, status, created_at, in_progress_at,
                                     expires_at)
                VALUES (?, ?, ?, ?, ?, ?, 'in_progress', ?, ?, ?)
                """,
                (
                    *(batch_id, owner, endpoint, input_file_id, json.dumps(dict(metadata))),
                    completion_window,
                    *(now, now, now + window_seconds),
                ),
            )
            connection.executemany(
                "INSERT INTO batch_submissions (id, batch_id, provider, model) VALUES (?, ?, ?, ?)",
                [(id_, batch_id, plan.provider, plan.model) for id_, plan in submissions.items()],
            )
            connection.executemany(
                "INSERT INTO batch_requests (batch_id, position, custom_id, body_json, model, "
                "submission) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (
                        *(batch_id, each.position, each.custom_id, dumps(each.body)),
                        *(each.model, by_position.get(each.position)),
                    )
                    for each in requests
                ),
            )
        return self.get(batch_id, owner)

    def get(self, batch_id: str, owner: str) -> Batch:
        """Return a batch; raises NotFound."""
        with self._database.reading() as connection:
            return _batch(_row_of(connection, batch_id, owner))

    def page(self, owner: str, *, limit: int, after: str | None) -> Page[Batch]:
        """Return the owner's batches, newest first, behind the id ``after``; raises NotFound."""
        checked_limit(limit, maximum=MOST_LISTED)
        with self._database.reading() as connection:
            before = _row_of(connection, after, owner)["sequence"] if after else None
            rows = connection.execute(
                f"{_SELECT} WHERE owner = ? AND (? IS NULL OR b.sequence < ?) "
                "ORDER BY b.sequence DESC LIMIT ?",
                (owner, before, before, limit + 1),
            ).fetchall()
        return page_of([(row["id"], _batch(row)) for row in rows], limit=limit)

    def cancel(self, batch_id: str, owner: str) -> Batch:
        """Start no more requests of a batch that runs; one that has ended stays as it is.

        What providers run of it is to be looked at now.
        """
        with self._database.writing(durable=True) as connection:
            _row_of(connection, batch_id, owner)
            connection.execute(
                "UPDATE batch_submissions SET look_at = 0 WHERE batch_id = ?", (batch_id,)
            )
            connection.execute(
                "UPDATE batches SET status = 'cancelling', cancelling_at = ? "
                "WHERE id = ? AND status = 'in_progress'",
                (int(time.time()), batch_id),
            )
        return self.get(batch_id, owner)

    def running(self) -> list[OpenBatch]:
        """Return the batches of all owners that have something to do for the relay, oldest first.

        One that has ended but for what providers still run waits for these, for as long as
        :data:`GRACE_SECONDS` after it has been cancelled or its time is over.
        """
        now = int(time.time())
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT {_OPEN_COLUMNS} FROM batches b "  # noqa: S608
                "WHERE b.status IN ('in_progress', 'finalizing', 'cancelling') "
                f"AND (b.status = 'finalizing' OR NOT {_HAS_SUBMISSIONS} OR ? >= {_PATIENT_UNTIL} "
                f"OR (b.status = 'in_progress' AND b.expires_at > ? AND {_HAS_PENDING})) "
                "ORDER BY b.sequence",
                (now, now),
            ).fetchall()
        return [OpenBatch(*row) for row in rows]

    def awaits_others(self, batch_id: str) -> bool:
        """Tell whether providers run requests of a batch that are still worth waiting for."""
        with self._database.reading() as connection:
            row = connection.execute(
                f"SELECT {_HAS_SUBMISSIONS} AND ? < {_PATIENT_UNTIL} FROM batches b "  # noqa: S608
                "WHERE b.id = ?",
                (int(time.time()), batch_id),
            ).fetchone()
        return bool(row[0])

    def pending(
        self, batch_id: str, *, limit: int, but_models: Collection[str] = ()
    ) -> list[BatchRequest]:
        """Return the next requests that the relay is to run, in their order.

        Those for the models ``but_models`` are passed over.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT position, custom_id, body_json FROM batch_requests "
                "WHERE batch_id = ? AND status IS NULL AND submission IS NULL "
                "AND model NOT IN (SELECT value FROM json_each(?)) ORDER BY position LIMIT ?",
                (batch_id, json.dumps(list(but_models)), limit),
            ).fetchall()
        return [BatchRequest(row[0], row[1], loads(row[2])) for row in rows]

    def finish_request(self, batch_id: str, position: int, *, status: int, response: Json) -> None:
        """Write the result of a request; the first one stays, and what comes after the end is lost.

        So the files of results and the results themselves say the same.
        """
        with self._database.writing(durable=True) as connection:
            connection.execute(
                "UPDATE batch_requests SET status = ?, response_json = ? "
                "WHERE batch_id = ? AND position = ? AND status IS NULL AND EXISTS "
                "(SELECT 1 FROM batches WHERE id = ? AND status IN ('in_progress', 'cancelling'))",
                (status, dumps(response), batch_id, position, batch_id),
            )

    def finish_rest(self, batch_id: str, *, status: int, response: Json) -> None:
        """Write the same result for all requests that have none."""
        with self._database.writing(durable=True) as connection:
            connection.execute(
                "UPDATE batch_requests SET status = ?, response_json = ? "
                "WHERE batch_id = ? AND status IS NULL",
                (status, dumps(response), batch_id),
            )

    def finalize(self, batch_id: str) -> OpenBatch | None:
        """Begin no request any more, and give up what providers still run.

        Returns the batch as it is then; None if it has ended.
        """
        with self._database.writing(durable=True) as connection:
            connection.execute(
                "UPDATE batch_submissions SET state = 'over' WHERE batch_id = ?", (batch_id,)
            )
            connection.execute(
                "UPDATE batches SET status = 'finalizing', finalizing_at = ? "
                "WHERE id = ? AND status = 'in_progress'",
                (int(time.time()), batch_id),
            )
            row = connection.execute(
                f"SELECT {_OPEN_COLUMNS} FROM batches b "  # noqa: S608
                "WHERE b.id = ? AND b.status IN ('finalizing', 'cancelling')",
                (batch_id,),
            ).fetchone()
        return OpenBatch(*row) if row else None

    def end(
        self, batch_id: str, status: End, *, output_file_id: str | None, error_file_id: str | None
    ) -> bool:
        """Write down the end and the files of results; false if another process has done so."""
        with self._database.writing(durable=True) as connection:
            cursor = connection.execute(
                f"UPDATE batches SET status = ?, {status}_at = ?, output_file_id = ?, "  # noqa: S608
                "error_file_id = ? WHERE id = ? AND status IN ('finalizing', 'cancelling')",
                (status, int(time.time()), output_file_id, error_file_id, batch_id),
            )
        return cursor.rowcount == 1

    def results(self, batch_id: str) -> Iterator[BatchResult]:
        """Yield the results there are, in the order of the requests."""
        after = -1
        while rows := self._result_rows(batch_id, after):
            for row in rows:
                yield BatchResult(row[0], row[1], loads(row[2]), row[3], loads(row[4]))
            after = rows[-1][0]

    def _result_rows(self, batch_id: str, after: int) -> list[sqlite3.Row]:
        with self._database.reading() as connection:
            return connection.execute(
                "SELECT position, custom_id, body_json, status, response_json FROM batch_requests "
                "WHERE batch_id = ? AND position > ? AND status IS NOT NULL "
                "ORDER BY position LIMIT ?",
                (batch_id, after, _RESULT_PAGE),
            ).fetchall()


_SELECT = """
    SELECT b.*,
           (SELECT COUNT(*) FROM batch_requests r WHERE r.batch_id = b.id) AS total,
           (SELECT COUNT(*) FROM batch_requests r
            WHERE r.batch_id = b.id AND r.status BETWEEN 200 AND 299) AS completed,
           (SELECT COUNT(*) FROM batch_requests r
            WHERE r.batch_id = b.id AND r.status NOT BETWEEN 200 AND 299) AS failed
    FROM batches b
"""


_OPEN_COLUMNS = ", ".join(f"b.{name}" for name in OpenBatch.__slots__)
_HAS_SUBMISSIONS = """
    EXISTS (SELECT 1 FROM batch_submissions s WHERE s.batch_id = b.id AND s.state != 'over')
"""
_HAS_PENDING = """
    EXISTS (SELECT 1 FROM batch_requests r
            WHERE r.batch_id = b.id AND r.status IS NULL AND r.submission IS NULL)
"""
_PATIENT_UNTIL = f"(COALESCE(b.cancelling_at, b.expires_at) + {GRACE_SECONDS})"


def _row_of(connection: sqlite3.Connection, batch_id: str, owner: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute(
        f"{_SELECT} WHERE b.id = ? AND b.owner = ?", (batch_id, owner)
    ).fetchone()
    if row is None:
        raise NotFound("There is no batch with this id.", param="batch_id")
    return row


def _batch(row: sqlite3.Row) -> Batch:
    known = {name: row[name] for name in row.keys() if name in Batch.__slots__}  # noqa: SIM118
    return Batch(**known, metadata=json.loads(row["metadata_json"]))
