"""The openai SDK against a relay on the real model of this machine, llama.cpp with small weights.

What is asserted is structure: text that comes in pieces, arguments that obey their schema, counts
that add up, ids, ends. What the model says is not, for it is small.
"""

import json
from typing import Literal

import openai
import pytest
from openai.pagination import SyncConversationCursorPage
from openai.types import Completion, CreateEmbeddingResponse, Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.conversations import ConversationItem
from openai.types.responses import Response
from pydantic import BaseModel

from airelays_app.providers.local.supervisor import LocalServer, ServerOptions
from tests.providers.local.model_server import busy, wait_until

MODEL = "local/smollm2-135m-instruct"
PAINT = {
    "name": "paint",
    "description": "Paint a wall.",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {
            "colour": {"type": "string", "enum": ["red", "green", "blue"]},
            "twice": {"type": "boolean"},
        },
        "required": ["colour", "twice"],
        "additionalProperties": False,
    },
}
QUESTION = "Please paint the wall green."
LONG = "Tell me a very long story about a ship."
EMBEDDED = ServerOptions()


class Wall(BaseModel):
    colour: Literal["red", "green", "blue"]
    twice: bool


@pytest.fixture(scope="module")
def module_relay(start_relay, real_models):
    return start_relay(
        login=False,
        models=real_models,
        LOCAL_ENABLED="auto",
        PROVIDERS_LOCAL_PASSTHROUGH="true",
    )


def user(text):
    return [{"role": "user", "content": text}]


def assert_chat_counted(usage, most):
    assert 0 < usage.prompt_tokens < 60, "a system prompt that nobody wrote"
    assert 0 < usage.completion_tokens <= most
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_it_is_listed_and_retrieved(client, strictly):
    assert MODEL in [model.id for model in client.models.list()]
    answer = client.models.with_raw_response.retrieve(MODEL)
    assert strictly.read(Model, answer.text).owned_by == "local"


class TestResponses:
    """Translated to chat, which is what the model's server is spoken to in."""

    def test_text(self, relay, strictly):
        body = {"model": MODEL, "input": "Say hello.", "max_output_tokens": 8}
        response = strictly.read(Response, relay.ok("/v1/responses", body))

        assert response.output_text
        assert response.id.startswith("resp_")
        assert response.output[0].id.startswith("msg_")
        assert response.status in ("completed", "incomplete")
        assert 0 < response.usage.output_tokens <= 8
        total = response.usage.input_tokens + response.usage.output_tokens
        assert response.usage.total_tokens == total

    def test_streamed(self, relay, strictly):
        body = {"model": MODEL, "input": LONG, "max_output_tokens": 8}
        events = [strictly.event(event.data) for event in relay.events("/v1/responses", body)]

        assert [event.sequence_number for event in events] == list(range(len(events)))
        deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
        assert len(deltas) > 3
        final = events[-1]
        assert final.type == "response.incomplete"
        assert final.response.incomplete_details.reason == "max_output_tokens"
        assert final.response.output_text == "".join(deltas)
        assert final.response.usage.output_tokens == 8

    def test_the_stream_helper(self, client):
        with client.responses.stream(model=MODEL, input=LONG, text_format=Wall) as stream:
            texts = [e.delta for e in stream if e.type == "response.output_text.delta"]
            final = stream.get_final_response()

        assert final.output_text == "".join(texts)
        assert isinstance(final.output_parsed, Wall)

    def test_a_schema_is_enforced_whatever_was_asked(self, client):
        response = client.responses.parse(model=MODEL, input=LONG, text_format=Wall)

        assert isinstance(response.output_parsed, Wall)
        assert json.loads(response.output_text) == response.output_parsed.model_dump()

    def test_a_function_is_called_and_its_result_used(self, client):
        tool = {"type": "function", **PAINT}
        response = client.responses.create(
            model=MODEL, input=QUESTION, tools=[tool], tool_choice="required"
        )

        (call,) = response.output
        assert (call.type, call.name) == ("function_call", "paint")
        assert Wall.model_validate_json(call.arguments)
        assert response.usage.output_tokens > 0

        result = {"type": "function_call_output", "call_id": call.call_id, "output": "Done."}
        history = [*user(QUESTION), call, result]
        second = client.responses.create(
            model=MODEL, input=history, tools=[tool], max_output_tokens=8
        )
        assert {item.type for item in second.output} == {"message"}

    def test_a_call_is_streamed(self, client):
        tool = {"type": "function", **PAINT}
        with client.responses.stream(
            model=MODEL, input=QUESTION, tools=[tool], tool_choice="required"
        ) as stream:
            events = list(stream)
            (call,) = stream.get_final_response().output

        deltas = [e for e in events if e.type == "response.function_call_arguments.delta"]
        assert len(deltas) > 1
        assert "".join(event.delta for event in deltas) == call.arguments
        assert Wall.model_validate_json(call.arguments)

    def test_a_prompt_too_long_is_a_bad_request(self, client):
        with pytest.raises(openai.BadRequestError) as caught:
            client.responses.create(model=MODEL, input="ship " * (EMBEDDED.context + 100))

        assert "context" in caught.value.message


class TestChat:
    """The dialect that the model's server speaks itself."""

    def test_text(self, relay, strictly):
        body = {"model": MODEL, "messages": user("Say hello."), "max_tokens": 8}
        answer = strictly.read(ChatCompletion, relay.ok("/v1/chat/completions", body))

        assert answer.choices[0].message.content
        assert answer.id.startswith("chatcmpl-")
        assert_chat_counted(answer.usage, 8)

    def test_streamed(self, relay, strictly):
        body = {
            "model": MODEL,
            "messages": user(LONG),
            "max_tokens": 8,
            "stream_options": {"include_usage": True},
        }
        *events, done = relay.events("/v1/chat/completions", body)

        assert done.data == "[DONE]"
        chunks = [strictly.read(ChatCompletionChunk, event.data) for event in events]
        choices = [choice for chunk in chunks for choice in chunk.choices]
        assert len([choice for choice in choices if choice.delta.content]) > 3
        assert choices[0].delta.role == "assistant"
        assert choices[-1].finish_reason == "length"
        assert len({chunk.id for chunk in chunks}) == 1
        assert chunks[-1].choices == []
        assert chunks[-1].usage.completion_tokens == 8

    def test_it_stops_where_it_is_told(self, client):
        answer = client.chat.completions.create(
            model=MODEL, messages=user("Count: one, two, three."), stop=["e", "o"], max_tokens=30
        )

        assert answer.choices[0].finish_reason == "stop"
        assert not set("eo") & set(answer.choices[0].message.content)

    def test_a_schema_is_enforced_whatever_was_asked(self, client):
        answer = client.chat.completions.parse(
            model=MODEL, messages=user(LONG), response_format=Wall
        )
        assert isinstance(answer.choices[0].message.parsed, Wall)

        with client.chat.completions.stream(
            model=MODEL, messages=user(LONG), response_format=Wall
        ) as stream:
            assert isinstance(stream.get_final_completion().choices[0].message.parsed, Wall)

    @pytest.mark.parametrize("choice", ["required", {"type": "function", "function": PAINT}])
    def test_a_function_is_called(self, client, choice):
        answer = client.chat.completions.create(
            model=MODEL,
            messages=user(QUESTION),
            tools=[{"type": "function", "function": PAINT}],
            tool_choice=choice,
        )

        (call,) = answer.choices[0].message.tool_calls
        assert call.function.name == "paint"
        assert call.id
        assert Wall.model_validate_json(call.function.arguments)
        assert answer.choices[0].finish_reason == "tool_calls"
        assert answer.usage.completion_tokens > 0

    def test_a_call_is_streamed(self, client):
        with client.chat.completions.stream(
            model=MODEL,
            messages=user(QUESTION),
            tools=[{"type": "function", "function": PAINT}],
            tool_choice="required",
        ) as stream:
            kinds = [event.type for event in stream]
            final = stream.get_final_completion().choices[0]

        assert kinds.count("tool_calls.function.arguments.delta") > 1
        assert Wall.model_validate_json(final.message.tool_calls[0].function.arguments)
        assert final.finish_reason == "tool_calls"


class TestCompletions:
    """The legacy route."""

    def test_whole(self, relay, strictly):
        body = {"model": MODEL, "prompt": "Say hello.", "max_tokens": 4}
        completion = strictly.read(Completion, relay.ok("/v1/completions", body))

        assert completion.choices[0].text
        assert completion.usage.completion_tokens > 0

    def test_streamed(self, relay, strictly):
        body = {"model": MODEL, "prompt": "Say hello.", "max_tokens": 4}
        *events, done = relay.events("/v1/completions", body)

        assert done.data == "[DONE]"
        assert "".join(event.data["choices"][0]["text"] for event in events)
        assert events[-1].data["choices"][0]["finish_reason"]


def test_a_conversation_is_kept_and_replayed(client, relay, strictly):
    conversation = client.conversations.create()
    turns = [
        client.responses.create(
            model=MODEL, conversation=conversation.id, input="Hi", max_output_tokens=4
        )
        for _ in range(2)
    ]

    raw = relay.get(f"/v1/conversations/{conversation.id}/items").text
    strictly.read(SyncConversationCursorPage[ConversationItem], raw)
    items = list(client.conversations.items.list(conversation.id, order="asc"))
    assert [item.role for item in items] == ["user", "assistant", "user", "assistant"]
    assert items[1].content[0].text == turns[0].output_text
    assert turns[1].usage.input_tokens > turns[0].usage.input_tokens + 4


def test_embeddings_are_floats_or_base64(client, relay, strictly):
    texts = ["a cat", "a kitten"]
    floats = relay.ok("/v1/embeddings", {"model": MODEL, "input": texts})
    answer = strictly.read(CreateEmbeddingResponse, floats)
    packed = client.embeddings.create(model=MODEL, input=texts)  # the SDK asks for base64

    assert [entry.index for entry in answer.data] == [0, 1]
    assert answer.usage.prompt_tokens > 0
    for one, other in zip(answer.data, packed.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-5)
        assert len(one.embedding) == 576


def test_a_batch_is_run_and_failures_are_told_apart(client):
    def line(custom_id, model):
        body = {"model": model, "messages": user("Say hello."), "max_tokens": 4}
        asked = {"method": "POST", "url": "/v1/chat/completions", "body": body}
        return json.dumps({"custom_id": custom_id, **asked})

    lines = "\n".join((line("first", MODEL), line("second", "local/gpt-5.5"), line("third", MODEL)))
    uploaded = client.files.create(file=("asked.jsonl", lines.encode()), purpose="batch")
    batch = client.batches.create(
        input_file_id=uploaded.id, endpoint="/v1/chat/completions", completion_window="24h"
    )
    wait_until(lambda: client.batches.retrieve(batch.id).status == "completed")

    ended = client.batches.retrieve(batch.id)
    assert (ended.request_counts.completed, ended.request_counts.failed) == (2, 1)
    results = [
        json.loads(line) for line in client.files.content(ended.output_file_id).text.splitlines()
    ]
    assert {result["custom_id"] for result in results} == {"first", "third"}
    for result in results:
        answer = ChatCompletion.model_validate(result["response"]["body"])
        assert answer.usage.completion_tokens > 0
    (failed,) = client.files.content(ended.error_file_id).text.splitlines()
    assert json.loads(failed)["custom_id"] == "second"


def test_all_of_its_server_can_be_called_where_that_is_allowed(relay):
    """Also what stands beside ``/v1``, which is where llama.cpp has most of its own."""
    tokens = relay.ok("/p/local/tokenize", {"content": "Hello there"})["tokens"]
    assert relay.ok("/p/local/detokenize", {"tokens": tokens})["content"] == "Hello there"
    assert relay.get("/p/local/props").json()["total_slots"] == EMBEDDED.slots
    assert len(relay.get("/p/local/slots").json()) == EMBEDDED.slots
    assert relay.get("/p/local/v1/models").json()["data"][0]["id"] in MODEL
    for path in ("/p/local/../slots", "/p/local/v1/%2e%2e/slots"):
        assert relay.get(path).status_code == 404


class TestLeaving:
    """An answer that would take at least 20 seconds on any machine of today ends at once."""

    @pytest.fixture
    def model_server(self, relay):
        return LocalServer(relay.data_dir, EMBEDDED, relay.process.pid).address()

    @pytest.fixture
    def ask(self, client):
        def create(**more):
            return client.chat.completions.create(
                model=MODEL,
                messages=user(LONG),
                max_tokens=4000,
                extra_body={"ignore_eos": True},
                **more,
            )

        return create

    def test_in_the_middle_of_a_stream(self, ask, relay, model_server):
        gone = relay.log().count("outcome=client_gone")

        with ask(stream=True) as stream:
            next(iter(stream))
            assert busy(model_server)

        relay.await_log("outcome=client_gone", gone + 1)
        wait_until(lambda: not busy(model_server), patience=15)

    def test_while_waiting_for_a_whole_reply(self, ask, model_server):
        with pytest.raises(openai.APITimeoutError):
            ask(timeout=2)

        wait_until(lambda: not busy(model_server), patience=15)
