"""From any released schema to today's, in place, without losing a row.

Rules: an empty file, the singular-era and 0.2.4 schema, the 0.22 schema (with tombstones) and
today's all end with the same tables; files keep their ids, ages and tombstones; items move out of
``seed_items_json`` into rows, in order, whatever shape 0.2.x had stored; what is not an item is
kept aside; a step that fails leaves the old tables untouched; several processes may start at once.
"""

import json
import sqlite3
from contextlib import closing

import pytest
from sqlite_utils import Migrations

from airelays_app.store import migrations
from airelays_app.store.database import Database

FILES = """
    CREATE TABLE files (id TEXT PRIMARY KEY, filename TEXT NOT NULL, purpose TEXT NOT NULL,
        content_type TEXT NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
        created_at INTEGER NOT NULL, storage_path TEXT NOT NULL{});
"""
CONVERSATIONS = """
    CREATE TABLE conversations (id TEXT PRIMARY KEY, metadata_json TEXT NOT NULL,
        seed_items_json TEXT, latest_response_id TEXT, created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL);
"""
RELEASED = {
    "none": "",
    "0.2.4": FILES.format("") + CONVERSATIONS,
    "0.22": FILES.format(", deleted_at INTEGER") + CONVERSATIONS,
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.sqlite3"


def write_earlier(path, schema, *rows):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(schema)
        for table, row in rows:
            connection.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(row))})", row)


def query(path, sql, *values):
    with closing(Database(path)) as database, database.reading() as connection:
        return [tuple(row) for row in connection.execute(sql, values)]


def schema_of(path):
    return query(path, "SELECT name, sql FROM sqlite_master ORDER BY name")


def conversation(seed, *, name="conv_1", metadata="{}"):
    return ("conversations", (name, metadata, seed, "resp_9", 1700000000, 1700000050))


def items_of(path, conversation_id="conv_1"):
    rows = query(
        path,
        "SELECT position, item_id, type, json FROM conversation_items"
        " WHERE conversation_id = ? ORDER BY position",
        conversation_id,
    )
    return [(position, item_id, kind, json.loads(text)) for position, item_id, kind, text in rows]


@pytest.mark.parametrize("release", RELEASED)
def test_every_released_schema_ends_as_the_same_tables(tmp_path, release):
    write_earlier(tmp_path / "old.sqlite3", RELEASED[release])
    assert schema_of(tmp_path / "old.sqlite3") == schema_of(tmp_path / "new.sqlite3")


def test_files_keep_everything(path):
    first = ("file_b", "ä.pdf", "assistants", "application/pdf", 5, "aa", 200, "/old/file_b")
    second = ("file_a", "b.txt", "vision", "text/plain", 7, "bb", 100, "/old/file_a")
    write_earlier(path, RELEASED["0.2.4"], ("files", first), ("files", second))
    rows = query(path, "SELECT * FROM files ORDER BY sequence")
    assert rows == [
        (1, "file_a", None, *second[1:], None),
        (2, "file_b", None, *first[1:], None),
    ]


def test_tombstones_of_022_stay_tombstones(path):
    row = ("file_a", "a", "user_data", "text/plain", 7, "bb", 100, "/old/file_a", 1700000000)
    write_earlier(path, RELEASED["0.22"], ("files", row))
    assert query(path, "SELECT id, deleted_at FROM files") == [("file_a", 1700000000)]


def test_a_conversation_keeps_its_own_columns(path):
    write_earlier(path, RELEASED["0.22"], conversation("[]", metadata='{"topic": "ü"}'))
    assert query(path, "SELECT * FROM conversations") == [
        ("conv_1", None, '{"topic":"ü"}', "resp_9", 1700000000, 1700000050, 0)
    ]


def test_seed_items_become_rows_in_order_with_ids_of_their_own(path):
    seed = [
        {"role": "user", "content": "one"},
        {"type": "function_call", "id": "fc_7", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "id": "fc_7", "call_id": "c", "output": "\ud83d"},
        {"type": "reasoning", "encrypted_content": "sealed", "number": 2**70},
    ]
    write_earlier(path, RELEASED["0.22"], conversation(json.dumps(seed)))
    items = items_of(path)
    assert [(position, kind) for position, _, kind, _ in items] == [
        (0, "message"),
        (1, "function_call"),
        (2, "function_call_output"),
        (3, "reasoning"),
    ]
    ids = [item_id for _, item_id, _, _ in items]
    assert ids[1] == "fc_7"
    assert len(set(ids)) == 4
    assert [i.partition("_")[0] for i in ids] == ["msg", "fc", "fco", "rs"]
    without_ids = [{k: v for k, v in item.items() if k != "id"} for *_, item in items]
    assert without_ids == [{k: v for k, v in item.items() if k != "id"} for item in seed]
    assert query(path, "SELECT next_position FROM conversations") == [(4,)]


def test_a_seed_that_is_a_string_is_what_the_user_said(path):
    write_earlier(path, RELEASED["0.2.4"], conversation('"hello"'))
    ((_, item_id, _, item),) = items_of(path)
    assert item == {"type": "message", "role": "user", "content": "hello", "id": item_id}


@pytest.mark.parametrize("seed", [None, "", "null", "[]"])
def test_an_empty_seed_has_no_items(path, seed):
    write_earlier(path, RELEASED["0.2.4"], conversation(seed))
    assert items_of(path) == []


@pytest.mark.parametrize(
    ("seed", "kept"),
    [
        ("{broken", "{broken"),
        ("[" * 100_000, "[" * 100_000),
        ('[1, {"role": "user", "content": "a"}, null]', "[1,null]"),
    ],
)
def test_what_is_not_an_item_is_kept_aside_until_the_conversation_goes(path, seed, kept):
    write_earlier(path, RELEASED["0.2.4"], conversation(seed))
    aside = "SELECT conversation_id, text FROM unreadable_items"
    assert query(path, aside) == [("conv_1", kept)]
    with closing(Database(path)) as database, database.writing() as connection:
        connection.execute("DELETE FROM conversations")
    assert query(path, aside) == []


def test_metadata_that_is_not_an_object_is_kept_aside(path):
    write_earlier(path, RELEASED["0.2.4"], conversation("[]", metadata='["odd"]'))
    assert query(path, "SELECT metadata_json FROM conversations") == [("{}",)]
    assert query(path, "SELECT text FROM unreadable_items") == [('["odd"]',)]


def test_starting_again_changes_nothing(path):
    write_earlier(path, RELEASED["0.2.4"], conversation('["hello"]'))
    before = items_of(path), schema_of(path)
    assert (items_of(path), schema_of(path)) == before


def test_a_failing_step_leaves_the_earlier_tables_untouched(path, monkeypatch):
    write_earlier(path, RELEASED["0.2.4"], conversation('["hello"]'))
    broken = Migrations("airelays")
    broken._migrations = list(migrations.MIGRATIONS._migrations)

    @broken()
    def fail(db):
        raise LookupError("broken step")

    with monkeypatch.context() as patched:
        patched.setattr(migrations, "MIGRATIONS", broken)
        with pytest.raises(LookupError):
            schema_of(path)
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT id, seed_items_json FROM conversations").fetchall()
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert found == [("conv_1", '["hello"]')]
    assert "conversation_items" not in names
    assert len(items_of(path)) == 1


def test_a_database_of_a_later_release_still_opens(path):
    query(path, "SELECT 1")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO _sqlite_migrations VALUES (99, 'airelays', 'later', '')")
    assert query(path, "SELECT COUNT(*) FROM files") == [(0,)]


@pytest.mark.parametrize("release", RELEASED)
def test_several_processes_may_start_at_once(path, release, at_once):
    rows = [conversation('["a", "b"]', name=f"conv_{n}") for n in range(200)]
    write_earlier(path, RELEASED[release], *(rows if RELEASED[release] else []))
    code = """
        import pathlib
        from airelays_app.store.database import Database
        database = Database(pathlib.Path(sys.argv[1]), busy_seconds=30)
        start()
        with database.reading() as connection:
            print(connection.execute("SELECT COUNT(*) FROM conversation_items").fetchone()[0])
        database.close()
    """
    answers = at_once(code, *[[path]] * 4)
    assert answers == ["400\n" if RELEASED[release] else "0\n"] * 4
