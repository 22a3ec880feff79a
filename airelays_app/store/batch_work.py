"""What is left to do of batches: who runs them takes the requests from here, and ends them.

A result is written once, and only while its batch has not ended.
"""

import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from airelays_app.framing.jsontext import dumps, loads
from airelays_app.store.batches import BatchRequest
from airelays_app.store.database import Database

Json = dict[str, Any]
End = Literal["completed", "cancelled", "expired"]

GRACE_SECONDS = 900
"""How long providers may take to wind up what they run of a batch: OpenAI says ten minutes at most
(API reference, 2026-11-25)."""


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """What has to be known to go on with a batch that has not ended; moments are Unix seconds."""

    id: str
    owner: str
    endpoint: str
    status: str
    expires_at: int
    finalizing_at: int | None


class BatchWork:
    """The batches of all owners, as the relay runs them."""

    def __init__(self, database: Database) -> None:
        self._database = database

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


_OPEN_COLUMNS = ", ".join(f"b.{name}" for name in OpenBatch.__slots__)
_HAS_SUBMISSIONS = """
    EXISTS (SELECT 1 FROM batch_submissions s WHERE s.batch_id = b.id AND s.state != 'over')
"""
_HAS_PENDING = """
    EXISTS (SELECT 1 FROM batch_requests r
            WHERE r.batch_id = b.id AND r.status IS NULL AND r.submission IS NULL)
"""
_PATIENT_UNTIL = f"(COALESCE(b.cancelling_at, b.expires_at) + {GRACE_SECONDS})"
