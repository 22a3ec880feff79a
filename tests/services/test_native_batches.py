"""Batches that providers run: every request has one result, whatever the provider does.

Requests are prepared and results read as if they were sent one by one. What a provider will not
run, or fails to for the moment, the relay runs. A submission that may have arrived is looked for
before it is made again. Cancelling reaches the provider, and what was done by then counts.
"""

from dataclasses import dataclass
from io import BytesIO

import pytest

from airelays_app.errors import Unavailable
from airelays_app.providers.anthropic.batches import AnthropicBatches
from airelays_app.providers.gemini.batches import GeminiBatches
from airelays_app.providers.openai_batches import OpenAIBatches
from airelays_app.services.batch_requests import inline_requests
from airelays_app.store.batch_submissions import SubmissionStore
from tests.services.batch_kit import CHAT, DAY, OWNER, Desk, keep, request, says

NEVER = 1_000_000
_WIRES = "airelays_app.providers"


@dataclass(frozen=True)
class Vendor:
    """A model there, the wire's module, and how paths of batches and single requests end.

    ``half`` is how many of four requests have results after an early end.
    """

    model: str
    wire: str
    batches: str
    single: str
    half: int = 2

    def request(self, text, **fields):
        return request(text, self.model, **fields)

    def made(self, sandbox):
        """Return how many batches have been submitted."""
        return sum(each.method == "POST" for each in sandbox.requests.to(self.batches))

    def singles(self, sandbox):
        """Return how many requests have been sent by themselves."""
        return len(sandbox.requests.to(self.single))


OPENAI = Vendor(
    "openai/sandbox-small",
    wire=f"{_WIRES}.openai_batches",
    batches="/batches",
    single="/v1/chat/completions",
)
ANTHROPIC = Vendor(
    "anthropic/claude-sonnet-4-5",
    wire=f"{_WIRES}.anthropic.batches",
    batches="/messages/batches",
    single="/v1/messages",
)
GEMINI = Vendor(
    "gemini/gemini-2.5-flash",
    wire=f"{_WIRES}.gemini.batches",
    batches=":batchGenerateContent",
    single=":generateContent",
    half=0,
)
MISTRAL = Vendor(
    "mistral/sandbox-small",
    wire=f"{_WIRES}.mistral_batches",
    batches="/batch/jobs",
    single="/v1/chat/completions",
)
XAI = Vendor(
    "xai/sandbox-small",
    wire=f"{_WIRES}.xai_batches",
    batches="/batches",
    single="/v1/chat/completions",
)
VENDORS = {
    "openai": OPENAI,
    "anthropic": ANTHROPIC,
    "gemini": GEMINI,
    "mistral": MISTRAL,
    "xai": XAI,
}


@pytest.fixture(params=VENDORS)
def vendor(request):
    return VENDORS[request.param]


def statuses(results):
    return [each.status for each in results]


def test_a_batch_is_run_by_its_provider_and_its_results_are_in_order(desk, sandbox, vendor):
    sandbox.settings.batch_looks = 3
    batch = desk.create([vendor.request(f"[[say {i}]]") for i in range(5)])
    results = desk.run(batch)
    assert [says(each) for each in results] == [str(i) for i in range(5)]
    assert all(each.response["usage"]["completion_tokens"] for each in results)
    assert vendor.made(sandbox) == 1
    assert vendor.singles(sandbox) == 0


def test_a_client_of_another_dialect_gets_its_own(desk, sandbox):
    body = {"model": "openai/sandbox-small", "max_tokens": 50}
    body["messages"] = [{"role": "user", "content": "[[say Hi]] [[call look {}]]"}]
    body["tools"] = [{"name": "look", "input_schema": {"type": "object", "properties": {}}}]
    results = desk.run(desk.create([{"body": body}], "/v1/messages"))
    message = results[0].response
    assert message["type"] == "message"
    assert message["stop_reason"] == "tool_use"
    assert [block["type"] for block in message["content"]][-1] == "tool_use"
    assert sandbox.requests.to("/batches")[0].json["endpoint"] == "/v1/responses"
    assert not sandbox.requests.to("/v1/responses")


def test_what_cannot_be_in_a_batch_there_is_run_by_the_relay(desk, sandbox):
    body = {"model": XAI.model, "input": "[[say a]]"}
    assert statuses(desk.run(desk.create([{"body": body}], "/v1/responses"))) == [200]
    assert not XAI.made(sandbox)
    assert len(sandbox.requests.to("/v1/responses")) == 1


def test_the_owner_can_have_all_dialects_in_one_that_a_batch_can_be_in(tmp_path, sandbox):
    desk = Desk(tmp_path, sandbox, AIRELAYS_PROVIDERS_XAI_DIALECTS="chat")
    body = {"model": XAI.model, "input": "[[say a]]"}
    results = desk.run(desk.create([{"body": body}], "/v1/responses"))
    assert results[0].response["object"] == "response"
    assert XAI.made(sandbox) == 1
    assert not XAI.singles(sandbox)
    desk.close()


def test_a_batch_for_several_providers_and_models_is_split(desk, sandbox):
    models = ["openai/sandbox-small", "box/sandbox-small", "openai/sandbox-large"]
    batch = desk.create([request(f"[[say {i}]]", models[i % 3]) for i in range(6)])
    assert [says(each) for each in desk.run(batch)] == [str(i) for i in range(6)]
    assert len(sandbox.requests.to("/chat/completions")) == 2
    assert len([each for each in sandbox.requests.to("/batches") if each.method == "POST"]) == 2


def test_a_request_that_is_refused_has_its_error(desk, sandbox, vendor):
    texts = ["[[say a]]", "[[behave status 404 message='too much']]", "[[say c]]"]
    batch = desk.create([vendor.request(text) for text in texts])
    results = desk.run(batch)
    assert statuses(results) == [200, 404, 200]
    assert results[1].response["error"]["message"] == "too much"
    assert desk.batch(batch).failed == 1
    assert vendor.singles(sandbox) == 0


def test_what_may_pass_is_tried_by_the_relay(desk, sandbox, vendor):
    passing = "[[say b]] [[behave unauthorized_once]]"
    batch = desk.create([vendor.request("[[say a]]"), vendor.request(passing)])
    desk.step()
    desk.step()
    assert desk.batch(batch).completed == 1
    assert vendor.singles(sandbox) == 1


def test_a_request_that_the_relay_refuses_is_refused(desk, sandbox):
    batch = desk.create([request("[[say a]]"), request("b", temperature="hot")])
    results = desk.run(batch)
    assert statuses(results) == [200, 422]
    assert results[1].response["error"]["param"] == "temperature"
    assert b"hot" not in sandbox.requests.to("/files")[0].body


def test_a_reply_counts_although_a_file_was_deleted_since(desk, sandbox, vendor):
    sandbox.settings.batch_looks = 2
    stored = desk.files.create(
        BytesIO(b"%PDF-1.4"),
        filename="a.pdf",
        purpose="user_data",
        content_type="application/pdf",
        owner=OWNER,
    )
    batch = desk.create([vendor.request("[[say a]]")])
    parts = [
        {"type": "text", "text": "[[say b]]"},
        {"type": "file", "file": {"file_id": stored.id}},
    ]
    named = desk.create([vendor.request(parts)])
    desk.batching.native.run(keep)
    desk.files.delete(stored.id, owner=OWNER)
    assert [says(each) for each in desk.run(named)] == ["b"]
    assert desk.run(batch)
    assert vendor.made(sandbox) == 2
    assert vendor.singles(sandbox) == 0


def test_holes_and_strangers_in_the_results_do_no_harm(desk, sandbox, vendor):
    sandbox.script("batch_holed", path=vendor.batches)
    batch = desk.create([vendor.request(f"[[say {i}]]") for i in range(3)])
    results = desk.run(batch)
    assert statuses(results) == [200, 200, 502]
    assert results[2].response["error"]["code"] == "batch_result_missing"
    assert vendor.singles(sandbox) == 0


def test_what_the_provider_had_no_time_for_is_run_by_the_relay(desk, sandbox, vendor):
    sandbox.script("batch_expired", path=vendor.batches)
    batch = desk.create([vendor.request(f"[[say {i}]]") for i in range(4)])
    assert [says(each) for each in desk.run(batch)] == [str(i) for i in range(4)]
    assert vendor.singles(sandbox) == 4 - vendor.half


@pytest.mark.parametrize(
    "trouble",
    [
        ("batch_failed", {}),
        ("status", {"status": 404, "path": "/files"}),
        ("status", {"status": 402, "path": "/batches"}),
        ("status", {"status": 403, "path": "/batches"}),
        ("status", {"status": 400, "path": "/batches", "code": "billing_not_active"}),
    ],
)
def test_what_the_provider_will_not_run_is_run_by_the_relay(desk, sandbox, trouble):
    name, options = trouble
    sandbox.script(name, **options)
    batch = desk.create([request("[[say a]]"), request("[[say b]]")])
    assert [says(each) for each in desk.run(batch)] == ["a", "b"]
    assert len(sandbox.requests.to("/chat/completions")) == 2


def test_results_that_nobody_can_tell_apart_are_none(desk, sandbox):
    sandbox.script("batch_keyless")
    batch = desk.create([GEMINI.request("[[say a]]"), GEMINI.request("[[say b]]")])
    assert [says(each) for each in desk.run(batch)] == ["a", "b"]
    assert GEMINI.singles(sandbox) == 2


def test_a_used_up_quota_is_waited_for(desk, sandbox, vendor):
    sandbox.script("limit", path=vendor.batches, retry_after=600)
    batch = desk.create([vendor.request("[[say a]]")])
    desk.step()
    assert not desk.batching.native.is_due()
    assert not desk.batching.runner.is_due()
    desk.let_pauses_pass()
    assert [says(each) for each in desk.run(batch)] == ["a"]
    assert vendor.singles(sandbox) == 0


def test_what_a_quota_is_used_up_for_is_not_tried_with_another_batch(desk, sandbox):
    sandbox.script("limit", path=":batchGenerateContent", retry_after=600)
    for text in ("a", "b"):
        desk.create([GEMINI.request(f"[[say {text}]]")])
    desk.step()
    assert not desk.batching.native.is_due()
    assert GEMINI.made(sandbox) == 1


def test_a_clock_that_was_set_back_keeps_nothing_waiting(desk):
    batch = desk.create([request("[[say a]]")])
    desk.let_pauses_last(DAY)
    assert [says(each) for each in desk.run(batch)] == ["a"]


@pytest.mark.parametrize("behaviour", ["cut", "html", "garbage"])
def test_a_submission_that_may_have_arrived_is_looked_for(desk, sandbox, vendor, behaviour):
    sandbox.settings.batch_looks = 2
    assert desk.run(desk.create([vendor.request("[[say x]]"), vendor.request("[[say y]]")]))
    sandbox.script(behaviour, path=vendor.batches)
    batch = desk.create([vendor.request("[[say a]]"), vendor.request("[[say b]]")])
    assert [says(each) for each in desk.run(batch)] == ["a", "b"]
    assert vendor.made(sandbox) == (2 if behaviour == "cut" else 3)
    assert vendor.singles(sandbox) == 0


def test_it_is_looked_for_on_every_page(desk, sandbox, vendor, monkeypatch):
    sandbox.settings.batch_looks = 3
    monkeypatch.setattr(f"{vendor.wire}._PAGE", 1)
    desk.run(desk.create([vendor.request("[[say before]]")]))
    sandbox.script("cut", path=vendor.batches)
    lost = desk.create([vendor.request("[[say a]]"), vendor.request("[[say b]]")])
    desk.batching.native.run(keep)
    desk.run(desk.create([vendor.request("[[say after]]")]))
    assert [says(each) for each in desk.run(lost)] == ["a", "b"]
    assert vendor.made(sandbox) == 3


def test_another_process_goes_on_where_one_has_died(desk, sandbox, vendor, tmp_path, monkeypatch):
    def die(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(SubmissionStore, "sent", die)
        batch = desk.create([vendor.request("[[say a]]"), vendor.request("[[say b]]")])
        with pytest.raises(KeyboardInterrupt):
            desk.step()
    with monkeypatch.context() as patched:
        patched.setattr(SubmissionStore, "close", die)
        heir = Desk(tmp_path, sandbox)
        with pytest.raises(KeyboardInterrupt):
            heir.run(batch)
        heir.close()
    assert [says(each) for each in desk.run(batch)] == ["a", "b"]
    assert vendor.made(sandbox) == 1


def test_a_full_disk_after_sending_is_no_reason_to_send_again(desk, sandbox, vendor, monkeypatch):
    def fail(*_, **__):
        raise Unavailable("the disk is full")

    batch = desk.create([vendor.request("[[say a]]")])
    with monkeypatch.context() as patched:
        patched.setattr(SubmissionStore, "sent", fail)
        desk.step()
    assert [says(each) for each in desk.run(batch)] == ["a"]
    assert vendor.made(sandbox) == 1


def test_of_two_that_send_the_same_the_slower_one_takes_it_back(desk, sandbox, monkeypatch):
    sandbox.settings.batch_looks = NEVER
    desk.create([request("[[say a]]")])
    monkeypatch.setattr(SubmissionStore, "sent", lambda *_, **__: False)
    desk.batching.native.run(keep)
    assert len(sandbox.requests.to("/cancel")) == 1


def test_the_account_that_takes_a_batch_is_asked_how_far_it_is(tmp_path, sandbox):
    keys = {
        "AIRELAYS_PROVIDERS_OPENAI_API_KEY": "sk-of-nobody",
        "AIRELAYS_PROVIDERS_OPENAI_API_KEYS": sandbox.compatible_key,
    }
    sandbox.settings.batch_looks = 3
    desk = Desk(tmp_path, sandbox, **keys)
    for text in ("a", "b", "c"):
        batch = desk.create([request(f"[[say {text}]]")])
        assert [says(each) for each in desk.run(batch)] == [text]
    assert OPENAI.made(sandbox) == 3
    assert OPENAI.singles(sandbox) == 0
    desk.close()


def test_who_can_forget_files_is_told_to(tmp_path, sandbox):
    groq = {
        "AIRELAYS_PROVIDERS_GROQ_BASE_URL": sandbox.compatible_url,
        "AIRELAYS_PROVIDERS_GROQ_API_KEY": sandbox.compatible_key,
    }
    desk = Desk(tmp_path, sandbox, **groq)
    for model in ("openai/sandbox-small", "groq/sandbox-small"):
        assert statuses(desk.run(desk.create([request("[[say a]]", model)]))) == [200]
    first, second = sandbox.requests.to("/files")
    assert b"expires_after" in first.body
    assert b"expires_after" not in second.body
    desk.close()


def test_a_batch_that_cannot_be_read_keeps_no_other_waiting(desk, sandbox, monkeypatch):
    def stumble(*_):
        raise TypeError

    sandbox.settings.batch_looks = 3
    odd = desk.create([ANTHROPIC.request("[[say a]]")])
    good = desk.create([OPENAI.request("[[say b]]")])
    with monkeypatch.context() as patched:
        patched.setattr(AnthropicBatches, "progress", stumble)
        assert [says(each) for each in desk.run(good)] == ["b"]
    assert [says(each) for each in desk.run(odd)] == ["a"]


def test_a_provider_that_takes_nothing_is_asked_once_while_others_go_on(desk, sandbox):
    for text in ("a", "b", "c"):
        desk.create([OPENAI.request(f"[[say {text}]]")])
    desk.create([ANTHROPIC.request("[[say d]]")])
    sandbox.script("status", status=500, path="/files", times=3)
    desk.batching.native.run(keep)
    assert len(sandbox.requests.to("/files")) == 1
    assert ANTHROPIC.made(sandbox) == 1


def test_a_provider_that_tells_nothing_is_asked_once_and_not_before_it_asks_for(
    desk, sandbox, monkeypatch
):
    looks = []

    def fail(*_):
        looks.append(1)
        raise Unavailable("too busy", retry_after=600)

    sandbox.settings.batch_looks = 2
    first, second = (desk.create([OPENAI.request(f"[[say {text}]]")]) for text in "ab")
    good = desk.create([ANTHROPIC.request("[[say c]]")])
    desk.batching.native.run(keep)
    with monkeypatch.context() as patched:
        patched.setattr(OpenAIBatches, "progress", fail)
        desk.step()
        desk.step()
        assert len(looks) == 2  # one for each, in a round of its own
        assert [says(each) for each in desk.run(good)] == ["c"]
        assert not desk.batching.native.is_due()
    desk.let_pauses_pass()
    assert desk.run(first)
    assert desk.run(second)


def test_the_log_repeats_nothing_of_what_a_provider_says(desk, sandbox, caplog):
    sandbox.script("status", status=400, path="/batches", message="you wrote: my secret")
    assert desk.run(desk.create([request("[[say a]]")]))
    assert "has not taken a batch" in caplog.text
    assert "secret" not in caplog.text


def test_cancelling_reaches_the_provider_and_what_is_done_counts(desk, sandbox, vendor):
    sandbox.settings.batch_looks = NEVER
    batch = desk.create([vendor.request(f"[[say {i}]]") for i in range(4)])
    desk.step()
    desk.step()
    assert desk.store.cancel(batch, OWNER).status == "cancelling"
    results = desk.run(batch)
    assert desk.batch(batch).status == "cancelled"
    assert len(sandbox.requests.to("cancel")) == 1
    done, undone = results[: vendor.half], results[vendor.half :]
    assert [says(each) for each in done] == ["0", "1"][: vendor.half]
    assert {each.response["error"]["code"] for each in undone} == {"batch_cancelled"}
    assert len(results) == 4
    assert vendor.singles(sandbox) == 0


def test_a_batch_cancelled_before_it_was_sent_is_never_sent(desk, sandbox):
    batch = desk.create([request("[[say a]]")])
    desk.store.cancel(batch, OWNER)
    assert statuses(desk.run(batch)) == [409]
    assert not sandbox.requests


def test_a_batch_out_of_time_is_called_off_and_every_request_has_its_line(desk, sandbox):
    sandbox.settings.batch_looks = NEVER
    batch = desk.create([request(f"[[say {i}]]") for i in range(2)])
    desk.step()
    desk.let_time_run_out(batch)
    results = desk.run(batch)
    assert desk.batch(batch).status == "expired"
    assert statuses(results) == [200, 504]
    assert results[1].response["error"]["code"] == "batch_expired"
    assert len(sandbox.requests.to("/cancel")) == 1


def test_more_than_one_job_may_hold_goes_in_several(desk, sandbox, monkeypatch):
    monkeypatch.setattr(OpenAIBatches, "most_requests", 2)
    monkeypatch.setattr(OpenAIBatches, "most_bytes", 2000)
    texts = [f"[[say {i}]]" for i in range(4)] + ["[[say long]]" + " " * 3000]
    batch = desk.create([request(text) for text in texts])
    assert [says(each) for each in desk.run(batch)] == ["0", "1", "2", "3", "long"]
    assert len([each for each in sandbox.requests.to("/batches") if each.method == "POST"]) == 2
    assert len(sandbox.requests.to("/chat/completions")) == 1


def test_no_provider_is_planned_more_than_it_takes(desk, monkeypatch):
    monkeypatch.setattr(GeminiBatches, "most_requests", 2)
    models = [GEMINI.model, OPENAI.model]
    requests = inline_requests([request("x", models[i % 2]) for i in range(6)], CHAT)
    planned = [
        (each.provider, sorted(each.positions)) for each in desk.batching.plan(requests, DAY)
    ]
    assert planned == [("gemini", [0, 2]), ("gemini", [4]), ("openai", [1, 3, 5])]


def test_what_has_to_be_ready_earlier_is_run_by_the_relay(desk):
    requests = inline_requests([request("x")], CHAT)
    assert desk.batching.plan(requests, DAY)
    assert not desk.batching.plan(requests, 3600)


def test_what_continues_something_is_run_by_the_relay(desk, sandbox):
    body = {"model": "openai/sandbox-small", "input": "x", "previous_response_id": "resp_none"}
    results = desk.run(desk.create([{"body": body}], "/v1/responses"))
    assert statuses(results) == [400]
    assert not sandbox.requests.to("/batches")


def test_the_owner_can_have_the_relay_run_everything(tmp_path, sandbox):
    desk = Desk(tmp_path, sandbox, AIRELAYS_BATCHES_NATIVE="false")
    assert [says(each) for each in desk.run(desk.create([request("[[say a]]")], CHAT))] == ["a"]
    assert not sandbox.requests.to("/batches")
    desk.close()


def test_an_account_that_has_gone_is_waited_for(desk, sandbox, tmp_path):
    sandbox.settings.batch_looks = 2
    batch = desk.create([request("[[say a]]")])
    desk.step()
    poorer = Desk(tmp_path, sandbox, AIRELAYS_PROVIDERS_OPENAI_ENABLED="false")
    poorer.step()
    assert poorer.batch(batch).status == "in_progress"
    poorer.close()
    assert [says(each) for each in desk.run(batch)] == ["a"]
