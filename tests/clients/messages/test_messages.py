"""The anthropic SDK creates messages on upstreams of every dialect: text, streams, tools, images,
documents, structured output, stops and limits; what it reads is what was said.
"""

import asyncio
import base64

import pytest
from anthropic import AsyncAnthropic
from anthropic.types import Message
from pydantic import BaseModel

from tests.hostile.fields import INSTEAD

RESPONSES_UPSTREAM = "gpt-5.5"
CHAT_UPSTREAM = "box/sandbox-small"
MESSAGES_UPSTREAM = "anthropic/claude-opus-4-8"
UPSTREAM_PATHS = {
    RESPONSES_UPSTREAM: "/codex/responses",
    CHAT_UPSTREAM: "/v1/chat/completions",
    MESSAGES_UPSTREAM: "/anthropic/v1/messages",
}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
IMAGE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": PIXEL},
}
WEATHER = {
    "name": "weather",
    "description": "The weather of a place.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
TYPES = {
    "model": "string",
    "messages": "array",
    "max_tokens": "integer null",
    "system": "string array null",
    "stream": "boolean null",
    "stop_sequences": "array null",
    "temperature": "integer number null",
    "top_p": "integer number null",
    "top_k": "integer null",
    "tools": "array null",
    "tool_choice": "object null",
    "thinking": "object null",
    "metadata": "object null",
    "service_tier": "string null",
    "output_config": "object null",
    "cache_control": "object null",
    "conversation": "string object null",
}
"""Which JSON types each field may have."""
TWO_CALLS = '[[say Both.]] [[call weather {"city":"Zürich"}]] [[call weather {"city":"Rom"}]]'


def user(content):
    return {"role": "user", "content": content}


def ask(client, model, content, **more):
    return client.messages.create(model=model, max_tokens=1000, messages=[user(content)], **more)


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


def test_a_message_is_whole(client, model, relay):
    raw = client.messages.with_raw_response.create(
        model=model, max_tokens=1000, messages=[user("[[say Hello there]]")]
    )
    message = raw.parse()

    Message.model_validate(raw.http_response.json())
    assert text_of(message) == "Hello there"
    assert message.id.startswith("msg_")
    assert message.stop_reason == "end_turn"
    assert message.usage.input_tokens > 0
    assert message.usage.output_tokens > 0
    assert message._request_id == raw.headers["x-request-id"]


def test_a_streamed_message_is_the_same(client, model):
    with client.messages.stream(
        model=model, max_tokens=1000, messages=[user("[[say Hello there — ✓]]")]
    ) as stream:
        texts = list(stream.text_stream)
        message = stream.get_final_message()

    assert "".join(texts) == "Hello there — ✓" == text_of(message)
    assert len(texts) > 1
    assert message.stop_reason == "end_turn"
    assert message.usage.input_tokens > 0
    assert message.usage.output_tokens > 0


@pytest.mark.parametrize("streamed", [False, True])
def test_parallel_calls_go_and_their_results_come_back(client, model, relay, streamed):
    """The first result is an error, the second an image: both arrive, in one turn."""
    messages = [user(TWO_CALLS)]
    asked = {"model": model, "max_tokens": 1000, "tools": [WEATHER]}
    if streamed:
        with client.messages.stream(messages=messages, **asked) as stream:
            first = stream.get_final_message()
    else:
        first = client.messages.create(messages=messages, **asked)

    calls = [block for block in first.content if block.type == "tool_use"]
    assert text_of(first) == "Both."
    assert [(call.name, call.input) for call in calls] == [
        ("weather", {"city": "Zürich"}),
        ("weather", {"city": "Rom"}),
    ]
    assert calls[0].id != calls[1].id
    assert first.stop_reason == "tool_use"

    messages.append({"role": "assistant", "content": first.content})
    messages.append(
        user(
            [
                {
                    "type": "tool_result",
                    "tool_use_id": calls[0].id,
                    "content": "No such city.",
                    "is_error": True,
                },
                {
                    "type": "tool_result",
                    "tool_use_id": calls[1].id,
                    "content": [{"type": "text", "text": "Sunny."}, IMAGE],
                },
            ]
        )
    )
    second = client.messages.create(messages=messages, **asked)
    assert second.stop_reason == "end_turn"
    sent = str(asked_of(relay, model))
    for piece in ("No such city.", "Sunny.", PIXEL):
        assert piece in sent
    assert ("is_error" if model == MESSAGES_UPSTREAM else "Error: No such city.") in sent


def test_one_call_at_a_time_if_that_was_asked(client, model):
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    message = ask(client, model, TWO_CALLS, tools=[WEATHER], tool_choice=choice)
    assert [block.type for block in message.content].count("tool_use") == 1


@pytest.mark.parametrize(
    "choice", [{"type": "any"}, {"type": "tool", "name": "weather"}], ids=["any", "tool"]
)
def test_a_call_can_be_forced(client, model, choice):
    message = ask(client, model, "Hi", tools=[WEATHER], tool_choice=choice)
    assert [block.name for block in message.content if block.type == "tool_use"] == ["weather"]


def test_calls_can_be_forbidden(client, model):
    message = ask(
        client, model, "[[call weather {}]]", tools=[WEATHER], tool_choice={"type": "none"}
    )
    assert message.stop_reason == "end_turn"


def test_images_and_documents_reach_the_upstream(client, model, relay):
    pdf = base64.b64encode(b"%PDF-1.4 tiny").decode()
    ask(
        client,
        model,
        [
            {"type": "text", "text": "[[say Seen]]"},
            IMAGE,
            {
                "type": "document",
                "title": "p.pdf",
                "source": {"type": "base64", "media_type": "application/pdf", "data": pdf},
            },
            {
                "type": "document",
                "title": "Notes",
                "source": {"type": "text", "media_type": "text/plain", "data": "Grass is green."},
            },
        ],
    )
    sent = str(asked_of(relay, model))
    for piece in (PIXEL, pdf, "Grass is green."):
        assert piece in sent


class Forecast(BaseModel):
    city: str
    days: list[int]


def test_structured_output_has_its_structure(client, model):
    message = client.messages.parse(
        model=model, max_tokens=1000, messages=[user("A forecast.")], output_format=Forecast
    )
    assert isinstance(message.parsed_output, Forecast)


def test_a_stop_sequence_ends_the_text(client, model):
    message = ask(client, model, "[[say one two three]]", stop_sequences=["two"])
    assert text_of(message).strip() == "one"
    if model != CHAT_UPSTREAM:  # whose dialect does not say why it stopped
        assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "two")


def test_the_token_limit_is_kept_or_disclosed(client, model):
    raw = client.messages.with_raw_response.create(
        model=model, max_tokens=2, messages=[user("[[say one two three four]]")]
    )
    message = raw.parse()
    if model == RESPONSES_UPSTREAM:
        assert "max_tokens" in raw.headers["x-airelays-ignored-parameters"]
    else:
        assert (text_of(message), message.stop_reason) == ("one two", "max_tokens")


def test_a_refusal_is_one(client, model):
    message = ask(client, model, "[[refuse I will not.]]")
    assert text_of(message).startswith("I will not.")
    assert message.stop_reason == "refusal"


def test_system_text_and_what_steers_reach_the_upstream(client, model, relay):
    ask(
        client,
        model,
        "Hi",
        system=[
            {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1"},
            {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}},
        ],
        metadata={"user_id": "me"},
    )
    sent = str(asked_of(relay, model))
    assert "Be brief." in sent
    assert ("billing-header" in sent) == (model == MESSAGES_UPSTREAM)


def test_counts_are_told_in_this_dialects_arithmetic(client, model):
    """The second message finds the first one in the cache; nothing is counted twice."""
    messages = [user("[[say One]]"), {"role": "assistant", "content": "One"}, user("[[say Two]]")]
    usage = client.messages.create(model=model, max_tokens=99, messages=messages).usage
    assert usage.cache_read_input_tokens > 0
    assert usage.input_tokens > 0
    assert usage.output_tokens == 1


def asked_of(relay, model):
    """Return the body of the last request that reached the model's upstream."""
    return relay.asked(UPSTREAM_PATHS[model])


def test_what_the_client_says_of_the_wire_goes_to_its_vendor_only(client, model, relay):
    beta = {"anthropic-beta": "context-1m-2025-08-07"}
    ask(client, model, "[[say Hi]]", extra_headers=beta)

    headers = relay.sandbox.requests.to(UPSTREAM_PATHS[model])[-1].headers
    said = {name: value for name, value in headers.items() if name.startswith("anthropic-")}
    assert said.keys() == (
        {"anthropic-version", "anthropic-beta"} if "anthropic" in model else set()
    )
    assert relay.token not in str(headers)


def test_the_asynchronous_sdk_reads_the_same(relay, model):
    async def converse():
        async with AsyncAnthropic(base_url=relay.url, api_key=relay.token) as client:
            whole = await ask(client, model, "[[say Hello there]]")
            streaming = client.messages.stream(
                model=model, max_tokens=1000, messages=[user("[[say Hello there]]")]
            )
            async with streaming as stream:
                return whole, [text async for text in stream.text_stream]

    whole, texts = asyncio.run(converse())
    assert text_of(whole) == "".join(texts) == "Hello there"


@pytest.mark.parametrize("field", TYPES)
def test_a_field_of_the_wrong_type_is_named(relay, field):
    least = {"max_tokens": 9, "messages": [user("hi")]}
    for model in UPSTREAM_PATHS:
        for name, value in INSTEAD.items():
            if name in TYPES[field].split():
                continue
            answer = relay.post("/v1/messages", {"model": model, **least, field: value})
            assert answer.status_code == 400, (name, answer.text)
            assert field in answer.json()["error"]["message"]
