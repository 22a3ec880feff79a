"""Batches that a provider runs, over the routes: the same objects, and nothing lost by kill -9."""

import json
import os
import signal

import pytest
from openai import OpenAI

from airelays_app.sandbox import Sandbox
from tests.conftest import SERVE, TOKEN, RunningRelay
from tests.hostile.vital_signs import children_of
from tests.web.test_batches import ENDPOINT, asking, await_end, begin, results_of, text_of

MODEL = "openai/sandbox-small"
LONG = 60
NEVER = 1_000_000


@pytest.fixture(scope="module")
def module_relay(start_relay):
    with Sandbox() as sandbox:
        yield start_on(sandbox, start_relay)


def start_on(sandbox, start_relay):
    return start_relay(
        sandbox=sandbox,
        BATCHES_NATIVE_POLL_SECONDS="1",
        PROVIDERS_OPENAI_BASE_URL=sandbox.compatible_url,
        PROVIDERS_OPENAI_API_KEY=sandbox.compatible_key,
    )


def made(relay):
    return [each for each in relay.sandbox.requests.to("/batches") if each.method == "POST"]


def test_the_openai_sdk_sees_no_difference(relay):
    lines = [asking("[[say one]]", "first", MODEL), asking("[[behave status 400]]", "2nd", MODEL)]
    with OpenAI(base_url=relay.base_url, api_key=TOKEN, max_retries=0) as client:
        content = "\n".join(map(json.dumps, lines)).encode()
        file = client.files.create(file=("in.jsonl", content), purpose="batch")
        batch = client.batches.create(
            input_file_id=file.id, endpoint=ENDPOINT, completion_window="24h"
        )
        await_end(relay, batch.id)
        batch = client.batches.retrieve(batch.id)
        output = json.loads(client.files.content(batch.output_file_id).text)
        failed = json.loads(client.files.content(batch.error_file_id).text)
    assert output["custom_id"] == "first"
    assert output["response"]["body"]["choices"][0]["message"]["content"] == "one"
    assert failed["custom_id"] == "2nd"
    assert failed["response"]["status_code"] == 400
    assert len(made(relay)) == 1
    relay.await_log("method=BATCH path=/v1/chat/completions status=200")
    assert "output_tokens=" in relay.log()


def test_killed_while_it_was_being_sent_it_is_sent_once(relay):
    relay.sandbox.script("slow", path="/batches", seconds=LONG)
    batch = begin(relay, [asking(f"[[say {i}]]", model=MODEL) for i in range(3)])
    assert relay.sandbox.requests.wait(lambda _: made(relay), timeout=LONG)
    for pid in children_of(relay.process.pid):
        os.kill(pid, signal.SIGKILL)
    assert await_end(relay, batch["id"])["request_counts"]["completed"] == 3
    assert [text_of(each) for each in results_of(relay, batch["id"])] == ["0", "1", "2"]
    assert len(made(relay)) == 1
    assert not relay.sandbox.requests.to("/chat/completions")


def test_killed_as_a_whole_while_the_provider_runs_it_nothing_is_lost(start_relay):
    with Sandbox() as sandbox:
        sandbox.settings.batch_looks = NEVER
        relay = start_on(sandbox, start_relay)
        batch = begin(relay, [asking(f"[[say {i}]]", model=MODEL) for i in range(4)])
        relay.await_log("openai runs 4 requests")
        for pid in (relay.process.pid, *children_of(relay.process.pid)):
            os.kill(pid, signal.SIGKILL)
        relay.process.wait()
        again = RunningRelay(relay.home, sandbox, relay.environ, SERVE)
        try:
            assert again.post(f"/v1/batches/{batch['id']}/cancel").json()["status"] == "cancelling"
            await_end(again, batch["id"], ("cancelled",))
            results = results_of(again, batch["id"])
        finally:
            again.stop()
        assert [text_of(each) for each in results[:2]] == ["0", "1"]
        assert [each["error"]["code"] for each in results[2:]] == ["batch_cancelled"] * 2
        assert len(made(again)) == 1
