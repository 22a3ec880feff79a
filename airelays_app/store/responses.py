"""Replies that are kept by the relay itself: what was asked, what was answered, by owner.

An owner is the name of a credential; nothing of one owner is ever found for another. What was made
without a credential has the empty name, and is found for all. A reply whose writing nobody waited
for may be looked for before it is written, so whoever finds nothing looks again for a moment.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from airelays_app.errors import NotFound, TooLarge
from airelays_app.framing import jsontext
from airelays_app.store.batch_writer import BatchWriter, Pending
from airelays_app.store.database import Database
from airelays_app.store.item_ids import number_in, searchable

T = TypeVar("T")

_FOUND = """
    SELECT number, id, status, previous_id, created_at, input_json, response_json
    FROM responses WHERE owner IN ('', ?) AND created_at > ?
"""
_LOOK_AGAIN_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
"""Pauses between looks for something that may be on its way; other processes write in batches."""


@dataclass(frozen=True, slots=True)
class NewResponse:
    """A reply to keep; ids are of printable ASCII, ``created_at`` is in Unix seconds.

    ``input_json`` is what was said, in any form that ``input`` may have; ``item_ids`` are the ids
    under which its items can be referred to.
    """

    owner: str
    id: str
    status: str
    previous_id: str | None
    created_at: int
    input_json: bytes
    response_json: bytes
    item_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A reply that was kept; ``number`` is unique among all owners and never used again."""

    number: int
    id: str
    status: str
    previous_id: str | None
    created_at: int
    input_json: bytes
    response_json: bytes


class ResponseStore:
    """All kept replies of one database, safe for many threads and processes.

    A reply older than ``max_age_seconds`` is not found, whether it is still there or not.
    """

    def __init__(self, database: Database, writer: BatchWriter, *, max_age_seconds: float) -> None:
        self._database = database
        self._writer = writer
        self._max_age = max_age_seconds

    def add(self, new: NewResponse, *, durable: bool) -> Pending:
        """Queue a reply to be kept, in the place of one with its id; wait if it is ``durable``."""
        size = len(new.input_json) + len(new.response_json)
        return self._writer.submit(
            lambda connection: insert(connection, new), size=size, durable=durable
        )

    def get(self, owner: str, response_id: str) -> StoredResponse:
        """Return a reply; raises NotFound."""
        found = self._eventually(
            lambda connection: self._one(connection, owner, response_id), enough=_is_there
        )
        if found is None:
            raise not_found()
        return found

    def delete(self, owner: str, response_id: str) -> None:
        """Forget a reply; raises NotFound."""
        number = self.get(owner, response_id).number
        with self._database.writing(durable=True) as connection:
            connection.execute("DELETE FROM responses WHERE number = ?", [number])

    def chain(self, owner: str, response_id: str, *, max_bytes: int) -> list[StoredResponse]:
        """Return a reply and those before it that it continues, the oldest first.

        Raises NotFound if one of them is gone, TooLarge if together they have more than
        ``max_bytes``.
        """
        found = self._eventually(
            lambda connection: self._chain(connection, owner, response_id, max_bytes),
            enough=_is_there,
        )
        if found is None:
            raise not_found()
        return found

    def holders(
        self, owner: str, item_ids: Iterable[str], *, max_bytes: int
    ) -> dict[str, StoredResponse]:
        """Return the replies that have the items, by item id; unknown ones are left out.

        Raises TooLarge if together they have more than ``max_bytes``.
        """
        wanted = list(map(searchable, item_ids))
        return self._eventually(
            lambda connection: self._holders(connection, owner, wanted, max_bytes),
            enough=lambda found: all(item_id in found for item_id in wanted),
        )

    def count(self) -> int:
        """Return how many replies are kept."""
        with self._database.reading() as connection:
            return int(connection.execute("SELECT COUNT(*) FROM responses").fetchone()[0])

    def _one(
        self, connection: sqlite3.Connection, owner: str, response_id: str
    ) -> StoredResponse | None:
        row = connection.execute(
            f"{_FOUND} AND id = ?", [owner, self._oldest(), searchable(response_id)]
        ).fetchone()
        return None if row is None else StoredResponse(*row)

    def _numbered(
        self, connection: sqlite3.Connection, owner: str, number: int
    ) -> StoredResponse | None:
        row = connection.execute(
            f"{_FOUND} AND number = ?", [owner, self._oldest(), number]
        ).fetchone()
        return None if row is None else StoredResponse(*row)

    def _holders(
        self, connection: sqlite3.Connection, owner: str, item_ids: Sequence[str], max_bytes: int
    ) -> dict[str, StoredResponse]:
        number_of = _numbers(connection, owner, item_ids)
        found: dict[int, StoredResponse] = {}
        for number in set(number_of.values()):
            response = self._numbered(connection, owner, number)
            if response is not None:
                max_bytes = _left(max_bytes, response)
                found[number] = response
        return {id_: found[number] for id_, number in number_of.items() if number in found}

    def _chain(
        self, connection: sqlite3.Connection, owner: str, response_id: str, max_bytes: int
    ) -> list[StoredResponse] | None:
        found: dict[str, StoredResponse] = {}
        next_id: str | None = response_id
        while next_id is not None and next_id not in found:
            response = self._one(connection, owner, next_id)
            if response is None:
                return None
            max_bytes = _left(max_bytes, response)
            found[next_id] = response
            next_id = response.previous_id
        return list(reversed(found.values()))

    def _oldest(self) -> float:
        return time.time() - self._max_age

    def _eventually(
        self, look: Callable[[sqlite3.Connection], T], *, enough: Callable[[T], bool]
    ) -> T:
        """Return what ``look`` finds, looking again for a moment while it is not ``enough``."""
        for pause in _LOOK_AGAIN_SECONDS:
            with self._database.reading() as connection:
                found = look(connection)
            if enough(found):
                return found
            self._writer.hurry()
            time.sleep(pause)
        with self._database.reading() as connection:
            return look(connection)


def _is_there(found: object) -> bool:
    return found is not None


def not_found() -> NotFound:
    """Return the error for a reply that there is not, or not for this owner."""
    return NotFound("There is no response with this id.", param="response_id")


def _left(max_bytes: int, response: StoredResponse) -> int:
    left = max_bytes - len(response.input_json) - len(response.response_json)
    if left < 0:
        raise TooLarge("The stored responses that this refers to are too large to be sent again.")
    return left


def insert(connection: sqlite3.Connection, new: NewResponse) -> int:
    """Write a reply in the place of one with its id, and return its number."""
    size = len(new.input_json) + len(new.response_json)
    connection.execute(
        """
        INSERT INTO responses
        (owner, id, status, previous_id, created_at, bytes, input_json, response_json)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (owner, id) DO UPDATE SET status = excluded.status,
        previous_id = excluded.previous_id, created_at = excluded.created_at,
        bytes = excluded.bytes, input_json = excluded.input_json,
        response_json = excluded.response_json
        """,
        [
            new.owner,
            new.id,
            new.status,
            new.previous_id,
            new.created_at,
            size,
            new.input_json,
            new.response_json,
        ],
    )
    row = connection.execute(
        "SELECT number FROM responses WHERE owner = ? AND id = ?", [new.owner, new.id]
    ).fetchone()
    add_items(connection, row["number"], new.item_ids)
    return int(row["number"])


def add_items(connection: sqlite3.Connection, number: int, item_ids: Iterable[str]) -> None:
    """Let the items be found at the reply; the latest that has an item is where it is found."""
    connection.executemany(
        """
        INSERT OR REPLACE INTO response_items
        SELECT owner, ?, number FROM responses WHERE number = ?
        """,
        [(item_id, number) for item_id in item_ids],
    )


def _numbers(connection: sqlite3.Connection, owner: str, item_ids: Sequence[str]) -> dict[str, int]:
    """Return the numbers of the replies that have the items, by item id."""
    rows = connection.execute(
        """
        SELECT item_id, response FROM response_items
        WHERE owner IN ('', ?) AND item_id IN (SELECT value FROM json_each(?)) ORDER BY owner
        """,
        [owner, jsontext.dumps(item_ids).decode()],
    )
    in_ids = {id_: number for id_ in item_ids if (number := number_in(id_)) is not None}
    return {**in_ids, **{row["item_id"]: row["response"] for row in rows}}
