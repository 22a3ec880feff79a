"""Uploaded files: exact limits, content before row, ids in paths, labels from clients.

Rules: a file is readable byte for byte under an id of ours, private on the disk; neither limit is
ever passed, not by a byte and not by 200 uploads at once in two processes; whatever goes wrong on
the way (limit, vanished client, full disk, lost database, kill -9 at any point) leaves no row
without content, and the sweep removes content without a row; lists are ordered, stable and
resumable, also behind a file deleted meanwhile; lost content is a 404 that says so.
"""

import hashlib
import io
import os
import resource
import stat
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airelays_app.errors import (
    ClientGone,
    NotFound,
    RelayError,
    TooLarge,
    Unavailable,
    Unprocessable,
)
from airelays_app.store.database import Database
from airelays_app.store.files import FileStore

MAX_FILE = 1000
MAX_TOTAL = 5000


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def database(data):
    with closing(Database(data / "state.sqlite3", busy_seconds=30)) as opened:
        yield opened


@pytest.fixture
def store(database, data):
    return store_of(database, data)


def store_of(database, data, **limits):
    limits = {"max_file_bytes": MAX_FILE, "max_total_bytes": MAX_TOTAL} | limits
    return FileStore(database, data / "uploads", **limits)


def put(store, content=b"hello", **fields):
    fields = {"filename": "a.txt", "purpose": "assistants", "content_type": "text/plain"} | fields
    return store.create(io.BytesIO(content), **fields)


def content_of(store, file_id):
    with store.open(file_id)[1] as content:
        return content.read()


def on_disk(data):
    uploads = data / "uploads"
    return sorted(entry.name for entry in uploads.iterdir()) if uploads.exists() else []


def ids(page):
    return [stored.id for stored in page.data]


def test_a_file_comes_back_byte_for_byte(store):
    content = bytes(range(256)) * 3
    stored = put(store, content)
    assert content_of(store, stored.id) == content
    assert store.get(stored.id) == stored
    assert stored.id.startswith("file_")
    assert len(stored.id) == len("file_") + 32
    assert (stored.bytes, stored.owner) == (768, None)
    assert stored.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_content_is_private_whatever_the_umask(database, data, umask):
    before = os.umask(umask)
    try:
        stored = put(store_of(database, data))
    finally:
        os.umask(before)
    assert stat.S_IMODE((data / "uploads" / stored.id).stat().st_mode) == 0o600


def test_an_empty_file_is_a_file(store):
    assert content_of(store, put(store, b"").id) == b""


@pytest.mark.parametrize(
    ("filename", "label"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\notes.txt", "notes.txt"),
        ("folder/", "folder"),
        ("..", "upload"),
        ("", "upload"),
        ("a\r\nX-Evil: 1\x00.txt", "a\ufffd\ufffdX-Evil: 1\ufffd.txt"),
        (b"caf\xe9.txt".decode("utf-8", "surrogateescape"), "caf\ufffd.txt"),
        ("\ud800.txt", "\ufffd.txt"),
        ("ж" * 300, "ж" * 255),
        ("Übersicht 日本.pdf", "Übersicht 日本.pdf"),
    ],
)
def test_a_client_s_name_is_only_a_label(store, data, filename, label):
    stored = put(store, filename=filename)
    assert store.get(stored.id).filename == label
    assert on_disk(data) == [stored.id]


@pytest.mark.parametrize(
    ("content_type", "kept"),
    [
        ("image/png", "image/png"),
        ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
        ("", "application/octet-stream"),
        ("text/html\r\nX-Evil: 1", "application/octet-stream"),
        ("text", "application/octet-stream"),
        ("a/" + "b" * 300, "application/octet-stream"),
    ],
)
def test_a_content_type_cannot_carry_a_header(store, content_type, kept):
    assert put(store, content_type=content_type).content_type == kept


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(st.characters(), max_size=400), st.text(st.characters(), max_size=60))
def test_any_text_is_a_name_and_any_text_is_a_type(store, name, content_type):
    stored = put(store, b"", filename=name, content_type=content_type, purpose=name)
    try:
        assert store.get(stored.id) == stored
        assert stored.filename
        assert not set(stored.filename) & set("/\\\r\n\x00")
    finally:
        store.delete(stored.id)


def test_a_file_of_exactly_the_limit_fits_and_one_byte_more_does_not(store, data):
    put(store, b"x" * MAX_FILE)
    with pytest.raises(TooLarge) as caught:
        put(store, b"x" * (MAX_FILE + 1))
    assert (caught.value.param, caught.value.code) == ("file", "file_too_large")
    assert len(on_disk(data)) == 1


def test_what_the_relay_makes_is_bounded_by_the_total_only(store):
    made = put(store, b"x" * (MAX_FILE + 1), is_upload=False)
    assert made.bytes == MAX_FILE + 1
    with pytest.raises(TooLarge) as caught:
        put(store, b"x" * MAX_TOTAL, is_upload=False)
    assert caught.value.code == "storage_full"


def test_an_upload_is_not_read_past_the_limit(database, data):
    class Endless:
        given = 0

        def read(self, size):
            self.given += size
            return b"x" * size

    stream = Endless()
    limits = {"max_file_bytes": 1_000_000, "max_total_bytes": 10_000_000}
    with pytest.raises(TooLarge):
        store_of(database, data, **limits).create(
            stream, filename="a", purpose="vision", content_type="text/plain"
        )
    assert stream.given < 2_000_000
    assert on_disk(data) == []


def test_the_total_is_exact_and_deleting_makes_room(store):
    stored = [put(store, b"x" * MAX_FILE) for _ in range(5)]
    with pytest.raises(TooLarge) as caught:
        put(store, b"x")
    assert caught.value.code == "storage_full"
    store.delete(stored[0].id)
    put(store, b"x" * MAX_FILE)
    assert store.counters().total_bytes == MAX_TOTAL


def test_200_uploads_at_once_never_pass_the_total(store, data):
    def attempt(_):
        try:
            return put(store, b"x" * 300).bytes
        except TooLarge:
            return 0

    with ThreadPoolExecutor(200) as threads:
        accepted = sum(threads.map(attempt, range(200)))
    assert accepted == 16 * 300
    assert store.counters().total_bytes == accepted
    assert len(on_disk(data)) == 16


def test_two_processes_never_pass_the_total(store, data, at_once):
    code = """
        import io, pathlib
        from airelays_app.errors import TooLarge
        from airelays_app.store.database import Database
        from airelays_app.store.files import FileStore
        data = pathlib.Path(sys.argv[1])
        database = Database(data / "state.sqlite3", busy_seconds=30)
        store = FileStore(database, data / "uploads", max_file_bytes=1000, max_total_bytes=5000)
        start()
        for _ in range(40):
            try:
                store.create(io.BytesIO(b"x" * 130), filename="a", purpose="b", content_type="c/d")
            except TooLarge as refusal:
                assert refusal.status == 413
        database.close()
    """
    at_once(code, [data], [data])
    assert store.counters().file_count == 5000 // 130
    assert len(on_disk(data)) == 5000 // 130


@pytest.mark.parametrize("error", [ClientGone(), OSError("connection reset"), KeyboardInterrupt()])
def test_a_client_that_leaves_leaves_nothing(store, data, error):
    class Broken:
        chunks = [b"first"]

        def read(self, size):
            if self.chunks:
                return self.chunks.pop()
            raise error

    with pytest.raises(type(error)):
        store.create(Broken(), filename="a", purpose="b", content_type="c/d")
    assert on_disk(data) == []
    assert store.counters().file_count == 0


def test_a_full_disk_is_503_and_leaves_nothing(database, data):
    store = store_of(database, data, max_file_bytes=10**6, max_total_bytes=10**7)
    put(store, b"before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        with pytest.raises(Unavailable, match="disk"):
            put(store, b"x" * 300_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(on_disk(data)) == 1
    put(store, b"x" * 300_000)


def test_a_really_full_disk_is_503_until_there_is_room(tiny_disk):
    with closing(Database(tiny_disk / "state.sqlite3")) as database:
        store = store_of(database, tiny_disk, max_file_bytes=10**6, max_total_bytes=10**7)
        kept = put(store, b"x" * 100_000)
        with pytest.raises(Unavailable, match="full"):
            put(store, b"x" * 900_000)
        assert on_disk(tiny_disk) == [kept.id]
        (tiny_disk / "filler").write_bytes(b"x" * 60_000)
        with pytest.raises(Unavailable, match="full"):
            list(map(partial(put, store), [b"x" * 8000] * 100))
        (tiny_disk / "filler").unlink()
        put(store, b"x" * 8000)
        assert len(on_disk(tiny_disk)) == store.counters().file_count


def test_a_read_only_uploads_disk_is_503(tiny_disk, remount, database):
    store = FileStore(database, tiny_disk, max_file_bytes=1000, max_total_bytes=5000)
    kept = put(store, b"kept")
    remount("ro")
    with pytest.raises(Unavailable, match="read-only"):
        put(store)
    assert content_of(store, kept.id) == b"kept"
    assert store.counters().file_count == 1


def test_a_row_that_cannot_be_written_takes_its_content_along(store, data, database, monkeypatch):
    store.counters()

    def locked(**_):
        raise Unavailable("locked")

    monkeypatch.setattr(database, "writing", locked)
    with pytest.raises(Unavailable):
        put(store)
    assert on_disk(data) == []


DIE_AT = {
    "in the middle of the content": "Stream.read = lambda self, size: self.last() or os._exit(9)",
    "before the content has its name": "pathlib.Path.replace = lambda *_: os._exit(9)",
    "between the content and the row": "Database.writing = lambda *_, **__: os._exit(9)",
    "before the commit": "Database.writing = dies_before_commit",
}


@pytest.mark.parametrize("where", DIE_AT)
def test_kill_at_any_point_leaves_no_row_without_content(store, data, where):
    kept = put(store, b"kept")
    code = """
        import contextlib, os, pathlib, sys
        from airelays_app.store.database import Database
        from airelays_app.store.files import FileStore

        class Stream:
            chunks = [b"some bytes"]
            def last(self):
                return self.chunks and self.chunks.pop()
            def read(self, size):
                return self.last() or b""

        writing = Database.writing

        @contextlib.contextmanager
        def dies_before_commit(self, **options):
            with writing(self, **options) as connection:
                yield connection
                os._exit(9)

        data = pathlib.Path(sys.argv[1])
        store = FileStore(Database(data / "state.sqlite3"), data / "uploads",
                          max_file_bytes=100, max_total_bytes=1000)
        exec(sys.argv[2])
        store.create(Stream(), filename="a", purpose="b", content_type="c/d")
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(data), DIE_AT[where]]
    assert subprocess.run(command, check=False, timeout=60).returncode == 9
    assert ids(store.list()) == [kept.id]
    assert len(on_disk(data)) == 2
    assert store.sweep().orphans == 0
    assert store.sweep(orphan_seconds=0).orphans == 1
    assert content_of(store, kept.id) == b"kept"
    assert on_disk(data) == [kept.id]


def test_the_sweep_touches_nothing_but_orphaned_content(store, data):
    kept = put(store)
    uploads = data / "uploads"
    (uploads / "file_orphan").write_bytes(b"x")
    (uploads / "a folder").mkdir()
    (uploads / "not ours.txt").write_bytes(b"x")
    (uploads / "link").symlink_to(uploads / kept.id)
    swept = store.sweep(orphan_seconds=0)
    assert (swept.orphans, swept.tombstones) == (1, 0)
    assert on_disk(data) == sorted([kept.id, "a folder", "not ours.txt", "link"])


def test_a_sweep_before_the_first_upload_is_fine(store):
    assert store.sweep().orphans == 0


@pytest.mark.parametrize(
    "unknown", ["file_0", "", "../state.sqlite3", "\ud800", "a\x00b", "x" * 9999]
)
def test_an_unknown_id_is_404_on_every_method(store, unknown):
    for method in (store.get, store.open, store.delete):
        with pytest.raises(NotFound) as caught:
            method(unknown)
        assert caught.value.param == "file_id"


def test_lost_content_is_a_404_that_says_so(store, data):
    stored = put(store)
    (data / "uploads" / stored.id).unlink()
    with pytest.raises(NotFound, match="gone from the disk") as caught:
        store.open(stored.id)
    assert caught.value.code == "file_content_missing"
    assert store.get(stored.id) == stored
    store.delete(stored.id)


@pytest.mark.parametrize("make", ["symlink_to", "mkdir", "mkfifo"])
def test_what_is_not_a_regular_file_is_never_opened(store, data, make, tmp_path):
    stored = put(store)
    path = data / "uploads" / stored.id
    path.unlink()
    secret = tmp_path / "secret"
    secret.write_text("secret")
    if make == "mkfifo":
        os.mkfifo(path)
    else:
        getattr(path, make)(*([secret] if make == "symlink_to" else []))
    with pytest.raises(NotFound):
        store.open(stored.id)


def test_content_of_an_earlier_release_is_found_where_it_was(store, database, tmp_path):
    elsewhere = tmp_path / "old"
    elsewhere.mkdir()
    (elsewhere / "file_old").write_bytes(b"old")
    (elsewhere / "other").write_bytes(b"not this")
    row = "INSERT INTO files VALUES (NULL, ?, NULL, 'a', 'b', 'c/d', 3, '', 1, ?, NULL)"
    with database.writing() as connection:
        connection.execute(row, ["file_old", str(elsewhere / "file_old")])
        connection.execute(row, ["file_odd", str(elsewhere / "other")])
    assert content_of(store, "file_old") == b"old"
    with pytest.raises(NotFound):
        store.open("file_odd")
    store.delete("file_old")
    store.delete("file_odd")
    assert [path.name for path in elsewhere.iterdir()] == ["other"]


def test_a_deleted_file_is_gone_and_a_reader_may_finish(store, data):
    stored = put(store, b"hello")
    _, content = store.open(stored.id)
    store.delete(stored.id)
    with content:
        assert content.read() == b"hello"
    assert on_disk(data) == []
    for method in (store.get, store.open, store.delete):
        with pytest.raises(NotFound):
            method(stored.id)


def test_nothing_but_the_id_of_a_deleted_file_is_kept(store, database):
    stored = put(store, filename="private name.txt", content_type="text/x-private")
    store.delete(stored.id)
    with database.reading() as connection:
        (row,) = connection.execute("SELECT * FROM files").fetchall()
    assert "private" not in repr(tuple(row))


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_join_to_the_whole_list_also_within_one_second(store, order):
    expected = [put(store).id for _ in range(7)]
    if order == "desc":
        expected.reverse()
    seen, after = [], None
    for _ in range(4):
        page = store.list(limit=2, order=order, after=after)
        seen += ids(page)
        assert (page.first_id, page.last_id) == (seen[-len(page.data)], seen[-1])
        assert page.has_more == (len(seen) < 7)
        after = page.last_id
    assert seen == expected


def test_newest_comes_first_unless_asked_otherwise(store):
    first, second = put(store).id, put(store).id
    assert ids(store.list()) == [second, first]


def test_an_empty_page_has_no_ids(store):
    page = store.list()
    assert (page.data, page.has_more, page.first_id, page.last_id) == ((), False, None, None)


def test_the_purpose_selects(store):
    put(store, purpose="assistants")
    vision = put(store, purpose="vision")
    assert ids(store.list(purpose="vision")) == [vision.id]
    assert ids(store.list(purpose="\ud800")) == []


def test_what_has_an_owner_is_there_for_nobody_else(store):
    shared, own = put(store), put(store, owner="laptop")
    assert ids(store.list(owner="laptop")) == [own.id, shared.id]
    store.open(own.id, owner="laptop")[1].close()
    for other in ("phone", "", None):
        assert ids(store.list(owner=other)) == [shared.id]
        for use in (store.get, store.open, store.delete):
            with pytest.raises(NotFound):
                use(own.id, owner=other)
    store.delete(own.id, owner="laptop")


def test_deleting_while_paging_works(store):
    stored = [put(store).id for _ in range(5)]
    after, deleted = None, []
    while (page := store.list(limit=2, order="asc", after=after)).data:
        for file_id in ids(page):
            store.delete(file_id)
        deleted += ids(page)
        after = page.last_id
    assert deleted == stored


def test_a_tombstone_lasts_a_day(store, database):
    stored = put(store)
    store.delete(stored.id)
    assert store.sweep().tombstones == 0
    with database.writing() as connection:
        connection.execute("UPDATE files SET deleted_at = deleted_at - 86401")
    assert store.sweep().tombstones == 1
    with pytest.raises(NotFound):
        store.list(after=stored.id)


@pytest.mark.parametrize(
    ("options", "error", "param"),
    [
        ({"after": "file_unknown"}, NotFound, "after"),
        ({"limit": 0}, Unprocessable, "limit"),
        ({"limit": -1}, Unprocessable, "limit"),
        ({"limit": 10_001}, Unprocessable, "limit"),
        ({"order": "random"}, Unprocessable, "order"),
    ],
)
def test_bad_paging_names_the_field(store, options, error, param):
    with pytest.raises(RelayError) as caught:
        store.list(**options)
    assert (type(caught.value), caught.value.param) == (error, param)


def test_counters_count_what_is_there(store):
    put(store, b"12345")
    store.delete(put(store, b"678").id)
    assert (store.counters().file_count, store.counters().total_bytes) == (1, 5)
