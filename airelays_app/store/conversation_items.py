"""Rows of conversation items: appending costs the new items only, whatever the length before."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from airelays_app.errors import NotFound, TooLarge, Unprocessable
from airelays_app.framing import jsontext
from airelays_app.store.item_ids import identified, own_id
from airelays_app.store.paging import Order, Page, checked_limit, direction, page_of

Item = dict[str, Any]

_LONGEST_PAGE = 100


def checked(items: Sequence[Any], *, param: str = "items") -> Sequence[Item]:
    """Return ``items``; raises Unprocessable unless each is a JSON object."""
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            raise _wrong(f"{param}[{index}]", "an object")
    return items


def offered(items: Sequence[Any]) -> Sequence[Item]:
    """Return a client's ``items``; raises Unprocessable unless each is an object of a type."""
    for index, item in enumerate(checked(items)):
        if not isinstance(item.get("type"), str | None):
            raise _wrong(f"items[{index}].type", "a string")
    return items


def _wrong(path: str, expected: str) -> Unprocessable:
    return Unprocessable(f"{path} must be {expected}.", param=path)


def append(
    connection: sqlite3.Connection, conversation_id: str, items: Sequence[Item], *, now: int
) -> tuple[Item, ...]:
    """Write ``items`` behind the last one and return them with their ids.

    An item keeps its own id unless the conversation has that id already: a finished turn must
    not be lost to a collision. Raises NotFound for an unknown conversation.
    """
    position = _next_position(connection, conversation_id)
    rows = list(identified(items, taken=_taken(connection, conversation_id, items)))
    connection.executemany(
        "INSERT INTO conversation_items VALUES (?, ?, ?, ?, ?)",
        [
            (conversation_id, position + offset, item_id, kind, jsontext.dumps(item).decode())
            for offset, (item_id, kind, item) in enumerate(rows)
        ],
    )
    connection.execute(
        "UPDATE conversations SET next_position = ?, updated_at = ? WHERE id = ?",
        [position + len(rows), now, conversation_id],
    )
    return tuple(item for _, _, item in rows)


def page(
    connection: sqlite3.Connection,
    conversation_id: str,
    *,
    limit: int,
    order: Order,
    after: str | None,
) -> Page[Item]:
    """Return up to ``limit`` items in order of position, beginning behind the item ``after``."""
    way = direction(order)
    checked_limit(limit, maximum=_LONGEST_PAGE)
    start = None if after is None else _position(connection, conversation_id, after, param="after")
    rows = connection.execute(
        f"""
        SELECT item_id, json FROM conversation_items
        WHERE conversation_id = :id AND (:start IS NULL OR position {way.beyond} :start)
        ORDER BY position {way.keyword} LIMIT :limit
        """,  # noqa: S608 - both words come from a table of ours
        {"id": conversation_id, "start": start, "limit": limit + 1},
    ).fetchall()
    return page_of([(row["item_id"], _item(row)) for row in rows], limit=limit)


def every(connection: sqlite3.Connection, conversation_id: str, *, max_bytes: int) -> list[Item]:
    """Return all items in order; raises TooLarge if they have more than ``max_bytes``."""
    rows = connection.execute(
        "SELECT json FROM conversation_items WHERE conversation_id = ? ORDER BY position",
        [conversation_id],
    )
    items: list[Item] = []
    for row in rows:
        max_bytes -= len(row["json"])
        if max_bytes < 0:
            raise TooLarge(
                "The conversation has become too large to be sent again; delete some of its items, "
                "or begin another one.",
                param="conversation",
            )
        items.append(_item(row))
    return items


def one(connection: sqlite3.Connection, conversation_id: str, item_id: str) -> Item:
    """Return the item; raises NotFound."""
    position = _position(connection, conversation_id, item_id, param="item_id")
    row = connection.execute(
        "SELECT json FROM conversation_items WHERE conversation_id = ? AND position = ?",
        [conversation_id, position],
    ).fetchone()
    return _item(row)


def remove(connection: sqlite3.Connection, conversation_id: str, item_id: str) -> None:
    """Remove the item; raises NotFound."""
    position = _position(connection, conversation_id, item_id, param="item_id")
    connection.execute(
        "DELETE FROM conversation_items WHERE conversation_id = ? AND position = ?",
        [conversation_id, position],
    )


def _next_position(connection: sqlite3.Connection, conversation_id: str) -> int:
    row = connection.execute(
        "SELECT next_position FROM conversations WHERE id = ?", [conversation_id]
    ).fetchone()
    if row is None:
        raise NotFound("There is no conversation with this id.", param="conversation_id")
    return int(row["next_position"])


def _taken(connection: sqlite3.Connection, conversation_id: str, items: Sequence[Item]) -> set[str]:
    """Return those ids of ``items`` that the conversation has already."""
    offered = [item_id for item in items if (item_id := own_id(item)) is not None]
    rows = connection.execute(
        """
        SELECT item_id FROM conversation_items
        WHERE conversation_id = ? AND item_id IN (SELECT value FROM json_each(?))
        """,
        [conversation_id, jsontext.dumps(offered).decode()],
    )
    return {row["item_id"] for row in rows}


def _position(
    connection: sqlite3.Connection, conversation_id: str, item_id: str, *, param: str
) -> int:
    row = connection.execute(
        "SELECT position FROM conversation_items WHERE conversation_id = ? AND item_id = ?",
        [conversation_id, item_id],
    ).fetchone()
    if row is None:
        raise NotFound("There is no item with this id in the conversation.", param=param)
    return int(row["position"])


def _item(row: sqlite3.Row) -> Item:
    item: Item = jsontext.loads(row["json"].encode())
    return item
