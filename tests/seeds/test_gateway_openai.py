"""The gateway's OpenAI-compatible table: each row works with every provider, or says it cannot.

* Chat completions and responses are created whole or as a stream, on any provider.
* A stored response is retrieved, its input items are listed, it is deleted, and it is cancelled
  while it is in progress; tokens of a request are counted, a conversation is compacted.
* Conversations are kept by the gateway; their metadata is replaced in full where the owner wants
  it so.
* Embeddings, audio and realtime are the provider's own; who lacks them is 501.
* Batches take requests in their body, are listed, retrieved, cancelled, and have results.

What files do is in ``test_files``, the merging of metadata in ``test_conversations``.
"""

import time

import pytest
import requests

from airelays_app.sandbox.operations import tone
from tests.conftest import TOKEN
from tests.seeds.asking import CHAT, RESPONSES, question, streamed_text, user
from tests.seeds.gateway import PREFIXED, chat, said

every_model = pytest.mark.parametrize("model", PREFIXED)
PATIENCE = 60.0


@pytest.fixture(scope="module")
def module_relay(gateway):
    return gateway


@every_model
def test_chat_completions_are_created_whole_and_streamed(relay, model):
    assert said(relay.ok(CHAT, chat(model))) == "Hi"
    assert streamed_text(CHAT, relay.events(CHAT, chat(model))) == "Hi"


@every_model
def test_a_response_is_created_retrieved_and_deleted(relay, model):
    body = question(RESPONSES, model=model)
    assert streamed_text(RESPONSES, relay.events(RESPONSES, body)) == "Hi"
    created = relay.ok(RESPONSES, body)
    path = f"{RESPONSES}/{created['id']}"

    assert relay.get(path).json() == {**created, "store": True}
    (item,) = relay.get(f"{path}/input_items").json()["data"]
    assert (item["role"], item["content"][0]["type"]) == ("user", "input_text")
    deleted = relay.delete(path)
    assert deleted.json() == {"id": created["id"], "object": "response", "deleted": True}
    assert relay.get(path).status_code == 404


@every_model
def test_a_response_in_progress_is_cancelled(relay, model):
    body = question(RESPONSES, "[[behave silent]]", model=model, background=True)
    begun = relay.ok(RESPONSES, body)
    assert begun["status"] in ("queued", "in_progress")

    cancelled = relay.post(f"{RESPONSES}/{begun['id']}/cancel").json()

    assert (cancelled["id"], cancelled["status"]) == (begun["id"], "cancelled")


@every_model
def test_the_tokens_of_a_request_are_counted(relay, model):
    counted = relay.ok(f"{RESPONSES}/input_tokens", question(RESPONSES, "One two", model=model))

    assert counted["object"] == "response.input_tokens"
    assert counted["input_tokens"] > 0


@every_model
def test_a_conversation_is_compacted_and_goes_on(relay, model):
    given = {"model": model, "input": user("[[say I know the word heron.]]")}

    compacted = relay.ok(f"{RESPONSES}/compact", given)

    assert compacted["object"] == "response.compaction"
    going_on = [*compacted["output"], *user("[[say On]]")]
    assert said(relay.ok(RESPONSES, {"model": model, "input": going_on})).endswith("On")


def test_a_conversation_is_the_gateways_and_its_metadata_is_replaced_in_full(relay):
    made = relay.ok("/v1/conversations", {"metadata": {"a": "1", "b": "2"}})
    path = f"/v1/conversations/{made['id']}"

    assert relay.get(path).json()["metadata"] == {"a": "1", "b": "2"}
    assert relay.ok(path, {"metadata": {"b": "3"}})["metadata"] == {"b": "3"}
    assert relay.get(path).json()["metadata"] == {"b": "3"}
    deleted = relay.delete(path).json()
    assert deleted == {"id": made["id"], "object": "conversation.deleted", "deleted": True}
    assert relay.delete(path).status_code == 404
    assert not relay.sandbox.requests


def test_every_provider_s_models_are_listed(relay):
    listed = {model["id"] for model in relay.get("/v1/models").json()["data"]}

    assert {"gpt-5.5", *PREFIXED} - listed == {"codex/gpt-5.5", "openai/gpt-4.1"}


@pytest.mark.parametrize("model", ["openai/gpt-4.1", "box/sandbox-small", "gemini/gemini-x"])
def test_embeddings_are_the_provider_s(relay, model):
    answer = relay.ok("/v1/embeddings", {"model": model, "input": ["one", "two"]})

    assert answer["object"] == "list"
    assert [vector["index"] for vector in answer["data"]] == [0, 1]


@pytest.mark.parametrize("model", ["codex/gpt-5.5", "anthropic/claude-sonnet-4-5"])
@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/audio/speech", "/v1/audio/transcriptions"])
def test_who_lacks_an_operation_says_so(relay, model, path):
    error = relay.refusal(path, {"model": model, "input": "x"}, 501)

    assert error["type"] == "unsupported_error"
    assert not relay.sandbox.requests


def test_speech_is_binary_audio(relay):
    answer = relay.post(
        "/v1/audio/speech", {"model": "openai/gpt-4.1", "input": "Hi", "voice": "alloy"}
    )

    assert answer.headers["Content-Type"] == "audio/wav"
    assert answer.content == tone("Hi")


def test_an_upload_is_transcribed(relay):
    form = {"model": (None, "openai/gpt-4.1"), "file": ("a.wav", b"RIFF", "audio/wav")}

    answer = relay.request("POST", "/v1/audio/transcriptions", files=form)

    assert answer.json()["text"].startswith("gpt-4.1 heard a.wav: 4 bytes")


@pytest.mark.parametrize("model", ["openai/sandbox-small", "box/sandbox-small"])
def test_a_realtime_conversation_begins_with_an_upgrade(relay, model):
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Authorization": f"Bearer {TOKEN}",
    }
    url = f"{relay.url}/v1/realtime?model={model}"
    with requests.Session() as session:
        session.trust_env = False
        with session.get(url, headers=headers, stream=True, timeout=PATIENCE) as answer:
            assert answer.status_code == 101
            assert answer.headers["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_a_batch_of_requests_is_run_listed_and_read(relay):
    asked = [
        {"custom_id": name, "method": "POST", "url": CHAT, "body": chat(model, f"[[say {name}]]")}
        for name, model in (("first", "box/sandbox-small"), ("second", "codex/gpt-5.5"))
    ]
    batch = relay.ok("/v1/batches", {"endpoint": CHAT, "requests": asked})
    path = f"/v1/batches/{batch['id']}"

    deadline = time.monotonic() + PATIENCE
    while relay.get(path).json()["status"] != "completed":
        assert time.monotonic() < deadline, relay.get(path).text
        time.sleep(0.05)

    assert batch["id"] in [each["id"] for each in relay.get("/v1/batches").json()["data"]]
    results = relay.get(f"{path}/results").json()["data"]
    assert {each["custom_id"]: said(each["response"]) for each in results} == {
        "first": "first",
        "second": "second",
    }
    assert relay.post(f"{path}/cancel").json()["status"] == "completed"
