"""Writes that gather: in order, in few transactions, none lost while the process lives.

Whoever waits is answered when the write is on the disk, or told why it is not. One write at fault
takes no other along. A process that ends writes what is queued; a killed one loses only what
nobody waited for.
"""

import os
import sqlite3
import threading
from contextlib import closing

import pytest

from airelays_app.errors import Unavailable
from airelays_app.store import batch_writer
from airelays_app.store.batch_writer import BatchWriter
from airelays_app.store.database import Database

LONG = 60.0


@pytest.fixture
def database(tmp_path):
    with closing(Database(tmp_path / "state.sqlite3", busy_seconds=30)) as opened:
        with opened.writing() as connection:
            connection.execute("CREATE TABLE notes (place INTEGER PRIMARY KEY, text TEXT UNIQUE)")
        yield opened


@pytest.fixture
def writer(database):
    writer = BatchWriter(database)
    yield writer
    writer.close()


def note(text):
    return lambda connection: connection.execute("INSERT INTO notes (text) VALUES (?)", [text])


def notes(database):
    with database.reading() as connection:
        return [row["text"] for row in connection.execute("SELECT text FROM notes ORDER BY place")]


def test_a_write_that_was_waited_for_is_there(database, writer):
    writer.submit(note("a"), size=1, durable=True).wait()

    assert notes(database) == ["a"]


def test_a_write_that_no_thread_can_make_is_refused_and_the_next_one_is_made(
    database, writer, monkeypatch
):
    def fail(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", fail)
        with pytest.raises(Unavailable, match="thread"):
            writer.submit(note("a"), size=1, durable=True)
    writer.submit(note("b"), size=1, durable=True).wait()

    assert notes(database) == ["b"]


def test_writes_keep_their_order_whoever_waits(database, writer):
    for number in range(100):
        pending = writer.submit(note(str(number)), size=1, durable=number % 7 == 0)
    pending.wait()

    assert notes(database) == list(map(str, range(100)))


def test_writes_that_gather_are_one_transaction(database, writer, monkeypatch):
    monkeypatch.setattr(batch_writer, "LINGER_SECONDS", LONG)
    transactions = []

    def spy(connection):
        transactions.append(connection.execute("SELECT COUNT(*) FROM notes").fetchone()[0])

    writer.submit(spy, size=0)
    for number in range(20):
        writer.submit(note(str(number)), size=1)
    writer.submit(spy, size=0, durable=True).wait()

    assert transactions == [0, 20]
    assert len(notes(database)) == 20


def test_somebody_who_looks_for_it_makes_it_hurry(database, writer, monkeypatch):
    monkeypatch.setattr(batch_writer, "LINGER_SECONDS", LONG)
    pending = writer.submit(note("a"), size=1)

    writer.hurry()
    pending.wait()

    assert notes(database) == ["a"]


def test_a_write_at_fault_takes_no_other_along(database, writer, monkeypatch):
    monkeypatch.setattr(batch_writer, "LINGER_SECONDS", LONG)
    before = writer.submit(note("a"), size=1)
    wrong = writer.submit(note("a"), size=1)
    after = writer.submit(note("b"), size=1, durable=True)

    with pytest.raises(sqlite3.IntegrityError):
        wrong.wait()
    before.wait()
    after.wait()
    assert notes(database) == ["a", "b"]


def test_who_waits_is_told_that_storage_is_at_fault(tmp_path):
    (tmp_path / "state.sqlite3").write_bytes(b"this is no database at all" * 100)
    writer = BatchWriter(Database(tmp_path / "state.sqlite3"))

    with pytest.raises(Unavailable, match="damaged"):
        writer.submit(note("a"), size=1, durable=True).wait()
    writer.close()


def test_while_the_database_is_locked_what_nobody_waits_for_is_kept_in_its_order(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(batch_writer, "RETRY_SECONDS", 0.01)
    path = tmp_path / "state.sqlite3"
    with closing(Database(path, busy_seconds=0.05)) as database:
        with database.writing() as connection:
            connection.execute("CREATE TABLE notes (place INTEGER PRIMARY KEY, text TEXT UNIQUE)")
        writer = BatchWriter(database)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            writer.submit(note("a"), size=1)
            with pytest.raises(Unavailable):
                writer.submit(note("awaited"), size=1, durable=True).wait()
            kept = writer.submit(note("b"), size=1)
            other.execute("ROLLBACK")
        kept.wait()
        writer.submit(note("c"), size=1, durable=True).wait()
        assert notes(database) == ["a", "b", "c"]
        assert writer._queued_bytes == 0
        writer.close()


def test_a_database_that_does_not_come_back_before_the_end_is_told(tmp_path, caplog):
    (tmp_path / "state.sqlite3").write_bytes(b"this is no database at all" * 100)
    writer = BatchWriter(Database(tmp_path / "state.sqlite3"))
    pending = writer.submit(note("a"), size=1)

    writer.close()

    with pytest.raises(Unavailable):
        pending.wait()
    assert "writes were lost" in caplog.text


def test_who_queues_too_much_waits(database, writer, monkeypatch):
    monkeypatch.setattr(batch_writer, "_MOST_QUEUED_BYTES", 100)

    writer.submit(note("large"), size=101)

    assert notes(database) == ["large"]
    assert writer._queued_bytes == 0


def test_an_end_writes_what_is_queued_and_a_beginning_may_follow(database, writer, monkeypatch):
    monkeypatch.setattr(batch_writer, "LINGER_SECONDS", LONG)
    for number in range(600):
        writer.submit(note(str(number)), size=1)
    writer.close()
    assert len(notes(database)) == 600

    writer.submit(note("again"), size=1, durable=True).wait()
    assert notes(database)[-1] == "again"


def test_a_forked_process_writes_by_itself(database, writer):
    writer.submit(note("parent"), size=1, durable=True).wait()
    child = os.fork()
    if child == 0:
        writer.submit(note("child"), size=1, durable=True).wait()
        os._exit(0)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert notes(database) == ["parent", "child"]


def test_it_tidies_up_between_writes_until_there_is_nothing_to_tidy(database):
    left = [True, True, False]
    done = threading.Event()

    def tidy():
        more = left.pop(0)
        if not left:
            done.set()
        return more

    writer = BatchWriter(database, tidy=tidy)
    writer.submit(note("a"), size=1)

    assert done.wait(LONG)
    writer.close()


def test_what_goes_wrong_with_tidying_hinders_no_write(database):
    def tidy():
        raise Unavailable("the disk is full")

    writer = BatchWriter(database, tidy=tidy)
    writer.submit(note("a"), size=1, durable=True).wait()
    writer.submit(note("b"), size=1, durable=True).wait()
    writer.close()

    assert notes(database) == ["a", "b"]
