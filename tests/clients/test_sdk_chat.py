"""The openai SDK's Chat Completions and legacy Completions against every kind of upstream."""

import json
from typing import Literal

import openai
import pytest
from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel

ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
            "additionalProperties": False,
        },
    },
}
CALLS = 'Do it. [[call add {"a": 1, "b": 2}]] [[call add {"a": 30, "b": 40}]]'

CITY = {
    "type": "json_schema",
    "json_schema": {
        "name": "city",
        "schema": {"type": "object", "properties": {"name": {"type": "string"}}},
    },
}


class City(BaseModel):
    name: str
    inhabitants: int
    climate: Literal["dry", "wet"]


def user(text):
    return [{"role": "user", "content": text}]


def assert_counted(usage):
    assert usage.prompt_tokens > 0
    assert usage.completion_tokens > 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_text(client, model):
    answer = client.chat.completions.create(model=model, messages=user("[[say Hello ö🙂]]"))

    assert answer.choices[0].message.content == "Hello ö🙂"
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.id
    assert_counted(answer.usage)


def test_text_streamed(client, model):
    chunks = list(
        client.chat.completions.create(
            model=model,
            messages=user("[[say One two three]]"),
            stream=True,
            stream_options={"include_usage": True},
        )
    )

    texts = [c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content]
    assert len(texts) > 1
    assert "".join(texts) == "One two three"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[-1].choices == []
    assert_counted(chunks[-1].usage)


def test_no_usage_chunk_unless_asked_for(client, model):
    chunks = list(client.chat.completions.create(model=model, messages=user("Hi"), stream=True))

    assert all(chunk.choices and chunk.usage is None for chunk in chunks)


def test_text_with_the_stream_helper(client, model):
    with client.chat.completions.stream(model=model, messages=user("[[say One two]]")) as stream:
        deltas = [event.delta for event in stream if event.type == "content.delta"]
        final = stream.get_final_completion()

    assert "".join(deltas) == final.choices[0].message.content == "One two"


def test_parallel_tools_and_their_results(client, model):
    first = client.chat.completions.create(model=model, messages=user(CALLS), tools=[ADD])

    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    arguments = [json.loads(call.function.arguments) for call in message.tool_calls]
    assert arguments == [{"a": 1, "b": 2}, {"a": 30, "b": 40}]
    assert len({call.id for call in message.tool_calls}) == 2

    results = [
        {"role": "tool", "tool_call_id": call.id, "content": total}
        for call, total in zip(message.tool_calls, ("three", "seventy"), strict=True)
    ]
    history = [*user(CALLS), message, *results]
    second = client.chat.completions.create(model=model, messages=history, tools=[ADD])

    assert "“three” and “seventy”" in second.choices[0].message.content
    assert second.choices[0].finish_reason == "stop"


def test_tools_streamed(client, model):
    with client.chat.completions.stream(model=model, messages=user(CALLS), tools=[ADD]) as stream:
        events = list(stream)
        final = stream.get_final_completion()

    done = [event for event in events if event.type == "tool_calls.function.arguments.done"]
    deltas = [event for event in events if event.type == "tool_calls.function.arguments.delta"]
    assert [json.loads(event.arguments) for event in done] == [{"a": 1, "b": 2}, {"a": 30, "b": 40}]
    assert len(deltas) > len(done)
    assert final.choices[0].finish_reason == "tool_calls"
    assert not final.choices[0].message.content


def test_structured_output(client, model):
    answer = client.chat.completions.parse(model=model, messages=user("A."), response_format=City)

    assert isinstance(answer.choices[0].message.parsed, City)


def test_structured_output_streamed(client, model):
    with client.chat.completions.stream(
        model=model, messages=user("A."), response_format=City
    ) as stream:
        final = stream.get_final_completion()

    assert isinstance(final.choices[0].message.parsed, City)


def test_an_answer_cut_short_is_an_error_of_the_parser(client, model):
    with pytest.raises(openai.LengthFinishReasonError):
        client.chat.completions.parse(
            model=model,
            messages=user('[[say {"name": "A]] [[behave incomplete max_output_tokens 2]]'),
            response_format=City,
        )


def test_system_text_and_an_image_reach_the_upstream(client, relay, model):
    url = "data:image/png;base64,iVBORw0KGgo="
    picture = [{"type": "text", "text": "Look."}, {"type": "image_url", "image_url": {"url": url}}]
    messages = [{"role": "system", "content": "In Latin."}, {"role": "user", "content": picture}]

    client.chat.completions.create(model=model, messages=messages)

    sent = relay.sandbox.requests[-1].body.decode()
    assert url in sent
    assert "In Latin." in sent


@pytest.mark.parametrize(
    "more",
    [
        {"messages": user("[[say plain]]")},
        {"messages": user(CALLS), "tools": [ADD]},
        {"messages": user("[[reason a b]] [[say c]]"), "reasoning_effort": "low"},
        {"messages": user("[[refuse no]]")},
        {"messages": user("[[annotate https://example.org/]]")},
        {"messages": user("[[say One two]] [[behave incomplete content_filter 1]]")},
        {"messages": user("[[behave empty]] [[say nothing]]")},
        {"messages": user("[[behave usage_missing]] [[say uncounted]]")},
        {"messages": user("A city."), "response_format": CITY},
    ],
    ids=["text", "tools", "reasoning", "refusal", "link", "cut", "empty", "no usage", "schema"],
)
class TestShapes:
    """Every answer and every chunk is as the SDK's models declare it."""

    def test_whole(self, relay, strictly, model, more):
        answer = relay.ok("/v1/chat/completions", {"model": model, **more})

        assert len(strictly.read(ChatCompletion, answer).choices) == 1

    def test_streamed(self, relay, strictly, model, more):
        body = {"model": model, "stream_options": {"include_usage": True}, **more}
        *events, done = relay.events("/v1/chat/completions", body)

        assert done.data == "[DONE]"
        chunks = [strictly.read(ChatCompletionChunk, event.data) for event in events]
        finishes = [choice.finish_reason for chunk in chunks for choice in chunk.choices]
        assert sum(reason is not None for reason in finishes) == 1
        roles = [choice.delta.role for chunk in chunks for choice in chunk.choices]
        assert roles[0] == "assistant"


class TestCompletions:
    """The legacy route: a prompt in, text out."""

    def test_whole(self, client, strictly, model):
        answer = client.completions.with_raw_response.create(
            model=model, prompt="[[say Well then]]"
        )

        completion = strictly.read(Completion, answer.text)
        assert completion.choices[0].text == "Well then"
        assert completion.choices[0].finish_reason == "stop"
        assert completion.usage.completion_tokens > 0

    def test_streamed(self, client, relay, strictly, model):
        chunks = list(client.completions.create(model=model, prompt="[[say A b c]]", stream=True))

        assert "".join(chunk.choices[0].text for chunk in chunks) == "A b c"
        assert chunks[-1].choices[0].finish_reason == "stop"
        *events, done = relay.events("/v1/completions", {"model": model, "prompt": "Hi"})
        assert done.data == "[DONE]"
        for event in events[:-1]:
            assert event.data["choices"][0]["finish_reason"] is None
        strictly.read(Completion, events[-1].data)
