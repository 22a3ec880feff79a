"""Anthropic's API in the sandbox: the anthropic SDK is content with it, and it refuses what the
real one is known to refuse, in its words.
"""

import copy
import json
from collections.abc import Iterator

import anthropic
import pytest
import requests
from anthropic import Anthropic
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from tests.dialects.readers import read_messages

ADAPTIVE = "claude-opus-4-8"
BUDGETED = "claude-sonnet-4-5"
ALWAYS = "claude-opus-5-5"
WEATHER = {
    "name": "weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}
TWO_CALLS = '[[call weather {"city":"Zürich"}]] [[call weather {"city":"Rom"}]]'
THINKS = {"type": "adaptive", "display": "summarized"}
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}

BOUNDED = {**SCHEMA, "properties": {"a": {"type": "string", "minLength": 1}}}
NAMED_LIKE_A_BOUND = {
    **SCHEMA,
    "properties": {"minLength": {"type": "integer", "description": 'Within {"minimum": 0}.'}},
    "required": ["minLength"],
}


@pytest.fixture
def sdk(sandbox) -> Iterator[Anthropic]:
    url = sandbox.anthropic_url.removesuffix("/v1")
    with Anthropic(base_url=url, api_key=sandbox.anthropic_key, max_retries=0) as client:
        yield client


def asked(prompt, **more):
    messages = [{"role": "user", "content": prompt}]
    return {"model": ADAPTIVE, "max_tokens": 2000, "messages": messages, **more}


def post(sandbox, body, path="/messages", **headers):
    usual = {"x-api-key": sandbox.anthropic_key, "anthropic-version": "2023-06-01", **headers}
    kept = {name: value for name, value in usual.items() if value}
    return requests.post(sandbox.anthropic_url + path, json=body, headers=kept, timeout=60)


def test_the_sdk_lists_models(sdk):
    models = list(sdk.models.list())

    assert [model.id for model in models] == [ALWAYS, ADAPTIVE, BUDGETED]
    assert all(model.created_at.year >= 2025 for model in models)


@pytest.mark.parametrize("prompt", ["[[say Hi]]", f"[[say So.]] {TWO_CALLS}", "[[think Hm.]] Hi"])
def test_the_sdk_reads_whole_messages_and_streams_alike(sdk, prompt):
    fields = asked(prompt, tools=[WEATHER], thinking=THINKS)
    whole = sdk.messages.create(**fields)
    with sdk.messages.stream(**fields) as stream:
        streamed = stream.get_final_message()

    Message.model_validate(whole.model_dump(mode="json"))
    assert len(whole.content) == len(streamed.content)
    for one, other in zip(whole.content, streamed.content, strict=True):
        left_out = {"id", "signature"}
        assert one.model_dump(exclude=left_out) == other.model_dump(exclude=left_out)
    assert whole.stop_reason == streamed.stop_reason
    assert whole.usage.output_tokens == streamed.usage.output_tokens


def test_a_stream_has_only_events_that_the_sdk_knows_in_their_order(sandbox):
    body = asked(f"[[think Hm.]] {TWO_CALLS}", tools=[WEATHER], thinking=THINKS, stream=True)
    answer = post(sandbox, body)

    read_messages(answer.content)
    event_type = TypeAdapter(RawMessageStreamEvent)
    kinds = []
    for block in answer.text.strip().split("\n\n"):
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        kinds.append(event["type"])
        if event["type"] != "ping":
            event_type.validate_python(event)
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert "ping" in kinds


@pytest.mark.parametrize(("schema", "name"), [(SCHEMA, "a"), (NAMED_LIKE_A_BOUND, "minLength")])
def test_a_schema_is_kept(sdk, schema, name):
    config = {"format": {"type": "json_schema", "schema": schema}}
    message = sdk.messages.create(**asked("Count.", output_config=config))

    assert isinstance(json.loads(message.content[0].text)[name], int)


def test_limits_and_stops_are_kept(sdk):
    short = sdk.messages.create(**asked("[[long 50]]", max_tokens=5))
    stopped = sdk.messages.create(**asked("[[say One two three]]", stop_sequences=["two"]))

    assert short.stop_reason == "max_tokens"
    assert (stopped.stop_reason, stopped.stop_sequence) == ("stop_sequence", "two")
    assert stopped.content[0].text == "One "


def test_thinking_comes_back_with_its_seal_only(sdk):
    first = sdk.messages.create(**asked("[[think Hm.]] [[say So.]]", thinking=THINKS))
    said = [block.model_dump(exclude_none=True) for block in first.content]
    assert said[0]["type"] == "thinking"

    def go_on(content):
        turns = [*asked("x")["messages"], {"role": "assistant", "content": content}]
        return sdk.messages.create(**asked("x") | {"messages": [*turns, *asked("y")["messages"]]})

    assert go_on(said)
    for field, value in (("thinking", "Hm!"), ("signature", said[0]["signature"][:-4] + "AAAA")):
        altered = copy.deepcopy(said)
        altered[0][field] = value
        with pytest.raises(anthropic.BadRequestError, match="Invalid `signature`"):
            go_on(altered)


CALL = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}
ANSWER = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "warm"}
MARKED = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}


def conversation(*contents):
    roles = ("user", "assistant")
    return [{"role": roles[i % 2], "content": said} for i, said in enumerate(contents)]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"max_tokens": None}, "max_tokens: Field required"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 500_000}, "maximum allowed"),
        ({"messages": []}, "at least one message"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "first message"),
        ({"messages": conversation("x", "y")}, "prefill"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "role"),
        ({"messages": conversation("")}, "non-empty"),
        ({"messages": conversation([{"type": "text", "text": " "}])}, "non-whitespace"),
        ({"messages": conversation([{"type": "input_text", "text": "x"}])}, "Input tag"),
        ({"messages": conversation("x", [CALL], "y")}, "`tool_use` ids were found without"),
        ({"messages": conversation([ANSWER])}, "unexpected `tool_use_id`"),
        (
            {"messages": conversation("x", [CALL], [MARKED, ANSWER])},
            "`tool_result` blocks must come first",
        ),
        ({"messages": conversation("x", [{**CALL, "id": "a.b"}], "y")}, "match pattern"),
        ({"messages": conversation("x", [{**CALL, "input": "{}"}], "y")}, "valid dictionary"),
        ({"messages": conversation([MARKED] * 5)}, "maximum of 4 blocks"),
        (
            {"messages": conversation("x", [{"type": "redacted_thinking", "data": "?"}], "y")},
            "Invalid `data`",
        ),
        ({"temperature": 0.5}, "deprecated"),
        ({"model": BUDGETED, "temperature": 1.5}, "range"),
        ({"model": BUDGETED, "temperature": 0.5, "top_p": 0.5}, "cannot both"),
        ({"stop_sequences": [" "]}, "non-whitespace"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "not supported"),
        ({"model": BUDGETED, "thinking": {"type": "adaptive"}}, "not supported"),
        ({"model": ALWAYS, "thinking": {"type": "disabled"}}, "not supported"),
        ({"model": BUDGETED, "thinking": {"type": "enabled", "budget_tokens": 9}}, "1024"),
        ({"model": BUDGETED, "thinking": {"type": "enabled", "budget_tokens": 2000}}, "greater"),
        (
            {
                "model": BUDGETED,
                "thinking": {"type": "enabled", "budget_tokens": 1024},
                "messages": conversation("x", [CALL], [ANSWER]),
            },
            "must start with a thinking block",
        ),
        ({"thinking": THINKS, "tool_choice": {"type": "any"}, "tools": [WEATHER]}, "forces"),
        ({"tool_choice": {"type": "any"}}, "`tools` are provided"),
        ({"tools": [WEATHER], "tool_choice": {"type": "tool", "name": "x"}}, "not found"),
        ({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]}, "name"),
        ({"tools": [{"name": "a", "input_schema": {}}]}, "input_schema"),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
            "additionalProperties",
        ),
        ({"output_config": {"format": {"type": "json_schema", "schema": BOUNDED}}}, "minLength"),
        ({"n": 2}, "Extra inputs"),
    ],
    ids=str,
)
def test_what_the_real_one_refuses(sandbox, wrong, told):
    body = {name: value for name, value in (asked("x") | wrong).items() if value is not None}
    answer = post(sandbox, body)

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert told in error["message"]
    assert answer.json()["request_id"] == answer.headers["request-id"]


@pytest.mark.parametrize(
    ("headers", "status", "told"),
    [
        ({"x-api-key": ""}, 401, "required"),
        ({"x-api-key": "sk-ant-other"}, 401, "invalid"),
        ({"anthropic-version": ""}, 400, "anthropic-version"),
    ],
    ids=str,
)
def test_who_may_call(sandbox, headers, status, told):
    answer = post(sandbox, asked("x"), **headers)

    assert answer.status_code == status
    assert told in answer.json()["error"]["message"]


def test_a_model_that_there_is_not(sandbox):
    answer = post(sandbox, asked("x", model="claude-of-tomorrow"))

    assert answer.status_code == 404
    assert answer.json()["error"] == {
        "type": "not_found_error",
        "message": "model: claude-of-tomorrow",
    }


def test_tokens_are_counted_without_a_limit(sandbox):
    body = {name: value for name, value in asked("x").items() if name != "max_tokens"}
    few = post(sandbox, body, "/messages/count_tokens").json()["input_tokens"]
    more = post(sandbox, {**body, "tools": [WEATHER]}, "/messages/count_tokens").json()

    assert 0 < few < more["input_tokens"]


def test_limits_are_told_in_its_headers(sandbox):
    sandbox.script("limit", retry_after=7)
    refused, answered = post(sandbox, asked("x")), post(sandbox, asked("x"))

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")
    assert refused.headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert answered.headers["anthropic-ratelimit-requests-remaining"] == "999"


def test_an_overload_in_the_middle_is_an_event(sandbox):
    body = asked("[[behave failed after=2]] [[say One two three]]", stream=True)
    read = read_messages(post(sandbox, body).content)

    assert read["error"]["type"] == "overloaded_error"
