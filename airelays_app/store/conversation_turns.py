"""The right to add a turn to a conversation, held by one request at a time.

The holder is a lease row: it names the process and ends at a time. A killed process frees its
conversations at once, because the next request sees that the process is gone; where that cannot
be seen (a container with processes of its own), they are free when the lease ends. A turn
renews its lease while it waits, so that the lease may be short.
"""

import math
import sqlite3
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from airelays_app.errors import Conflict, Unavailable
from airelays_app.ids import fresh_id
from airelays_app.store import conversation_items
from airelays_app.store.conversation_items import Item
from airelays_app.store.database import Database
from airelays_app.store.process_identity import is_gone, own_identity
from airelays_app.store.steady_clock import seconds_since_boot

_LONGEST_LEASE_SECONDS = 3600.0
_LONGEST_RETRY_SECONDS = 5


def refuse_if_locked(connection: sqlite3.Connection, conversation_id: str) -> None:
    """Raise Conflict ``conversation_locked`` with ``Retry-After`` while a turn is running."""
    row = connection.execute(
        "SELECT holder, expires_at FROM conversation_turns WHERE conversation_id = ?",
        [conversation_id],
    ).fetchone()
    if row is None:
        return
    remaining = row["expires_at"] - seconds_since_boot()
    if not 0 < remaining <= _LONGEST_LEASE_SECONDS or is_gone(row["holder"]):
        return  # one that lasts longer is of another boot, since which the clock began anew
    raise Conflict(
        "Another turn of this conversation is running; try again when it has ended.",
        param="conversation",
        code="conversation_locked",
        headers={"Retry-After": str(min(math.ceil(remaining), _LONGEST_RETRY_SECONDS))},
    )


class TurnLock:
    """The running turn of one conversation; made by ``ConversationStore.begin_turn``.

    As a context manager it is released at the end of the block, whether committed or not.
    """

    def __init__(self, database: Database, conversation_id: str, *, ttl_seconds: float) -> None:
        self.conversation_id = conversation_id
        self._database = database
        self._ttl_seconds = ttl_seconds
        self._token = fresh_id("turn")
        self._renew_at = 0.0
        self._ended = False

    def take(self, connection: sqlite3.Connection) -> None:
        """Write the lease inside the caller's transaction; raises Conflict while one is live."""
        refuse_if_locked(connection, self.conversation_id)
        now = seconds_since_boot()
        connection.execute(
            "INSERT OR REPLACE INTO conversation_turns VALUES (?, ?, ?, ?)",
            [self.conversation_id, self._token, own_identity(), now + self._ttl_seconds],
        )
        self._renew_at = now + self._ttl_seconds / 2

    def renew(self) -> None:
        """Lengthen the lease to its full time again; costs nothing before half of it is used.

        While the database is down the turn goes on: it is tried again a little later, and
        :meth:`commit` tells whether the lease has held. Raises Conflict
        ``conversation_lock_lost`` when another turn has taken over.
        """
        now = seconds_since_boot()
        if now < self._renew_at:
            return
        try:
            self._lengthen(now + self._ttl_seconds)
        except Unavailable:
            self._renew_at = seconds_since_boot() + self._ttl_seconds / 8
        else:
            self._renew_at = now + self._ttl_seconds / 2

    def _lengthen(self, until: float) -> None:
        with self._database.writing() as connection:
            self._check_held(connection)
            connection.execute(
                "UPDATE conversation_turns SET expires_at = ? WHERE token = ?",
                [until, self._token],
            )

    def commit(
        self,
        *,
        input_items: Sequence[Item],
        output_items: Sequence[Item],
        response_id: str | None,
    ) -> tuple[Item, ...]:
        """Append the turn, all of it or nothing, release, and return its items with their ids.

        Raises Conflict ``conversation_lock_lost`` when another turn has taken over, NotFound
        when the conversation was deleted meanwhile.
        """
        items = [
            *conversation_items.checked(input_items, param="input"),
            *conversation_items.checked(output_items, param="output"),
        ]
        now = int(time.time())
        with self._database.writing(durable=True) as connection:
            stored = self._append(connection, items, now=now, response_id=response_id)
            self._remove(connection)
        self._ended = True
        return stored

    def release(self) -> None:
        """Let the next turn begin; harmless when released, committed or lost before.

        Raises Unavailable when the database is down; the lease then ends by itself.
        """
        if self._ended:
            return
        with self._database.writing() as connection:
            self._remove(connection)
        self._ended = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def _append(
        self,
        connection: sqlite3.Connection,
        items: Sequence[Item],
        *,
        now: int,
        response_id: str | None,
    ) -> tuple[Item, ...]:
        stored = conversation_items.append(connection, self.conversation_id, items, now=now)
        self._check_held(connection)
        connection.execute(
            "UPDATE conversations SET latest_response_id = COALESCE(?, latest_response_id)"
            " WHERE id = ?",
            [response_id, self.conversation_id],
        )
        return stored

    def _check_held(self, connection: sqlite3.Connection) -> None:
        held = connection.execute(
            "SELECT 1 FROM conversation_turns WHERE token = ?", [self._token]
        ).fetchone()
        if held is None:
            raise Conflict(
                "This turn took too long and another one has begun; its items were not added.",
                param="conversation",
                code="conversation_lock_lost",
            )

    def _remove(self, connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM conversation_turns WHERE token = ?", [self._token])
