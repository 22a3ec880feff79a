"""Conversations kept by the relay itself: metadata, items in order, one turn at a time.

Items are stored as they came, with an id. What an upstream must not get back (its own ids,
reasoning without its seal) is left out by whoever replays them.
"""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from airelays_app.errors import NotFound
from airelays_app.framing import jsontext
from airelays_app.ids import fresh_id
from airelays_app.store import conversation_items
from airelays_app.store.conversation_items import Item
from airelays_app.store.conversation_turns import TurnLock, refuse_if_locked
from airelays_app.store.database import Database
from airelays_app.store.item_ids import searchable
from airelays_app.store.metadata import checked_metadata, merged_metadata
from airelays_app.store.paging import Order, Page

DEFAULT_HISTORY_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation without its items; times are in Unix seconds."""

    id: str
    owner: str | None
    metadata: dict[str, str]
    latest_response_id: str | None
    created_at: int
    updated_at: int


class ConversationStore:
    """All conversations of one database, safe for many threads and processes.

    Every method that takes an id raises NotFound when there is no such conversation; every
    method raises Unavailable when the database fails. ``owner`` is who asks: what has another
    owner is not found. A history of more than ``max_history_bytes`` is never read.
    """

    def __init__(
        self, database: Database, *, max_history_bytes: int = DEFAULT_HISTORY_BYTES
    ) -> None:
        self._database = database
        self._max_history_bytes = max_history_bytes

    def create(
        self,
        *,
        metadata: Mapping[str, str] | None = None,
        items: Sequence[Item] = (),
        owner: str | None = None,
    ) -> Conversation:
        """Begin a conversation with ``items``; raises Unprocessable for what is not one."""
        now = int(time.time())
        kept = checked_metadata(metadata or {})
        conversation_items.offered(items)
        conversation_id = fresh_id("conv")
        with self._database.writing(durable=True) as connection:
            connection.execute(
                "INSERT INTO conversations VALUES (?, ?, ?, NULL, ?, ?, 0)",
                [conversation_id, owner, jsontext.dumps(kept).decode(), now, now],
            )
            conversation_items.append(connection, conversation_id, items, now=now)
        return Conversation(
            id=conversation_id,
            owner=owner,
            metadata=kept,
            latest_response_id=None,
            created_at=now,
            updated_at=now,
        )

    def get(self, conversation_id: str, *, owner: str | None = None) -> Conversation:
        """Return the conversation without its items."""
        with self._database.reading() as connection:
            return _conversation(connection, conversation_id, owner)

    def update_metadata(
        self,
        conversation_id: str,
        metadata: Mapping[str, str],
        *,
        mode: Literal["merge", "replace"] = "merge",
        owner: str | None = None,
    ) -> Conversation:
        """Add ``metadata`` to what is there, or put it in its place; the limits hold for both."""
        with self._database.writing(durable=True) as connection:
            before = _conversation(connection, conversation_id, owner)
            kept = merged_metadata(before.metadata if mode == "merge" else {}, metadata)
            connection.execute(
                "UPDATE conversations SET metadata_json = ?, updated_at = ? WHERE id = ?",
                [jsontext.dumps(kept).decode(), int(time.time()), conversation_id],
            )
            return _conversation(connection, conversation_id, owner)

    def delete(self, conversation_id: str, *, owner: str | None = None) -> None:
        """Forget the conversation with all its items; a running turn will not be added."""
        with self._database.writing(durable=True) as connection:
            known = _conversation(connection, conversation_id, owner)
            connection.execute("DELETE FROM conversations WHERE id = ?", [known.id])

    def items(
        self,
        conversation_id: str,
        *,
        limit: int = 20,
        order: Order = "desc",
        after: str | None = None,
        owner: str | None = None,
    ) -> Page[Item]:
        """Return up to ``limit`` (1 to 100) whole items, beginning behind the id ``after``."""
        with self._database.reading() as connection:
            _conversation(connection, conversation_id, owner)
            behind = None if after is None else searchable(after)
            return conversation_items.page(
                connection, conversation_id, limit=limit, order=order, after=behind
            )

    def history(self, conversation_id: str, *, owner: str | None = None) -> list[Item]:
        """Return all items in order, as they came, ids included; raises TooLarge."""
        with self._database.reading() as connection:
            _conversation(connection, conversation_id, owner)
            return conversation_items.every(
                connection, conversation_id, max_bytes=self._max_history_bytes
            )

    def add_items(
        self, conversation_id: str, items: Sequence[Item], *, owner: str | None = None
    ) -> tuple[Item, ...]:
        """Append ``items`` and return them with their ids.

        An id that the conversation has already is replaced by a fresh one. Raises Conflict
        ``conversation_locked`` while a turn is running.
        """
        conversation_items.offered(items)
        with self._database.writing(durable=True) as connection:
            _conversation(connection, conversation_id, owner)
            refuse_if_locked(connection, conversation_id)
            return conversation_items.append(
                connection, conversation_id, items, now=int(time.time())
            )

    def get_item(self, conversation_id: str, item_id: str, *, owner: str | None = None) -> Item:
        """Return one item; raises NotFound."""
        with self._database.reading() as connection:
            _conversation(connection, conversation_id, owner)
            return conversation_items.one(connection, conversation_id, searchable(item_id))

    def delete_item(
        self, conversation_id: str, item_id: str, *, owner: str | None = None
    ) -> Conversation:
        """Remove one item and return its conversation.

        Raises NotFound, or Conflict ``conversation_locked`` while a turn is running.
        """
        with self._database.writing(durable=True) as connection:
            _conversation(connection, conversation_id, owner)
            refuse_if_locked(connection, conversation_id)
            conversation_items.remove(connection, conversation_id, searchable(item_id))
            connection.execute(
                "UPDATE conversations SET updated_at = ? WHERE id = ?",
                [int(time.time()), conversation_id],
            )
            return _conversation(connection, conversation_id, owner)

    def begin_turn(
        self, conversation_id: str, *, ttl_seconds: float = 120.0, owner: str | None = None
    ) -> TurnLock:
        """Reserve the conversation for one turn.

        The reservation ends with the turn, with the death of this process, or ``ttl_seconds``
        after the last renewal. Raises Conflict ``conversation_locked`` with ``Retry-After``
        while another turn is running.
        """
        lock = TurnLock(self._database, conversation_id, ttl_seconds=ttl_seconds)
        with self._database.writing() as connection:
            _conversation(connection, conversation_id, owner)
            lock.take(connection)
        return lock

    def count(self) -> int:
        """Return how many conversations there are."""
        with self._database.reading() as connection:
            return int(connection.execute("SELECT COUNT(*) FROM conversations").fetchone()[0])


def _conversation(
    connection: sqlite3.Connection, conversation_id: str, owner: str | None
) -> Conversation:
    row = connection.execute(
        "SELECT * FROM conversations WHERE id = ? AND (owner IS NULL OR owner = ?)",
        [searchable(conversation_id), owner],
    ).fetchone()
    if row is None:
        raise NotFound("There is no conversation with this id.", param="conversation_id")
    metadata: dict[str, Any] = jsontext.loads(row["metadata_json"].encode())
    return Conversation(
        id=row["id"],
        owner=row["owner"],
        metadata=metadata,
        latest_response_id=row["latest_response_id"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
