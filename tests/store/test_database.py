"""The state database: private files, few handles, short transactions, honest failures.

Rules: files are 0600 in a 0700 directory whatever the umask; what a block wrote is there after
it and nothing is after a raise; readers see one snapshot and cannot write; hundreds of threads
share at most ``max_connections`` handles; a forked child opens its own; two processes writing at
once lose nothing; a locked, full, read-only or damaged database is a 503 that says so.
"""

import os
import resource
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import pytest

from airelays_app.errors import Unavailable
from airelays_app.store.database import Database


@pytest.fixture
def database(tmp_path):
    with closing(Database(tmp_path / "data" / "state.sqlite3")) as opened:
        yield opened


def add_note(database, text="x", **options):
    with database.writing(**options) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT UNIQUE)")
        connection.execute("INSERT INTO notes VALUES (?)", [text])


def notes(database):
    with database.reading() as connection:
        return [row["text"] for row in connection.execute("SELECT text FROM notes")]


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def open_files_under(directory):
    targets = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            targets.append(os.readlink(f"/proc/self/fd/{name}"))
    return [target for target in targets if target.startswith(str(directory))]


def run_python(code, *arguments, **options):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )


def test_nothing_is_opened_before_the_first_use(tmp_path):
    with closing(Database(tmp_path / "data" / "state.sqlite3")):
        assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_files_are_private_whatever_the_umask(tmp_path, umask):
    path = tmp_path / "data" / "state.sqlite3"
    before = os.umask(umask)
    try:
        with closing(Database(path)) as database:
            add_note(database)
            names = {file.name: mode(file) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert names == {
        "state.sqlite3": 0o600,
        "state.sqlite3-wal": 0o600,
        "state.sqlite3-shm": 0o600,
    }
    assert mode(path.parent) == 0o700


def test_an_adopted_file_and_directory_become_private(tmp_path):
    directory = tmp_path / "data"
    directory.mkdir(mode=0o755)
    path = directory / "state.sqlite3"
    sqlite3.connect(path).close()
    path.touch()
    path.chmod(0o644)
    with closing(Database(path)) as database:
        add_note(database)
        assert (mode(path), mode(directory)) == (0o600, 0o700)


def test_a_world_writable_sticky_directory_is_left_alone(tmp_path):
    tmp_path.chmod(0o1777)
    with closing(Database(tmp_path / "state.sqlite3")) as database:
        add_note(database)
    assert mode(tmp_path) == 0o1777


def test_a_block_that_raises_leaves_nothing(database):
    add_note(database, "kept")
    with pytest.raises(sqlite3.IntegrityError), database.writing() as connection:
        connection.executemany("INSERT INTO notes VALUES (?)", [["lost"], ["kept"]])
    assert notes(database) == ["kept"]


def test_readers_cannot_write(database):
    add_note(database)
    with pytest.raises(Unavailable), database.reading() as connection:
        connection.execute("INSERT INTO notes VALUES ('no')")


def test_a_reader_keeps_its_snapshot_while_another_thread_writes(database):
    add_note(database, "before")
    with database.reading() as connection:
        count = "SELECT COUNT(*) FROM notes"
        assert connection.execute(count).fetchone()[0] == 1
        writer = threading.Thread(target=add_note, args=(database, "after"))
        writer.start()
        writer.join()
        assert connection.execute(count).fetchone()[0] == 1
    assert len(notes(database)) == 2


def test_nesting_in_one_thread_is_a_mistake_that_shows(database):
    with database.reading(), pytest.raises(RuntimeError), database.writing():
        raise AssertionError("not reached")
    add_note(database)


def test_mistakes_of_the_program_keep_their_own_error(database):
    add_note(database, "one")
    with pytest.raises(sqlite3.IntegrityError):
        add_note(database, "one")
    with pytest.raises(sqlite3.OperationalError), database.reading() as connection:
        connection.execute("SELECT * FROM no_such_table")
    assert notes(database) == ["one"]


def test_foreign_keys_hold(database):
    with pytest.raises(sqlite3.IntegrityError), database.writing() as connection:
        connection.execute("INSERT INTO conversation_items VALUES ('nobody', 0, 'a', 'b', '{}')")


@pytest.mark.parametrize(("durable", "level"), [(False, 1), (True, 2)])
def test_only_durable_transactions_wait_for_the_disk(database, durable, level):
    with database.writing(durable=not durable):
        pass
    with database.writing(durable=durable) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == level


def test_600_threads_share_few_handles(tmp_path):
    directory = tmp_path / "data"
    with closing(Database(directory / "state.sqlite3", busy_seconds=60)) as database:
        add_note(database)
        handles = []
        gate = threading.Barrier(600, timeout=60)

        def work(number):
            gate.wait()
            if number % 20 == 0:
                add_note(database, str(number))
            assert notes(database)
            handles.append(len(open_files_under(directory)) if number % 50 == 0 else 0)

        with ThreadPoolExecutor(600) as threads:
            list(threads.map(work, range(600)))
        assert len(notes(database)) == 31
    # each of the 8 connections holds the database and its journal; the index is shared
    assert 0 < max(handles) <= 17
    assert open_files_under(directory) == []


def test_a_thread_without_a_free_connection_gets_503_in_time(tmp_path):
    path = tmp_path / "state.sqlite3"
    with closing(Database(path, busy_seconds=0.05, max_connections=2)) as database:
        add_note(database)
        with database.reading(), ThreadPoolExecutor(1) as threads:
            error = threads.submit(notes, database).exception(timeout=30)
        assert isinstance(error, Unavailable)
        assert notes(database) == ["x"]


def test_a_forked_child_uses_connections_of_its_own(database):
    add_note(database, "parent")
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            add_note(database, "child")
            database.close()
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    add_note(database, "parent again")
    assert notes(database) == ["parent", "child", "parent again"]


def test_a_child_forked_while_every_connection_is_busy_still_works(tmp_path):
    path = tmp_path / "state.sqlite3"
    with closing(Database(path, busy_seconds=2, max_connections=2)) as database:
        add_note(database)
        with database.reading():
            child = os.fork()
            if child == 0:
                with suppress(BaseException), ThreadPoolExecutor(1) as threads:
                    os._exit(0 if threads.submit(notes, database).result() == ["x"] else 1)
                os._exit(1)
            assert os.waitpid(child, 0)[1] == 0


def test_two_processes_writing_at_once_lose_nothing(tmp_path, at_once):
    path = tmp_path / "data" / "state.sqlite3"
    code = """
        import pathlib
        from airelays_app.store.database import Database
        database = Database(pathlib.Path(sys.argv[1]), busy_seconds=30)
        start()
        for number in range(300):
            with database.writing() as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS counter (value)")
                before = connection.execute("SELECT MAX(value) FROM counter").fetchone()[0] or 0
                connection.execute("INSERT INTO counter VALUES (?)", [before + 1])
        database.close()
    """
    at_once(code, [path], [path])
    with closing(Database(path)) as database, database.reading() as connection:
        query = "SELECT COUNT(DISTINCT value), MAX(value) FROM counter"
        assert tuple(connection.execute(query).fetchone()) == (600, 600)


def test_a_killed_writer_leaves_the_last_committed_state(tmp_path):
    path = tmp_path / "data" / "state.sqlite3"
    code = """
        import os, pathlib, signal, sys
        from airelays_app.store.database import Database
        database = Database(pathlib.Path(sys.argv[1]))
        with database.writing() as connection:
            connection.execute("CREATE TABLE notes (text)")
            connection.execute("INSERT INTO notes VALUES ('committed')")
        with database.writing() as connection:
            connection.execute("INSERT INTO notes VALUES ('not committed')")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    assert run_python(code, path).returncode == -9
    with closing(Database(path)) as database:
        assert notes(database) == ["committed"]
        add_note(database, "goes on")


def test_a_locked_database_is_503_and_says_so(tmp_path):
    path = tmp_path / "state.sqlite3"
    with closing(Database(path, busy_seconds=0.05)) as database:
        add_note(database)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unavailable, match="locked") as caught:
                add_note(database, "y")
        assert caught.value.headers["Retry-After"]
        assert str(path) not in caught.value.message
        add_note(database, "y")


@pytest.mark.parametrize(
    "content", [b"not a database at all" * 100, b"SQLite format 3\0" + b"x" * 99]
)
def test_a_damaged_database_is_503_and_is_not_touched(tmp_path, content):
    path = tmp_path / "state.sqlite3"
    path.write_bytes(content)
    with closing(Database(path)) as database, pytest.raises(Unavailable, match="damaged"):
        add_note(database)
    assert path.read_bytes() == content


def test_a_directory_in_place_of_the_database_is_503(tmp_path):
    (tmp_path / "state.sqlite3").mkdir()
    with (
        closing(Database(tmp_path / "state.sqlite3")) as database,
        pytest.raises(Unavailable, match="cannot be opened"),
    ):
        add_note(database)


def test_a_full_disk_is_503_and_the_database_recovers(database):
    add_note(database, "before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(Unavailable, match="disk"):
            add_note(database, "x" * 300_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    add_note(database, "after")
    assert notes(database) == ["before", "after"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_directory_is_503(tmp_path):
    directory = tmp_path / "data"
    directory.mkdir()
    (directory / "inner").mkdir(mode=0o500)
    with (
        closing(Database(directory / "inner" / "deeper" / "state.sqlite3")) as database,
        pytest.raises(Unavailable, match="read-only"),
    ):
        add_note(database)


def test_a_read_only_disk_is_503_until_it_is_writable(tiny_disk, remount):
    with closing(Database(tiny_disk / "data" / "state.sqlite3")) as database:
        add_note(database, "before")
        database.close()
        remount("ro")
        for use in (add_note, notes):
            with pytest.raises(Unavailable, match="read-only"):
                use(database)
        remount("rw")
        add_note(database, "after")
        assert notes(database) == ["before", "after"]


def test_a_failed_start_is_tried_again(tmp_path):
    path = tmp_path / "state.sqlite3"
    path.mkdir()
    with closing(Database(path)) as database:
        with pytest.raises(Unavailable):
            add_note(database)
        path.rmdir()
        add_note(database)
        assert notes(database) == ["x"]


def test_a_closed_database_opens_again(database):
    add_note(database)
    database.close()
    assert notes(database) == ["x"]


def test_one_connection_is_not_enough(tmp_path):
    with pytest.raises(ValueError, match="at least 2"):
        Database(tmp_path / "state.sqlite3", max_connections=1)
