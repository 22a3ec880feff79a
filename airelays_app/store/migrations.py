"""The tables, step by step, from any released schema to today's.

Each step is a function registered on :data:`MIGRATIONS` in the order in which it runs; it
receives a :class:`sqlite_utils.Database`, finds the tables as the steps above left them, and is
never edited once released. New steps go at the end of this file.

The first steps also adopt what earlier releases wrote: ``files`` and ``conversations`` without a
recorded schema version (seen in 0.2.4 and 0.22, 2026-11-22).
"""

import sqlite3
import time

from sqlite_utils import Database as Tables
from sqlite_utils import Migrations

from airelays_app.framing import jsontext
from airelays_app.store import legacy
from airelays_app.store.item_ids import identified

MIGRATIONS = Migrations("airelays")


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables up to date, all steps or none; safe when several processes start at once.

    The connection must be outside a transaction. Whoever is first holds the write lock for the
    whole of it; the others find nothing left to do.
    """
    tables = Tables(connection, recursive_triggers=False, execute_plugins=False)
    if _is_current(tables):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        MIGRATIONS.apply(tables)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _is_current(tables: Tables) -> bool:
    return not MIGRATIONS.pending(tables)


@MIGRATIONS()
def create_files(db: Tables) -> None:
    """Uploaded files; ``sequence`` is the order of arrival, ``deleted_at`` marks a tombstone."""
    adopted = _set_aside(db, "files")
    db.execute(
        """
        CREATE TABLE files (
            sequence INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            owner TEXT,
            filename TEXT NOT NULL,
            purpose TEXT NOT NULL,
            content_type TEXT NOT NULL,
            bytes INTEGER NOT NULL,
            sha256 TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            storage_path TEXT NOT NULL,
            deleted_at INTEGER
        )
        """
    )
    db.execute("CREATE INDEX files_by_age ON files (created_at, sequence)")
    db.execute("CREATE INDEX files_bytes ON files (deleted_at, bytes)")
    if adopted:
        _adopt_files(db, adopted)


@MIGRATIONS()
def create_conversations(db: Tables) -> None:
    """Conversations, their items as rows, and the lease of the turn that is running."""
    adopted = _set_aside(db, "conversations")
    db.execute(
        """
        CREATE TABLE conversations (
            id TEXT PRIMARY KEY,
            owner TEXT,
            metadata_json TEXT NOT NULL,
            latest_response_id TEXT,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            next_position INTEGER NOT NULL
        )
        """
    )
    db.execute(
        """
        CREATE TABLE conversation_items (
            conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            item_id TEXT NOT NULL,
            type TEXT NOT NULL,
            json TEXT NOT NULL,
            PRIMARY KEY (conversation_id, position),
            UNIQUE (conversation_id, item_id)
        )
        """
    )
    db.execute(
        """
        CREATE TABLE conversation_turns (
            conversation_id TEXT PRIMARY KEY REFERENCES conversations (id) ON DELETE CASCADE,
            token TEXT NOT NULL,
            holder TEXT NOT NULL,
            expires_at REAL NOT NULL
        )
        """
    )
    if adopted:
        _adopt_conversations(db, adopted)


def _set_aside(db: Tables, name: str) -> str | None:
    """Rename the table of an earlier release out of the way; return its new name."""
    if name not in db.table_names():
        return None
    aside = f"{name}_of_earlier_release"
    db.execute(f"ALTER TABLE {name} RENAME TO {aside}")
    return aside


def _adopt_files(db: Tables, earlier: str) -> None:
    deleted_at = "deleted_at" if "deleted_at" in db.table(earlier).columns_dict else "NULL"
    db.execute(
        f"""
        INSERT INTO files (id, filename, purpose, content_type, bytes, sha256, created_at,
                           storage_path, deleted_at)
        SELECT id, COALESCE(filename, 'upload'), COALESCE(purpose, 'assistants'),
               COALESCE(content_type, 'application/octet-stream'), COALESCE(bytes, 0),
               COALESCE(sha256, ''), CAST(COALESCE(created_at, 0) AS INTEGER),
               COALESCE(storage_path, id), CAST({deleted_at} AS INTEGER)
        FROM {earlier} ORDER BY created_at, rowid
        """  # noqa: S608 - both names are ours
    )
    db.table(earlier).drop()


def _adopt_conversations(db: Tables, earlier: str) -> None:
    rows = db.query(f"SELECT * FROM {earlier} ORDER BY created_at, rowid")  # noqa: S608
    for row in list(rows):
        _adopt_conversation(db, row)
    db.table(earlier).drop()


def _adopt_conversation(db: Tables, row: dict[str, object]) -> None:
    seed = row["seed_items_json"]
    items, unreadable = legacy.items_of_seed(seed if isinstance(seed, str) else None)
    created = int(str(row["created_at"] or 0).partition(".")[0])
    updated = int(str(row["updated_at"] or created).partition(".")[0])
    db.execute(
        "INSERT INTO conversations VALUES (?, NULL, ?, ?, ?, ?, ?)",
        [
            row["id"],
            row["metadata_json"] or "{}",
            row["latest_response_id"],
            created,
            updated,
            len(items),
        ],
    )
    for position, (item_id, kind, item) in enumerate(identified(items, taken=set())):
        db.execute(
            "INSERT INTO conversation_items VALUES (?, ?, ?, ?, ?)",
            [row["id"], position, item_id, kind, jsontext.dumps(item).decode()],
        )
    if unreadable is not None:
        _keep_unreadable(db, conversation_id=str(row["id"]), text=unreadable)


def _keep_unreadable(db: Tables, *, conversation_id: str, text: str) -> None:
    """Keep what is not an item beside the conversation, so that adopting it loses nothing."""
    db.execute(
        """
        CREATE TABLE IF NOT EXISTS unreadable_items (
            conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
            text TEXT NOT NULL,
            found_at INTEGER NOT NULL
        )
        """
    )
    db.execute(
        "INSERT INTO unreadable_items VALUES (?, ?, ?)", [conversation_id, text, int(time.time())]
    )
