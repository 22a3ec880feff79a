"""Conversations: items in order, atomic turns, one turn at a time, cost of a turn its own size.

Rules: what is stored comes back in order and unharmed, under ids unique in the conversation; a turn
is appended whole or not at all; a second turn meanwhile is 409 ``conversation_locked`` with
``Retry-After``, also from another process, until the first ends, its lease ends, or its process is
killed; a turn that lost its lease adds nothing; a turn writes only its own rows however long the
conversation is; metadata has the limits of the API, counted in characters.
"""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airelays_app.errors import (
    Conflict,
    NotFound,
    RelayError,
    TooLarge,
    Unavailable,
    Unprocessable,
)
from airelays_app.store import conversation_turns
from airelays_app.store.conversations import ConversationStore
from airelays_app.store.database import Database


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "state.sqlite3"


@pytest.fixture
def database(path):
    with closing(Database(path, busy_seconds=30)) as opened:
        yield opened


@pytest.fixture
def store(database):
    return ConversationStore(database)


def says(text, role="user", **fields):
    return {"type": "message", "role": role, "content": text, **fields}


def texts(items):
    return [item["content"] for item in items]


def take_turn(store, conversation_id, number):
    with store.begin_turn(conversation_id) as turn:
        return turn.commit(
            input_items=[says(f"question {number}")],
            output_items=[says(f"answer {number}", "assistant")],
            response_id=f"resp_{number}",
        )


def refusal(function, *arguments, **options):
    with pytest.raises(RelayError) as caught:
        function(*arguments, **options)
    return caught.value


def test_a_new_conversation_has_what_it_was_given(store):
    made = store.create(metadata={"topic": "ü"}, items=[says("hello")], owner="laptop")
    assert made.id.startswith("conv_")
    assert len(made.id) == len("conv_") + 32
    assert store.get(made.id, owner="laptop") == made
    assert (made.metadata, made.owner, made.latest_response_id) == ({"topic": "ü"}, "laptop", None)
    assert texts(store.history(made.id, owner="laptop")) == ["hello"]
    assert store.count() == 1


def test_a_refused_item_leaves_no_conversation(store):
    error = refusal(store.create, items=[says("a"), "b"])
    assert (type(error), error.param) == (Unprocessable, "items[1]")
    assert store.count() == 0


def test_items_get_ids_by_their_type_and_keep_their_own(store):
    items = [
        says("a"),
        {"role": "user", "content": "an easy message"},
        {"type": "function_call", "id": "fc_own", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "reasoning", "encrypted_content": "sealed"},
        {"type": "something_new", "id": 7},
        says("b", id="fc_own"),
        says("c", id=""),
        says("d", id="\ud800"),
    ]
    made = store.create(items=items)
    stored = store.history(made.id)
    ids = [item["id"] for item in stored]
    prefixes = [item_id.partition("_")[0] for item_id in ids]
    assert prefixes == ["msg", "msg", "fc", "rs", "item", "msg", "msg", "msg"]
    assert ids[2] == "fc_own"
    assert len(set(ids)) == len(ids)
    assert [item | {"id": 0} for item in stored] == [item | {"id": 0} for item in items]


def test_an_id_that_is_taken_is_replaced_also_later(store):
    made = store.create(items=[says("a", id="msg_1")])
    (added,) = store.add_items(made.id, [says("b", id="msg_1")])
    assert added["id"] != "msg_1"
    assert store.get_item(made.id, "msg_1")["content"] == "a"
    assert store.get_item(made.id, added["id"])["content"] == "b"


def test_the_same_id_may_stand_in_two_conversations(store):
    first = store.create(items=[says("a", id="msg_1")])
    second = store.create(items=[says("b", id="msg_1")])
    assert store.get_item(first.id, "msg_1")["content"] == "a"
    assert store.get_item(second.id, "msg_1")["content"] == "b"


NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.dictionaries(st.text(st.characters(), max_size=8), JSON, max_size=4), max_size=4)
)
def test_any_json_object_comes_back_unharmed(store, items):
    made = store.create(items=items)
    stored = store.history(made.id)
    assert [item | {"id": 0} for item in stored] == [item | {"id": 0} for item in items]
    assert all(store.get_item(made.id, item["id"]) == item for item in stored)


def test_a_turn_is_appended_in_order_and_released(store):
    made = store.create(items=[says("seed")])
    stored = take_turn(store, made.id, 1)
    take_turn(store, made.id, 2)
    expected = ["seed", "question 1", "answer 1", "question 2", "answer 2"]
    assert texts(store.history(made.id)) == expected
    assert store.history(made.id)[1:3] == list(stored)
    assert store.get(made.id).latest_response_id == "resp_2"


def test_a_turn_without_a_response_id_keeps_the_last_one(store):
    made = store.create()
    take_turn(store, made.id, 1)
    with store.begin_turn(made.id) as turn:
        turn.commit(input_items=[says("x")], output_items=[], response_id=None)
    assert store.get(made.id).latest_response_id == "resp_1"


def test_a_turn_that_fails_changes_nothing(store):
    made = store.create(items=[says("seed")])
    with pytest.raises(LookupError), store.begin_turn(made.id):
        raise LookupError
    assert texts(store.history(made.id)) == ["seed"]
    take_turn(store, made.id, 1)


def test_a_turn_is_whole_or_not_there(store):
    made = store.create()
    with store.begin_turn(made.id) as turn:
        error = refusal(
            turn.commit, input_items=[says("x")], output_items=["not an item"], response_id="r"
        )
        assert (type(error), error.param) == (Unprocessable, "output[0]")
    assert store.history(made.id) == []
    assert store.get(made.id).latest_response_id is None


def test_a_second_turn_meanwhile_is_409_with_retry_after(store):
    made = store.create()
    with store.begin_turn(made.id):
        error = refusal(store.begin_turn, made.id)
        assert (type(error), error.code) == (Conflict, "conversation_locked")
        assert 1 <= int(error.headers["Retry-After"]) <= 5
        assert refusal(store.add_items, made.id, [says("x")]).code == "conversation_locked"
    take_turn(store, made.id, 1)


def test_deleting_an_item_meanwhile_is_409(store):
    made = store.create(items=[says("a", id="msg_1")])
    with store.begin_turn(made.id):
        assert refusal(store.delete_item, made.id, "msg_1").code == "conversation_locked"
    store.delete_item(made.id, "msg_1")


def test_turns_of_two_conversations_do_not_meet(store):
    first, second = store.create(), store.create()
    with store.begin_turn(first.id):
        take_turn(store, second.id, 1)


def test_50_threads_never_share_a_turn(store):
    made = store.create()

    def attempt(number):
        try:
            take_turn(store, made.id, number)
        except Conflict:
            return None
        return number

    with ThreadPoolExecutor(50) as threads:
        done = {number for number in threads.map(attempt, range(50)) if number is not None}
    history = texts(store.history(made.id))
    assert done
    assert len(history) == 2 * len(done)
    for question, answer in zip(history[::2], history[1::2], strict=True):
        assert question.split()[1] == answer.split()[1]


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

    monkeypatch.setattr(conversation_turns, "seconds_since_boot", lambda: Clock.now)
    return Clock


def test_a_lease_ends_and_the_late_turn_adds_nothing(store, clock):
    made = store.create()
    late = store.begin_turn(made.id, ttl_seconds=60)
    clock.now += 61
    take_turn(store, made.id, 2)
    error = refusal(late.commit, input_items=[says("late")], output_items=[], response_id="r")
    assert (type(error), error.code) == (Conflict, "conversation_lock_lost")
    late.release()
    assert texts(store.history(made.id)) == ["question 2", "answer 2"]


def test_a_lease_of_before_the_machine_was_booted_again_holds_nothing(store, clock, monkeypatch):
    """Where the name of the boot is hidden, only its length tells."""
    monkeypatch.setattr(conversation_turns, "is_gone", lambda _: False)
    made = store.create()
    clock.now = 500_000.0
    store.begin_turn(made.id)
    clock.now = 100.0
    store.begin_turn(made.id).release()


def test_a_late_turn_that_nobody_overtook_still_counts(store, clock):
    made = store.create()
    late = store.begin_turn(made.id, ttl_seconds=60)
    clock.now += 61
    late.commit(input_items=[says("late")], output_items=[], response_id="r")
    assert texts(store.history(made.id)) == ["late"]


def test_the_late_turn_s_release_does_not_free_the_next_one(store, clock):
    made = store.create()
    late = store.begin_turn(made.id, ttl_seconds=60)
    clock.now += 61
    with store.begin_turn(made.id):
        late.release()
        assert refusal(store.begin_turn, made.id).code == "conversation_locked"


def test_a_renewed_lease_lasts(store, clock):
    made = store.create()
    with store.begin_turn(made.id, ttl_seconds=60) as turn:
        for _ in range(10):
            clock.now += 31
            turn.renew()
        assert refusal(store.begin_turn, made.id).code == "conversation_locked"


def test_a_lease_that_cannot_be_renewed_now_is_renewed_a_little_later(
    store, clock, database, path, monkeypatch
):
    monkeypatch.setattr(database, "_busy_seconds", 0.05)
    made = store.create()
    turn = store.begin_turn(made.id, ttl_seconds=80)
    clock.now += 41
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        turn.renew()
    clock.now += 9
    turn.renew()
    turn.renew()
    clock.now += 31
    turn.renew()
    assert refusal(store.begin_turn, made.id).code == "conversation_locked"
    clock.now += 39
    assert refusal(store.begin_turn, made.id).code == "conversation_locked"


def test_renewing_early_writes_nothing_and_late_tells_of_the_loss(store, clock, database):
    made = store.create()
    turn = store.begin_turn(made.id, ttl_seconds=60)
    with database.writing() as connection:
        before = connection.total_changes
    turn.renew()
    with database.writing() as connection:
        assert connection.total_changes == before
    clock.now += 61
    with store.begin_turn(made.id):
        assert refusal(turn.renew).code == "conversation_lock_lost"


TURN_IN_ANOTHER_PROCESS = """
    import pathlib, sys
    from airelays_app.store.conversations import ConversationStore
    from airelays_app.store.database import Database
    store = ConversationStore(Database(pathlib.Path(sys.argv[1])))
    turn = store.begin_turn(sys.argv[2], ttl_seconds=3600)
    print("begun", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.parametrize("reaped", [True, False])
def test_a_killed_process_frees_its_turn_at_once(store, path, reaped):
    made = store.create(items=[says("seed")])
    code = textwrap.dedent(TURN_IN_ANOTHER_PROCESS)
    command = [sys.executable, "-c", code, str(path), made.id]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"begun\n"
        assert refusal(store.begin_turn, made.id).code == "conversation_locked"
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | (0 if reaped else os.WNOWAIT))
        take_turn(store, made.id, 1)
        assert texts(store.history(made.id)) == ["seed", "question 1", "answer 1"]
        process.returncode = -signal.SIGKILL if reaped else process.wait()


def test_kill_before_the_commit_of_a_turn_leaves_none_of_it(store, path):
    made = store.create()
    code = """
        import os, pathlib, sys
        from airelays_app.store import conversation_turns
        from airelays_app.store.conversations import ConversationStore
        from airelays_app.store.database import Database
        store = ConversationStore(Database(pathlib.Path(sys.argv[1])))
        turn = store.begin_turn(sys.argv[2])
        conversation_turns.TurnLock._remove = lambda *_: os._exit(9)
        turn.commit(input_items=[{"a": 1}], output_items=[{"b": 2}], response_id="resp_1")
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(path), made.id]
    assert subprocess.run(command, check=False, timeout=60).returncode == 9
    assert store.history(made.id) == []
    assert store.get(made.id).latest_response_id is None
    take_turn(store, made.id, 1)


def test_a_turn_writes_its_own_rows_only_however_long_the_conversation(store, database):
    made = store.create(items=[says("x" * 1000)] * 300)
    changes = []
    for number in range(30):
        with database.writing() as connection:
            before = connection.total_changes
        take_turn(store, made.id, number)
        with database.writing() as connection:
            changes.append(connection.total_changes - before)
    assert len(set(changes)) == 1
    assert changes[0] < 10


def test_metadata_is_merged_or_replaced(store):
    made = store.create(metadata={"a": "1", "b": "2"})
    assert store.update_metadata(made.id, {"b": "3", "c": "4"}).metadata == {
        "a": "1",
        "b": "3",
        "c": "4",
    }
    assert store.update_metadata(made.id, {"z": "9"}, mode="replace").metadata == {"z": "9"}
    assert store.update_metadata(made.id, {}, mode="replace").metadata == {}
    assert store.get(made.id).metadata == {}


GOOD_METADATA = [
    {},
    {f"key {n}": "v" for n in range(16)},
    {"ж" * 64: "🙂" * 512},
    {"": ""},
    {"half": "\ud83d"},
]
BAD_METADATA = [
    {f"key {n}": "v" for n in range(17)},
    {"k" * 65: "v"},
    {"k": "v" * 513},
    {"k": 1},
    {"k": None},
    {"k": ["v"]},
]


@pytest.mark.parametrize("metadata", GOOD_METADATA)
def test_metadata_within_the_limits_comes_back(store, metadata):
    assert store.get(store.create(metadata=metadata).id).metadata == metadata


@pytest.mark.parametrize("metadata", BAD_METADATA)
def test_metadata_past_a_limit_is_refused_everywhere(store, metadata):
    made = store.create(metadata={"kept": "yes"})
    for error in (
        refusal(store.create, metadata=metadata),
        refusal(store.update_metadata, made.id, metadata),
        refusal(store.update_metadata, made.id, metadata, mode="replace"),
    ):
        assert (type(error), error.param) == (Unprocessable, "metadata")
    assert store.get(made.id).metadata == {"kept": "yes"}
    assert store.count() == 1


def test_merging_counts_what_is_there_already(store):
    made = store.create(metadata={f"key {n}": "v" for n in range(16)})
    assert refusal(store.update_metadata, made.id, {"one more": "v"}).param == "metadata"
    assert store.update_metadata(made.id, {"key 3": "new"}).metadata["key 3"] == "new"


def test_odd_metadata_of_an_earlier_release_can_still_be_changed(store, database):
    made = store.create()
    with database.writing() as connection:
        connection.execute("""UPDATE conversations SET metadata_json = '{"n": 1}'""")
    assert store.update_metadata(made.id, {"a": "b"}).metadata == {"n": 1, "a": "b"}


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_join_to_the_whole_history(store, order):
    made = store.create(items=[says(str(n)) for n in range(7)])
    expected = [item["id"] for item in store.history(made.id)]
    if order == "desc":
        expected.reverse()
    seen, after = [], None
    for _ in range(4):
        page = store.items(made.id, limit=2, order=order, after=after)
        ids = [item["id"] for item in page.data]
        assert (page.first_id, page.last_id) == (ids[0], ids[-1])
        seen += ids
        assert page.has_more == (len(seen) < 7)
        after = page.last_id
    assert seen == expected


@pytest.mark.parametrize(
    ("options", "error", "param"),
    [
        ({"after": "msg_unknown"}, NotFound, "after"),
        ({"after": "\ud800"}, NotFound, "after"),
        ({"limit": 0}, Unprocessable, "limit"),
        ({"limit": 101}, Unprocessable, "limit"),
        ({"order": "up"}, Unprocessable, "order"),
    ],
)
def test_bad_paging_names_the_field(store, options, error, param):
    caught = refusal(store.items, store.create().id, **options)
    assert (type(caught), caught.param) == (error, param)


def test_a_deleted_item_is_gone_and_the_others_keep_their_order(store):
    made = store.create(items=[says(text, id=f"msg_{text}") for text in "abc"])
    assert store.delete_item(made.id, "msg_b").id == made.id
    assert refusal(store.get_item, made.id, "msg_b").param == "item_id"
    assert refusal(store.delete_item, made.id, "msg_b").param == "item_id"
    store.add_items(made.id, [says("d")])
    assert texts(store.history(made.id)) == ["a", "c", "d"]


def test_a_deleted_conversation_is_gone_with_its_items(store, database):
    made = store.create(items=[says("a")])
    turn = store.begin_turn(made.id)
    store.delete(made.id)
    assert (
        refusal(turn.commit, input_items=[says("b")], output_items=[], response_id="r").status
        == 404
    )
    turn.release()
    with database.reading() as connection:
        for table in ("conversations", "conversation_items", "conversation_turns"):
            assert connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] == 0


@pytest.mark.parametrize("unknown", ["conv_0", "", "\ud800", "a\x00b"])
def test_an_unknown_conversation_is_404_on_every_method(store, unknown):
    assert_unknown(store, unknown)


@pytest.mark.parametrize("owner", [None, "phone"])
def test_another_s_conversation_is_404_on_every_method(store, owner):
    made = store.create(items=[says("hello")], owner="laptop")

    assert_unknown(store, made.id, owner=owner)

    assert texts(store.history(made.id, owner="laptop")) == ["hello"]


def test_a_conversation_without_owner_is_everybodys(store):
    made = store.create(items=[says("hello")])

    assert texts(store.history(made.id, owner="phone")) == ["hello"]


def assert_unknown(store, conversation_id, **options):
    for function, arguments in [
        (store.get, []),
        (store.update_metadata, [{}]),
        (store.delete, []),
        (store.items, []),
        (store.history, []),
        (store.add_items, [[]]),
        (store.get_item, ["msg_1"]),
        (store.delete_item, ["msg_1"]),
        (store.begin_turn, []),
    ]:
        error = refusal(function, conversation_id, *arguments, **options)
        assert (type(error), error.param) == (NotFound, "conversation_id")


def test_a_full_disk_adds_nothing_of_a_turn(tiny_disk):
    with closing(Database(tiny_disk / "state.sqlite3")) as database:
        store = ConversationStore(database)
        made = store.create(items=[says("seed")])
        with store.begin_turn(made.id) as turn, pytest.raises(Unavailable, match="full"):
            turn.commit(input_items=[says("x" * 900_000)], output_items=[], response_id="r")
        assert texts(store.history(made.id)) == ["seed"]
        take_turn(store, made.id, 1)


def test_a_history_that_is_too_large_is_never_read(database):
    store = ConversationStore(database, max_history_bytes=300)
    made = store.create(items=[says("x" * 100)])
    assert len(store.history(made.id)) == 1
    store.add_items(made.id, [says("x" * 100)])
    error = refusal(store.history, made.id)
    assert (type(error), error.param) == (TooLarge, "conversation")
    store.delete_item(made.id, store.items(made.id).first_id)
    assert len(store.history(made.id)) == 1
