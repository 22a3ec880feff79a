"""A disk that is full and a database that others hold: 503 and when to come again, nothing halved.

What needs no storage goes on: models answer, known clients get in. What was told to be stored is,
what could not be is not there at all, and afterwards everything works without a restart.
"""

import os
import resource
import sqlite3
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager

import pytest

from tests.conftest import error_of, parse_sse
from tests.hostile.vital_signs import await_true, children_of, running_requests, stored_rows
from tests.seeds.asking import CHAT, RESPONSES, question, streamed_text, text_of

SAID = [{"role": "user", "content": "a"}]
UPLOAD = {"files": {"file": ("a.txt", b"x" * 10_000)}}
FORM = {"model": (None, "box/sandbox-small"), "file": ("a.wav", b"x" * 3_000_000)}
WRITES = {
    "a conversation": ("POST", "/v1/conversations", {"json": {"metadata": {"a": "b"}}}),
    "a file": ("POST", "/v1/files", UPLOAD),
    "an item": ("POST", "/v1/conversations/{}/items", {"json": {"items": SAID}}),
    "a turn": ("POST", CHAT, {"json": question(CHAT, model="box/sandbox-small")}),
    "a deletion": ("DELETE", "/v1/conversations/{}", {}),
}


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay of one worker, which is then the one that knows the client."""
    return start_relay(WORKERS="1")


def write(relay, what, conversation):
    method, path, options = WRITES[what]
    if what == "a turn":
        options = {"json": {**options["json"], "conversation": conversation}}
    return relay.request(method, path.format(conversation), **options)


def writes_at_once(relay, conversation):
    """Try everything that has to be stored, all at once."""
    with ThreadPoolExecutor(len(WRITES)) as pool:
        return list(pool.map(lambda what: (what, write(relay, what, conversation)), WRITES))


def assert_unavailable(what, answer):
    assert answer.status_code == 503, (what, answer.text)
    assert error_of(answer)["code"] == "unavailable", what
    assert int(answer.headers["Retry-After"]) > 0


def assert_works(relay):
    """Everything that can be stored is, and nothing is held any more."""
    conversation = relay.ok("/v1/conversations", {})["id"]
    for what in WRITES:
        assert write(relay, what, conversation).status_code == 200, what
    await_true(lambda: running_requests(relay) == 0, lambda: running_requests(relay))
    for file in relay.get("/v1/files").json()["data"]:
        assert relay.get(f"/v1/files/{file['id']}/content").content == b"x" * file["bytes"]


@contextmanager
def locked(relay):
    """Hold the database as another process would that forgot to end its transaction."""
    database = relay.data_dir / "state.sqlite3"
    with closing(sqlite3.connect(database, isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_locked_database_is_503_and_what_needs_none_goes_on(relay):
    conversation = relay.ok("/v1/conversations", {"items": SAID})["id"]
    before = stored_rows(relay.data_dir)
    with locked(relay):
        for what, answer in writes_at_once(relay, conversation):
            assert_unavailable(what, answer)
        assert relay.get(f"/v1/conversations/{conversation}").status_code == 200
        assert text_of(CHAT, relay.ok(CHAT, question(CHAT))) == "Hi"
        answered = relay.ok(RESPONSES, question(RESPONSES))
        assert relay.get("/health").status_code == 200
    assert stored_rows(relay.data_dir) == before
    await_true(
        lambda: relay.get(f"{RESPONSES}/{answered['id']}").status_code == 200,
        lambda: "what was answered meanwhile has not been kept",
    )
    assert_works(relay)


def test_a_turn_that_cannot_be_stored_fails_within_its_stream(relay):
    """It is not said to be complete, it is not in the conversation, and the next one may begin."""
    steps = "[[behave slow 0.3]] [[say One two three]]"
    conversations = {path: relay.ok("/v1/conversations", {})["id"] for path in (RESPONSES, CHAT)}
    with ExitStack() as running:
        streams = {}
        for path, conversation in conversations.items():
            body = question(path, steps, conversation=conversation)
            answer = running.enter_context(relay.streaming(path, body))
            pieces = answer.iter_content(None, decode_unicode=True)
            streams[path] = (next(pieces), pieces)
        running.enter_context(locked(relay))
        texts = {path: first + "".join(rest) for path, (first, rest) in streams.items()}
    for path, text in texts.items():
        events = parse_sse(text)
        error = next(event.data["error"] for event in events if "error" in event.data)
        assert error["code"] == "unavailable", error
        assert "[DONE]" not in text
        assert streamed_text(path, events).startswith("One")
        assert_next_turn_is_the_first(relay, path, conversations[path])


def assert_next_turn_is_the_first(relay, path, conversation):
    items = f"/v1/conversations/{conversation}/items"
    assert relay.get(items).json()["data"] == []
    body = question(path, conversation=conversation)
    await_true(
        lambda: relay.post(path, body).status_code == 200, lambda: stored_rows(relay.data_dir)
    )
    assert len(relay.get(items).json()["data"]) == 2


@contextmanager
def no_room_by_limit(relay):
    """Let no process of the relay write another byte to a file."""
    pids = [relay.process.pid, *children_of(relay.process.pid)]
    limits = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in pids}
    for pid, (_, hard) in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        for pid, limit in limits.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)


@contextmanager
def no_room_by_filling(relay):
    """Fill the file system on which the relay lives."""
    ballast = relay.data_dir / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                continue
        except OSError:
            pass
    try:
        yield
    finally:
        ballast.unlink()


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory, start_relay):
    """Return a relay whose data directory is a file system of one megabyte and a bit."""
    directory = tmp_path_factory.mktemp("small")
    options = f"size=3m,mode=0700,uid={os.getuid()}"
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(directory)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system")
    relay = None
    try:
        relay = start_relay(login=False, DATA_DIR=str(directory), WORKERS="1")
        relay.data_dir = directory
        yield relay
    finally:
        if relay:
            relay.stop()
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


@contextmanager
def without_room(relay, no_room, model):
    """Try to have everything stored where there is no room for it; give the answers."""
    conversation = relay.ok("/v1/conversations", {"items": SAID})["id"]
    assert relay.ok(CHAT, question(CHAT, model=model))
    before = stored_rows(relay.data_dir)
    with no_room(relay):
        answers = writes_at_once(relay, conversation)
        yield conversation, answers
        assert text_of(CHAT, relay.ok(CHAT, question(CHAT, model=model))) == "Hi"
        assert relay.get("/v1/relay/status").status_code == 200
    if all(answer.status_code == 503 for _, answer in answers):
        assert stored_rows(relay.data_dir) == before
    assert_works(relay)


def test_files_that_may_not_grow_are_503_and_nothing_is_left_of_the_try(module_relay):
    with without_room(module_relay, no_room_by_limit, "gpt-5.5") as (_, answers):
        for what, answer in answers:
            assert_unavailable(what, answer)
        form = module_relay.request("POST", "/v1/audio/transcriptions", files=FORM)
        assert_unavailable("a form that is relayed", form)


def test_a_full_disk_is_503_for_what_has_no_room(small_disk):
    """What still fits into the journal is stored, and then it is really there."""
    relay = small_disk
    with without_room(relay, no_room_by_filling, "box/sandbox-small") as (conversation, answers):
        assert_unavailable("a file", dict(answers)["a file"])
        for what, answer in answers:
            if answer.status_code != 200:
                assert_unavailable(what, answer)
        deleted = dict(answers)["a deletion"].status_code == 200
        found = relay.get(f"/v1/conversations/{conversation}/items").status_code
        assert found == (404 if deleted else 200)
    assert relay.get("/v1/files").json()["data"]
