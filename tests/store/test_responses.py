"""Kept replies: found by their owner only, continued whole or not at all, forgotten in time.

A reply with an id that there is already takes its place. One that is older than the owner wants is
not found, whether it has been removed or not; removal goes by age, then by size, the oldest first,
and takes along what belongs to it.
"""

import threading
import time
from contextlib import closing

import pytest

from airelays_app.errors import NotFound, TooLarge
from airelays_app.store.batch_writer import BatchWriter
from airelays_app.store.database import Database
from airelays_app.store.item_ids import number_in, numbered
from airelays_app.store.response_retention import ResponseRetention, RetentionRule
from airelays_app.store.responses import NewResponse, ResponseStore

DAY = 86_400
ROOMY = 10**9


@pytest.fixture
def database(tmp_path):
    with closing(Database(tmp_path / "state.sqlite3", busy_seconds=30)) as opened:
        yield opened


@pytest.fixture
def writer(database):
    writer = BatchWriter(database)
    yield writer
    writer.close()


@pytest.fixture
def store(database, writer):
    return ResponseStore(database, writer, max_age_seconds=30 * DAY)


def reply(response_id, *, owner="main", previous=None, age=0, body=b"{}", items=()):
    return NewResponse(
        owner=owner,
        id=response_id,
        status="completed",
        previous_id=previous,
        created_at=int(time.time() - age),
        input_json=body,
        response_json=b"{}",
        item_ids=items,
    )


def keep(store, *args, **fields):
    store.add(reply(*args, **fields), durable=True).wait()


def ids_in(database, table="responses", column="id"):
    with database.reading() as connection:
        return [row[0] for row in connection.execute(f"SELECT {column} FROM {table}")]


def test_owners_do_not_share_ids(store):
    keep(store, "resp_1", body=b"mine")
    keep(store, "resp_1", owner="phone", body=b"theirs")

    assert store.get("main", "resp_1").input_json == b"mine"
    assert store.get("phone", "resp_1").input_json == b"theirs"
    with pytest.raises(NotFound):
        store.get("tablet", "resp_1")


def test_a_reply_with_the_same_id_takes_the_place(store):
    keep(store, "resp_1", body=b"old", items=["msg_1"])
    before = store.get("main", "resp_1").number
    keep(store, "resp_1", body=b"new", items=["msg_2"])

    found = store.get("main", "resp_1")
    assert (found.input_json, found.number) == (b"new", before)
    assert set(store.holders("main", ["msg_1", "msg_2"], max_bytes=ROOMY)) == {"msg_1", "msg_2"}


def test_what_is_written_only_a_moment_later_is_found(store, writer):
    writing = threading.Event()
    writer.submit(lambda connection: writing.wait(0.2), size=0, durable=True)
    store.add(reply("resp_1", items=["msg_1"]), durable=False)

    assert store.holders("main", ["msg_1"], max_bytes=ROOMY)["msg_1"].id == "resp_1"
    assert store.get("main", "resp_1").id == "resp_1"


def test_a_chain_begins_with_its_oldest(store):
    keep(store, "resp_1")
    keep(store, "resp_2", previous="resp_1")
    keep(store, "resp_3", previous="resp_2")

    chain = store.chain("main", "resp_3", max_bytes=ROOMY)

    assert [one.id for one in chain] == ["resp_1", "resp_2", "resp_3"]


def test_a_chain_with_a_gap_is_none(store):
    keep(store, "resp_2", previous="resp_1")
    keep(store, "resp_1", owner="phone")

    with pytest.raises(NotFound):
        store.chain("main", "resp_2", max_bytes=ROOMY)


def test_a_chain_that_bites_its_tail_ends(store):
    """A server that gives every reply the same id makes one."""
    keep(store, "resp_1", previous="resp_2")
    keep(store, "resp_2", previous="resp_1")

    assert len(store.chain("main", "resp_2", max_bytes=ROOMY)) == 2


def test_a_chain_may_be_too_large(store):
    keep(store, "resp_1", body=b"x" * 600)
    keep(store, "resp_2", previous="resp_1", body=b"x" * 600)

    with pytest.raises(TooLarge):
        store.chain("main", "resp_2", max_bytes=1000)
    with pytest.raises(TooLarge):
        store.holders("main", [f"msg_{number:016x}{0:016x}" for number in (1, 2)], max_bytes=1000)


def test_an_id_that_is_made_for_an_item_says_where_it_is(store):
    keep(store, "resp_1")
    stored = store.get("main", "resp_1")
    (first, named) = numbered([{"role": "user"}, {"id": "own"}], stored.number)

    assert number_in(first["id"]) == stored.number
    assert named == {"id": "own"}
    assert store.holders("main", [first["id"]], max_bytes=ROOMY)[first["id"]].id == "resp_1"
    assert store.holders("phone", [first["id"]], max_bytes=ROOMY) == {}


@pytest.mark.parametrize("item_id", ["msg_" + "f" * 32, "msg_", "", "msg_" + "0" * 31, "x" * 999])
def test_no_other_id_says_anything(store, item_id):
    assert store.holders("main", [item_id], max_bytes=ROOMY) == {}


def test_a_deleted_reply_leaves_nothing(store, database):
    keep(store, "resp_1", items=["msg_1"])
    store.delete("main", "resp_1")

    assert ids_in(database, "response_items", "item_id") == []
    with pytest.raises(NotFound):
        store.delete("main", "resp_1")


def test_a_number_is_never_used_again(store):
    keep(store, "resp_1")
    before = store.get("main", "resp_1").number
    store.delete("main", "resp_1")
    keep(store, "resp_2")

    assert store.get("main", "resp_2").number > before


def test_what_is_too_old_is_not_found_and_removed(store, database):
    keep(store, "resp_old", age=31 * DAY)
    keep(store, "resp_new", age=29 * DAY)

    with pytest.raises(NotFound):
        store.get("main", "resp_old")
    retention(database).sweep()
    assert ids_in(database) == ["resp_new"]


def retention(database, *, max_bytes=ROOMY):
    rule = RetentionRule(max_age_seconds=30 * DAY, max_bytes=max_bytes)
    return ResponseRetention(database, rule)


def test_the_oldest_are_removed_until_the_rest_is_small_enough(store, database):
    for number in range(50):
        keep(store, f"resp_{number}", age=100 - number, body=b"x" * 998, items=[f"msg_{number}"])

    retention(database, max_bytes=10_000).sweep()

    assert ids_in(database) == [f"resp_{number}" for number in range(40, 50)]
    assert len(ids_in(database, "response_items", "item_id")) == 10


def test_removal_goes_in_small_steps_and_rests_when_there_is_nothing_to_do(store, database):
    for number in range(50):
        keep(store, f"resp_{number}", age=31 * DAY)
    tidying = retention(database)

    assert [tidying.step() for _ in range(5)] == [True, True, True, False, False]
    keep(store, "resp_old", age=31 * DAY)
    assert tidying.step() is False  # it looks again only after a while
