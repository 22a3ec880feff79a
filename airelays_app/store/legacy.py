"""What earlier releases wrote, moved into today's tables.

0.2.4 to 0.22 had ``files(id, filename, purpose, content_type, bytes, sha256, created_at,
storage_path)``, later with ``deleted_at``, and ``conversations(id, metadata_json,
seed_items_json, latest_response_id, created_at, updated_at)`` with all items of a conversation
in one JSON text. 0.2.x stored there, and as metadata, whatever the client had sent, a plain
string included (seen 2026-11-22).
"""

from typing import Any

from sqlite_utils import Database as Tables

from airelays_app.framing import jsontext
from airelays_app.store.item_ids import identified


def adopt_files(db: Tables, earlier: str) -> None:
    """Move the rows of the table ``earlier`` into ``files`` and drop it."""
    deleted_at = "deleted_at" if "deleted_at" in db.table(earlier).columns_dict else "NULL"
    db.execute(
        f"""
        INSERT INTO files (id, filename, purpose, content_type, bytes, sha256, created_at,
                           storage_path, deleted_at)
        SELECT id, filename, purpose, content_type, bytes, sha256, created_at,
               storage_path, CAST({deleted_at} AS INTEGER)
        FROM {earlier} ORDER BY created_at, rowid
        """  # noqa: S608 - both names are ours
    )
    db.table(earlier).drop()


def adopt_conversations(db: Tables, earlier: str) -> None:
    """Move the rows of the table ``earlier`` into today's tables, items as rows; drop it."""
    rows = db.query(f"SELECT * FROM {earlier} ORDER BY created_at, rowid")  # noqa: S608
    for row in list(rows):
        _adopt_conversation(db, row)
    db.table(earlier).drop()


def _adopt_conversation(db: Tables, row: dict[str, Any]) -> None:
    metadata, unreadable_metadata = metadata_of_text(row["metadata_json"])
    items, unreadable_items = items_of_seed(row["seed_items_json"])
    db.table("conversations").insert(
        {
            "id": row["id"],
            "owner": None,
            "metadata_json": jsontext.dumps(metadata).decode(),
            "latest_response_id": row["latest_response_id"],
            "created_at": row["created_at"],
            "updated_at": row["updated_at"],
            "next_position": len(items),
        }
    )
    for position, (item_id, kind, item) in enumerate(identified(items, taken=set())):
        db.table("conversation_items").insert(
            {
                "conversation_id": row["id"],
                "position": position,
                "item_id": item_id,
                "type": kind,
                "json": jsontext.dumps(item).decode(),
            }
        )
    for text in filter(None, (unreadable_metadata, unreadable_items)):
        _keep_unreadable(db, conversation_id=row["id"], text=text)


def items_of_seed(text: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """Return the items that ``seed_items_json`` holds, and the JSON of what is not an item.

    A string is what a user said. Text that is not JSON is returned whole as unreadable.
    """
    if not text:
        return [], None
    try:
        seed = jsontext.loads(text.encode())
    except jsontext.JsonTextError:
        return [], text
    entries = seed if isinstance(seed, list) else [] if seed is None else [seed]
    items = [item for entry in entries if (item := _item(entry)) is not None]
    strange = [entry for entry in entries if _item(entry) is None]
    return items, jsontext.dumps(strange).decode() if strange else None


def metadata_of_text(text: str) -> tuple[dict[str, Any], str | None]:
    """Return the metadata object that ``text`` holds, or none and the text itself."""
    try:
        metadata = jsontext.loads(text.encode())
    except jsontext.JsonTextError:
        return {}, text
    if isinstance(metadata, dict):
        return metadata, None
    return {}, None if metadata is None else text


def _item(entry: Any) -> dict[str, Any] | None:
    if isinstance(entry, dict):
        return entry
    if isinstance(entry, str):
        return {"type": "message", "role": "user", "content": entry}
    return None


def _keep_unreadable(db: Tables, *, conversation_id: str, text: str) -> None:
    """Keep what is not an item beside the conversation, so that adopting it loses nothing."""
    db.execute(
        """
        CREATE TABLE IF NOT EXISTS unreadable_items (
            conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
            text TEXT NOT NULL
        )
        """
    )
    db.execute("INSERT INTO unreadable_items VALUES (?, ?)", [conversation_id, text])
