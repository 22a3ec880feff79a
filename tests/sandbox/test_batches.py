"""The stand-ins' batches: run, ended after some looks, and refused where the vendors refuse.

The vendors' own SDKs are the judges of what a batch looks like.
"""

import json

import anthropic
import openai
import pytest
import requests
from anthropic import Anthropic
from google import genai
from google.genai import types
from openai import OpenAI

CHAT = "/v1/chat/completions"
NEVER = 1_000_000


@pytest.fixture
def sdk(sandbox):
    with OpenAI(
        base_url=sandbox.compatible_url, api_key=sandbox.compatible_key, max_retries=0
    ) as client:
        yield client


def line(text, custom_id="a", **fields):
    body = {"model": "sandbox-small", "messages": [{"role": "user", "content": text}]}
    return {"custom_id": custom_id, "method": "POST", "url": CHAT, "body": body} | fields


def uploaded(sdk, lines):
    content = "\n".join(map(json.dumps, lines)).encode()
    return sdk.files.create(file=("in.jsonl", content), purpose="batch").id


def created(sdk, lines, **fields):
    options = {"endpoint": CHAT, "completion_window": "24h", **fields}
    return sdk.batches.create(input_file_id=uploaded(sdk, lines), **options)


def results(sdk, file_id):
    return [json.loads(each) for each in sdk.files.content(file_id).text.splitlines()]


def test_openai_runs_a_batch_and_lists_it(sandbox, sdk):
    sandbox.settings.batch_looks = 2
    batch = created(sdk, [line("[[say Hi]]")], metadata={"k": "v"})
    assert sdk.batches.retrieve(batch.id).status == "in_progress"
    assert sdk.batches.retrieve(batch.id).status == "completed"
    assert next(iter(sdk.batches.list())).metadata == {"k": "v"}


def test_openai_gives_the_results_of_good_and_bad_requests(sdk):
    lines = [line("[[say Hi]]"), line("[[behave html]]", "b")]
    batch = sdk.batches.retrieve(created(sdk, lines).id)
    good, bad = results(sdk, batch.output_file_id), results(sdk, batch.error_file_id)
    assert good[0]["custom_id"] == "a"
    assert good[0]["response"]["body"]["choices"][0]["message"]["content"] == "Hi"
    assert bad[0]["response"]["status_code"] == 502


@pytest.mark.parametrize(
    "lines",
    [
        [line("x"), line("y")],
        [line("x", url="/v1/responses")],
        [line("x"), line("y", "b", body={"model": "sandbox-large", "messages": []})],
        [line("x", body={"model": "sandbox-small", "stream": True})],
        [line("x", method="GET")],
    ],
)
def test_openai_fails_a_batch_whose_file_is_wrong(sdk, lines):
    batch = sdk.batches.retrieve(created(sdk, lines).id)
    assert batch.status == "failed"
    assert batch.errors.data[0].message
    assert batch.output_file_id is None


def test_openai_refuses_what_cannot_be_a_batch(sdk):
    with pytest.raises(openai.BadRequestError):
        created(sdk, [line("x")], completion_window="1h")
    with pytest.raises(openai.BadRequestError):
        created(sdk, [line("x")], endpoint="/v1/nothing")
    with pytest.raises(openai.NotFoundError):
        sdk.batches.create(input_file_id="file-none", endpoint=CHAT, completion_window="24h")
    with pytest.raises(openai.BadRequestError):
        sdk.files.create(file=("in.jsonl", b"{}"), purpose="nothing")
    with pytest.raises(openai.NotFoundError):
        sdk.batches.retrieve("batch_none")


def test_openai_cancels_what_runs_only(sandbox, sdk):
    sandbox.settings.batch_looks = NEVER
    batch = created(sdk, [line("[[say Hi]]"), line("x", "b")])
    sdk.batches.cancel(batch.id)
    batch = sdk.batches.retrieve(batch.id)
    assert batch.status == "cancelled"
    assert [each["custom_id"] for each in results(sdk, batch.output_file_id)] == ["a"]
    with pytest.raises(openai.ConflictError):
        sdk.batches.cancel(batch.id)


def test_openai_tells_what_it_had_no_time_for(sandbox, sdk):
    sandbox.script("batch_expired")
    batch = sdk.batches.retrieve(created(sdk, [line("[[say Hi]]"), line("x", "b")]).id)
    assert batch.status == "expired"
    assert results(sdk, batch.error_file_id)[0]["error"]["code"] == "batch_expired"


@pytest.fixture
def claude(sandbox):
    base_url = sandbox.anthropic_url.removesuffix("/v1")
    with Anthropic(base_url=base_url, api_key=sandbox.anthropic_key, max_retries=0) as client:
        yield client


def asking(text, custom_id="a", **fields):
    params = {"model": "claude-sonnet-4-5", "max_tokens": 50}
    params["messages"] = [{"role": "user", "content": text}]
    return {"custom_id": custom_id, "params": {**params, **fields}}


def test_anthropic_runs_a_batch_and_lists_it(sandbox, claude):
    sandbox.settings.batch_looks = 2
    batch = claude.messages.batches.create(
        requests=[asking("[[say Hi]]"), asking("x", "b", max_tokens=0)]
    )
    running = claude.messages.batches.retrieve(batch.id)
    assert running.processing_status == "in_progress"
    assert running.request_counts.processing == 2
    ended = claude.messages.batches.retrieve(batch.id)
    assert ended.processing_status == "ended"
    assert ended.request_counts.succeeded == ended.request_counts.errored == 1
    results = {each.custom_id: each.result for each in claude.messages.batches.results(batch.id)}
    assert results["a"].message.content[0].text == "Hi"
    assert results["b"].error.error.type == "invalid_request_error"
    assert next(iter(claude.messages.batches.list())).id == batch.id


def test_anthropic_tells_what_it_has_cancelled(sandbox, claude):
    sandbox.settings.batch_looks = NEVER
    batch = claude.messages.batches.create(requests=[asking("[[say Hi]]"), asking("x", "b")])
    claude.messages.batches.cancel(batch.id)
    assert claude.messages.batches.retrieve(batch.id).request_counts.canceled == 1
    kinds = {each.custom_id: each.result.type for each in claude.messages.batches.results(batch.id)}
    assert kinds == {"a": "succeeded", "b": "canceled"}


@pytest.mark.parametrize(
    "asked",
    [
        [],
        [asking("x"), asking("y")],
        [asking("x", "no spaces")],
        [asking("x", stream=True)],
        [{**asking("x"), "url": "/v1/messages"}],
    ],
)
def test_anthropic_refuses_what_cannot_be_a_batch(claude, asked):
    with pytest.raises(anthropic.BadRequestError):
        claude.messages.batches.create(requests=asked)


@pytest.fixture
def google(sandbox):
    base_url = sandbox.gemini_url.removesuffix("/v1beta")
    options = types.HttpOptions(base_url=base_url, api_version="v1beta")
    client = genai.Client(api_key=sandbox.gemini_key, http_options=options)
    yield client.batches
    client.close()


def inlined(text, key="a"):
    contents = [{"role": "user", "parts": [{"text": text}]}]
    return types.InlinedRequest(contents=contents, metadata={"key": key})


def test_gemini_runs_a_batch_and_lists_it(sandbox, google):
    sandbox.settings.batch_looks = 2
    source = [inlined("[[say Hi]]"), inlined("[[behave status 400]]", "b")]
    config = {"display_name": "mine"}
    batch = google.create(model="gemini-2.5-flash", src=source, config=config)
    assert google.get(name=batch.name).state == "JOB_STATE_RUNNING"
    ended = google.get(name=batch.name)
    assert ended.state == "JOB_STATE_SUCCEEDED"
    results = {each.metadata["key"]: each for each in ended.dest.inlined_responses}
    assert results["a"].response.text == "Hi"
    assert results["b"].error.code == 3
    assert [each.display_name for each in google.list()] == ["mine"]


def test_gemini_cancels_a_batch(sandbox, google):
    sandbox.settings.batch_looks = NEVER
    config = {"display_name": "mine"}
    batch = google.create(model="gemini-2.5-flash", src=[inlined("x")], config=config)
    google.cancel(name=batch.name)
    assert google.get(name=batch.name).state == "JOB_STATE_CANCELLED"
    with pytest.raises(genai.errors.ClientError):
        google.get(name="batches/none")


@pytest.mark.parametrize(
    "batch",
    [
        {},
        {"inputConfig": {"requests": {"requests": [{"request": {}}]}}},
        {"displayName": "x", "inputConfig": {"requests": {"requests": []}}},
        {"displayName": "x", "inputConfig": {"requests": {"requests": [{"contents": []}]}}},
    ],
)
def test_gemini_refuses_what_cannot_be_a_batch(sandbox, batch):
    url = f"{sandbox.gemini_url}/models/gemini-2.5-flash:batchGenerateContent"
    headers = {"x-goog-api-key": sandbox.gemini_key}
    answer = requests.post(url, json={"batch": batch}, headers=headers, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
