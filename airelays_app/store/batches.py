"""Batches and their requests: each request has one row, and its result is written once.

The states are OpenAI's (API reference, 2026-11-22): ``in_progress``, ``finalizing``, ``completed``,
``cancelling``, ``cancelled``, ``failed``, ``expired``.
"""

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airelays_app.errors import NotFound
from airelays_app.framing.jsontext import dumps, loads
from airelays_app.ids import fresh_id
from airelays_app.store.database import Database
from airelays_app.store.metadata import checked_metadata
from airelays_app.store.paging import Page, checked_limit, page_of

Json = dict[str, Any]
MOST_LISTED = 100

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
        """Store a batch with its requests, ready to run, and who is to run them if it is others.

        Raises Unprocessable for metadata that passes a limit.
        """
        batch_id, now = fresh_id("batch"), int(time.time())
        row = {
            "id": batch_id,
            "owner": owner,
            "endpoint": endpoint,
            "input_file_id": input_file_id,
            "metadata_json": json.dumps(checked_metadata(metadata)),
            "completion_window": completion_window,
            "created_at": now,
            "expires_at": now + window_seconds,
        }
        with self._database.writing(durable=True) as connection:
            connection.execute(
                """
                INSERT INTO batches (id, owner, endpoint, input_file_id, metadata_json,
                                     completion_window, status, created_at, in_progress_at,
                                     expires_at)
                VALUES (:id, :owner, :endpoint, :input_file_id, :metadata_json,
                        :completion_window, 'in_progress', :created_at, :created_at, :expires_at)
                """,
                row,
            )
            submission_of = _add_submissions(connection, batch_id, planned)
            _add_requests(connection, batch_id, requests, submission_of)
        return self.get(batch_id, owner)

    def get(self, batch_id: str, owner: str) -> Batch:
        """Return a batch; raises NotFound."""
        with self._database.reading() as connection:
            return _batch(_row_of(connection, batch_id, owner))

    def page(self, owner: str, *, limit: int, after: str | None) -> Page[Batch]:
        """Return the owner's batches, and nobody's, newest first, behind the id ``after``.

        Raises NotFound.
        """
        checked_limit(limit, maximum=MOST_LISTED)
        with self._database.reading() as connection:
            before = _row_of(connection, after, owner)["sequence"] if after else None
            rows = connection.execute(
                f"{_SELECT} WHERE owner IN ('', ?) AND (? IS NULL OR b.sequence < ?) "
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


def _add_submissions(
    connection: sqlite3.Connection, batch_id: str, planned: Sequence[Planned]
) -> dict[int, str]:
    """Write what providers are to run; return the submission of each of those requests."""
    submissions = {fresh_id("sub"): plan for plan in planned}
    connection.executemany(
        "INSERT INTO batch_submissions (id, batch_id, provider, model) VALUES (?, ?, ?, ?)",
        [(id_, batch_id, plan.provider, plan.model) for id_, plan in submissions.items()],
    )
    return {position: id_ for id_, plan in submissions.items() for position in plan.positions}


def _add_requests(
    connection: sqlite3.Connection,
    batch_id: str,
    requests: Sequence[BatchRequest],
    submission_of: Mapping[int, str],
) -> None:
    def row(each: BatchRequest) -> tuple[object, ...]:
        place = batch_id, each.position, each.custom_id
        return *place, dumps(each.body), each.model, submission_of.get(each.position)

    connection.executemany(
        """
        INSERT INTO batch_requests (batch_id, position, custom_id, body_json, model, submission)
        VALUES (?, ?, ?, ?, ?, ?)
        """,
        map(row, requests),
    )


_SELECT = """
    SELECT b.*,
           (SELECT COUNT(*) FROM batch_requests r WHERE r.batch_id = b.id) AS total,
           (SELECT COUNT(*) FROM batch_requests r
            WHERE r.batch_id = b.id AND r.status BETWEEN 200 AND 299) AS completed,
           (SELECT COUNT(*) FROM batch_requests r
            WHERE r.batch_id = b.id AND r.status NOT BETWEEN 200 AND 299) AS failed
    FROM batches b
"""


def _row_of(connection: sqlite3.Connection, batch_id: str, owner: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute(
        f"{_SELECT} WHERE b.id = ? AND b.owner IN ('', ?)", (batch_id, owner)
    ).fetchone()
    if row is None:
        raise NotFound("There is no batch with this id.", param="batch_id")
    return row


def _batch(row: sqlite3.Row) -> Batch:
    known = {name: row[name] for name in row.keys() if name in Batch.__slots__}  # noqa: SIM118
    return Batch(**known, metadata=json.loads(row["metadata_json"]))
