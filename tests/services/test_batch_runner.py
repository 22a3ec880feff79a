"""Batches that the relay runs: none waits for the others, and each request has its line.

A model whose upstream asks to wait holds back neither other models of the batch nor other batches;
batches go on in turn. What keeps one from ending keeps no other. Cancelled or out of time, every
request has one line all the same, in OpenAI's form; a killed process leaves no file behind.
"""

import json
import time
from contextlib import closing

import pytest

from airelays_app.errors import TooLarge, Unavailable
from airelays_app.services import batches
from airelays_app.services.batch_files import ResultFiles
from airelays_app.store.batch_work import BatchWork
from airelays_app.store.files import FileStore
from tests.services.batch_kit import DAY, ENDED, OWNER, Desk, keep, request, says

MODEL = "box/sandbox-small"
OTHER = "box/sandbox-large"


@pytest.fixture
def desk(tmp_path, sandbox):
    with closing(Desk(tmp_path, sandbox, AIRELAYS_BATCHES_CONCURRENCY="1")) as desk:
        yield desk


class Clock:
    """A monotonic clock that can be moved on."""

    passed = 0.0

    def monotonic(self):
        return time.monotonic() + self.passed

    def time(self):
        return time.time()


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(batches, "time", clock)
    return clock


def asked(sandbox):
    """Return the texts that were asked for, in the order of asking."""
    found = sandbox.requests.to("/chat/completions")
    return [each.json["messages"][0]["content"] for each in found]


def lines(desk, file_id):
    stored, content = desk.files.open(file_id, owner=OWNER)
    with content:
        assert stored.purpose == "batch_output"
        return [json.loads(line) for line in content]


def test_a_used_up_quota_holds_back_no_other_model_and_no_other_batch(desk, sandbox):
    sandbox.script("limit", path="/chat/completions", retry_after=600)
    mixed = desk.create([request("[[say held]]", MODEL), request("[[say b]]", OTHER)])
    later = desk.create([request("[[say c]]", OTHER)])
    desk.step()
    assert desk.batch(later).status == "completed"
    assert desk.batch(mixed).completed == 1
    assert asked(sandbox) == ["[[say held]]", "[[say c]]", "[[say b]]"]
    assert not desk.batching.runner.is_due()


def test_a_login_is_waited_for_until_its_owner_has_renewed_it(desk, sandbox, clock):
    sandbox.script("status", status=401, path="/chat/completions", times=20)
    batch = desk.create([request("[[say a]]", MODEL)])
    for _ in range(20):
        desk.step()
        assert not desk.batching.runner.is_due()
        clock.passed += 60
    assert [says(each) for each in desk.run(batch)] == ["a"]


def test_an_outage_is_an_error_in_the_end(desk, sandbox, clock):
    sandbox.script("status", status=503, model="sandbox-small", times=6)
    batch = desk.create([request("x", MODEL), request("[[say b]]", OTHER)])
    for _ in range(6):
        desk.step()
        clock.passed += 60
    assert [each.status for each in desk.results(batch)] == [503, 200]


def test_a_batch_that_waits_for_a_quota_can_be_cancelled_at_once(desk, sandbox):
    sandbox.script("limit", path="/chat/completions", retry_after=600)
    batch = desk.create([request("x", MODEL)])
    desk.step()
    desk.store.cancel(batch, OWNER)
    desk.step()
    assert desk.batch(batch).status == "cancelled"


def test_batches_go_on_in_turn_and_a_later_one_joins_at_once(desk, sandbox):
    desk.create([request(f"[[say a{i}]]", MODEL) for i in range(4)])
    joined = []

    def join():
        if len(asked(sandbox)) == 1 and not joined:
            joined.append(desk.create([request(f"[[say b{i}]]", MODEL) for i in range(2)]))
        return True

    desk.batching.runner.run(join)
    assert [text[6:8] for text in asked(sandbox)] == ["a0", "b0", "a1", "b1", "a2", "a3"]
    assert desk.batch(joined[0]).status == "completed"


def test_a_batch_that_cannot_end_keeps_no_other(desk, monkeypatch):
    write = ResultFiles.write_outputs
    stuck = desk.create([request("[[say a]]", MODEL)])
    other = desk.create([request("[[say b]]", MODEL)])

    def fail(files, batch, keep):
        if batch.id == stuck:
            raise Unavailable("the disk is full")
        return write(files, batch, keep)

    with monkeypatch.context() as patched:
        patched.setattr(ResultFiles, "write_outputs", fail)
        desk.step()
    assert desk.batch(stuck).status == "finalizing"
    assert desk.batch(other).status == "completed"
    assert not desk.batching.runner.is_due()


def test_a_result_that_cannot_be_written_is_asked_for_later(desk, sandbox, monkeypatch):
    def fail(*_, **__):
        raise Unavailable("the disk is full")

    batch = desk.create([request("[[say a]]", MODEL)])
    with monkeypatch.context() as patched:
        patched.setattr(BatchWork, "finish_request", fail)
        desk.step()
    assert asked(sandbox) == ["[[say a]]"]
    assert not desk.batching.runner.is_due()
    assert desk.batch(batch).status == "in_progress"


def test_a_process_killed_while_it_ends_a_batch_leaves_no_second_file(
    desk, sandbox, tmp_path, monkeypatch
):
    def die(*_, **__):
        raise KeyboardInterrupt

    batch = desk.create([request("[[say a]]", MODEL), request("x", "box/no-such-model")])
    with monkeypatch.context() as patched:
        patched.setattr(BatchWork, "end", die)
        with pytest.raises(KeyboardInterrupt):
            desk.step()
    with closing(Desk(tmp_path, sandbox)) as heir:
        heir.run(batch)
    ended = desk.batch(batch)
    page = desk.files.list(owner=OWNER)
    assert {each.id for each in page.data} == {ended.output_file_id, ended.error_file_id}
    assert [each["custom_id"] for each in lines(desk, ended.output_file_id)] == ["request-1"]
    assert [each["custom_id"] for each in lines(desk, ended.error_file_id)] == ["request-2"]


def test_of_two_that_end_a_batch_the_slower_one_leaves_no_files(
    desk, sandbox, tmp_path, monkeypatch
):
    write = ResultFiles.write_errors
    batch = desk.create([request("[[say a]]", MODEL)])

    def outrun(files, ending, keep, *, unrun):
        monkeypatch.undo()
        with closing(Desk(tmp_path, sandbox)) as faster:
            faster.run(batch)
        return write(files, ending, keep, unrun=unrun)

    monkeypatch.setattr(ResultFiles, "write_errors", outrun)
    desk.step()
    assert [each.id for each in desk.files.list(owner=OWNER).data] == [
        desk.batch(batch).output_file_id
    ]


def test_results_for_which_there_is_no_room_are_told_all_the_same(desk, monkeypatch, caplog):
    def refuse(*_, **__):
        raise TooLarge("The stored files may have 1 bytes in all.", code="storage_full")

    monkeypatch.setattr(FileStore, "create", refuse)
    results = desk.run(batch := desk.create([request("[[say a]]", MODEL)]))
    assert says(results[0]) == "a"
    assert desk.batch(batch).output_file_id is None
    assert f"batch {batch} has no file of its output lines" in caplog.text


@pytest.mark.parametrize("endpoint", ["/v1/chat/completions", "/v1/messages"])
def test_the_line_of_a_request_that_was_not_run_has_an_error_and_no_response(desk, endpoint):
    cancelled, late = (desk.create([request("x", MODEL)], endpoint) for _ in range(2))
    desk.store.cancel(cancelled, OWNER)
    desk.let_time_run_out(late)
    desk.step()
    for batch_id, code in ((cancelled, "batch_cancelled"), (late, "batch_expired")):
        batch = desk.batch(batch_id)
        (line,) = lines(desk, batch.error_file_id)
        assert line["response"] is None
        assert line["error"]["code"] == code
        assert line["error"]["message"]
        assert (batch.total, batch.completed, batch.failed) == (1, 0, 1)
        assert batch.output_file_id is None


def test_a_result_that_comes_after_the_end_changes_nothing(desk):
    batch = desk.create([request("x", MODEL)])
    desk.store.cancel(batch, OWNER)
    desk.batching.runner.run(keep)
    before = desk.results(batch)
    BatchWork(desk.core.database).finish_request(batch, 0, status=200, response={})
    assert desk.batch(batch).status in ENDED
    assert desk.results(batch) == before


def test_unknown_models_aliases_and_fallbacks_are_told_line_by_line(tmp_path, sandbox):
    rules = {
        "AIRELAYS_MODELS_ALIASES": json.dumps({"small": MODEL}),
        "AIRELAYS_ROUTING_FALLBACKS": json.dumps({OTHER: MODEL}),
    }
    with closing(Desk(tmp_path, sandbox, **rules)) as desk:
        sandbox.script("status", status=503, path="/chat/completions", model="sandbox-large")
        models = ["small", "box/no-such-model", OTHER, "nobody/nothing"]
        results = desk.run(desk.create([request("[[say Hi]]", model) for model in models]))
    assert [each.status for each in results] == [200, 404, 200, 404]
    assert says(results[0]) == says(results[2]) == "Hi"


def test_what_ended_long_ago_is_forgotten_and_the_rest_is_kept(desk):
    old, recent = (desk.create([request("[[say a]]", MODEL)]) for _ in range(2))
    desk.run(old)
    desk.run(recent)
    running = desk.create([request("[[say a]]", MODEL)])
    desk.let_age(old, 31 * DAY)
    desk.let_age(recent, 29 * DAY)
    output = desk.batch(old).output_file_id
    desk.batching.retention.sweep()
    assert [each.id for each in desk.store.page(OWNER, limit=10, after=None).data] == [
        running,
        recent,
    ]
    assert desk.results(old) == []
    assert len(desk.results(recent)) == 1
    assert lines(desk, output)
