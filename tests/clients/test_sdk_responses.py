"""The openai SDK's Responses API against every kind of upstream.

Text, tools, structured output, images and files; whole, as raw events and with the SDK's stream
helper. What is asserted are words, arguments, counts and ids, and what the upstream was asked.
"""

import json
from typing import Literal

import pytest
from openai.types.responses import Response
from pydantic import BaseModel

from tests.clients.conftest import CHAT_SERVER, RESPONSES_SERVER, SUBSCRIPTION

ADD = {
    "type": "function",
    "name": "add",
    "description": "Add two numbers.",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
        "additionalProperties": False,
    },
}
CALLS = 'Do it. [[call add {"a": 1, "b": 2}]] [[call add {"a": 30, "b": 40}]]'
CITY = {
    "type": "json_schema",
    "name": "city",
    "schema": {"type": "object", "properties": {"name": {"type": "string"}}},
}
# A whole reply of a server that speaks Responses itself is handed on byte by byte.
UNCOUNTED = (RESPONSES_SERVER, {"input": "[[behave usage_missing]] [[say uncounted]]"})


class City(BaseModel):
    name: str
    inhabitants: int
    climate: Literal["dry", "wet"]


def assert_counted(usage):
    assert usage.input_tokens > 0
    assert usage.output_tokens > 0
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens


def test_text(client, model):
    response = client.responses.create(model=model, input="[[say Hello from ö🙂 here]]")

    assert response.output_text == "Hello from ö🙂 here"
    assert response.id.startswith("resp_")
    assert response.status == "completed"
    assert response.object == "response"
    assert response.error is None
    assert response.output[0].id
    assert_counted(response.usage)


def test_text_streamed(client, model):
    events = list(client.responses.create(model=model, input="[[say One two three]]", stream=True))

    kinds = [event.type for event in events]
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert [event.sequence_number for event in events] == list(range(len(events)))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert len(deltas) > 1
    final = events[-1].response
    assert "".join(deltas) == final.output_text == "One two three"
    assert final.id == events[0].response.id
    assert_counted(final.usage)


def test_text_with_the_stream_helper(client, model):
    with client.responses.stream(model=model, input="[[say One two three]]") as stream:
        snapshots = [e.snapshot for e in stream if e.type == "response.output_text.delta"]
        final = stream.get_final_response()

    assert snapshots[-1] == final.output_text == "One two three"
    assert_counted(final.usage)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_server_that_numbers_nothing_is_read_as_any_other(client, relay, strictly, streamed):
    """llama.cpp's server is one."""
    relay.sandbox.settings.variant = "llamacpp"
    body = {"model": RESPONSES_SERVER, "input": CALLS, "tools": [ADD]}
    if streamed:
        final = [strictly.event(event.data) for event in relay.events("/v1/responses", body)][-1]
        response = final.response
        with client.responses.stream(**body) as stream:
            assert len(stream.get_final_response().output) == 2
    else:
        response = strictly.read(Response, relay.ok("/v1/responses", body))

    calls = [json.loads(call.arguments) for call in response.output]
    assert calls == [{"a": 1, "b": 2}, {"a": 30, "b": 40}]
    assert response.status == "completed"
    assert response.tools[0].name == "add"
    assert_counted(response.usage)


def test_parallel_tools_and_their_results(client, model):
    first = client.responses.create(model=model, input=CALLS, tools=[ADD])

    calls = [item for item in first.output if item.type == "function_call"]
    assert [json.loads(call.arguments) for call in calls] == [{"a": 1, "b": 2}, {"a": 30, "b": 40}]
    assert {call.name for call in calls} == {"add"}
    assert len({call.call_id for call in calls}) == 2

    results = [
        {"type": "function_call_output", "call_id": call.call_id, "output": total}
        for call, total in zip(calls, ("three", "seventy"), strict=True)
    ]
    history = [{"role": "user", "content": CALLS}, *first.output, *results]
    second = client.responses.create(model=model, input=history, tools=[ADD])

    assert "“three” and “seventy”" in second.output_text


def test_tools_streamed(client, model):
    with client.responses.stream(model=model, input=CALLS, tools=[ADD]) as stream:
        events = list(stream)
        final = stream.get_final_response()

    deltas = [e for e in events if e.type == "response.function_call_arguments.delta"]
    whole = [e for e in events if e.type == "response.function_call_arguments.done"]
    assert [json.loads(e.arguments) for e in whole] == [{"a": 1, "b": 2}, {"a": 30, "b": 40}]
    assert deltas[-1].snapshot == whole[1].arguments
    assert [item.name for item in final.output] == ["add", "add"]


def test_a_tool_result_streamed_back(client, model):
    prompt = '[[call add {"a": 1, "b": 2}]] [[then]] [[say The sum is three.]]'
    first = client.responses.create(model=model, input=prompt, tools=[ADD])
    call = first.output[-1]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "3"}
    history = [{"role": "user", "content": prompt}, call, result]

    with client.responses.stream(model=model, input=history, tools=[ADD]) as stream:
        assert stream.get_final_response().output_text == "The sum is three."


def test_tool_choice(client, model):
    forced = {"type": "function", "name": "add"}
    response = client.responses.create(model=model, input="Hi", tools=[ADD], tool_choice=forced)
    assert [item.type for item in response.output] == ["function_call"]

    barred = client.responses.create(model=model, input=CALLS, tools=[ADD], tool_choice="none")
    assert {item.type for item in barred.output} == {"message"}


def test_grouped_functions_and_their_results(client, model):
    """As Codex CLI groups them; two of a name are told apart, on servers without groups too."""
    groups = [
        {"type": "namespace", "name": name, "description": "Adds.", "tools": [ADD]}
        for name in ("small", "large")
    ]
    known_as = "large__add" if model == CHAT_SERVER else "large.add"
    prompt = f'[[call {known_as} {{"a": 1, "b": 2}}]] [[then]] [[say Three.]]'

    first = client.responses.create(model=model, input=prompt, tools=groups)
    call = first.output[-1]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "3"}
    history = [{"role": "user", "content": prompt}, call, result]
    second = client.responses.create(model=model, input=history, tools=groups)

    assert (call.namespace, call.name) == ("large", "add")
    assert second.output_text == "Three."


def test_a_function_with_a_loose_schema_may_leave_strict_out(client, relay, model):
    """As LangChain does; on the subscription a missing one would mean true."""
    loose = {"type": "object", "properties": {"a": {"type": "integer"}}}
    tool = {"type": "function", "name": "show", "parameters": loose}
    closed = {name: value for name, value in ADD.items() if name != "strict"}

    response = client.responses.create(
        model=model, input='[[call show {"a": 1}]]', tools=[tool, closed]
    )

    assert response.output[-1].arguments == '{"a": 1}'
    if model == SUBSCRIPTION:
        assert relay.asked()["tools"] == [{**tool, "strict": False}, closed]


def test_structured_output(client, model):
    response = client.responses.parse(model=model, input="A city, please.", text_format=City)

    city = response.output_parsed
    assert isinstance(city, City)
    assert city.model_dump() == json.loads(response.output_text)


def test_structured_output_streamed(client, model):
    with client.responses.stream(model=model, input="A city, please.", text_format=City) as stream:
        final = stream.get_final_response()

    assert isinstance(final.output_parsed, City)


def test_an_image_reaches_the_upstream(client, relay, model):
    url = "data:image/png;base64,iVBORw0KGgo="
    content = [{"type": "input_text", "text": "Look."}, {"type": "input_image", "image_url": url}]

    response = client.responses.create(model=model, input=[{"role": "user", "content": content}])

    assert "Look." in response.output_text
    sent = relay.sandbox.requests[-1].body.decode()
    assert url in sent


def test_instructions_reach_the_upstream(client, relay, model):
    client.responses.create(model=model, input="Hi", instructions="Answer in Latin.")

    assert "Answer in Latin." in relay.sandbox.requests[-1].body.decode()


def test_reasoning_can_be_shown_and_sent_back(client, relay):
    first = client.responses.create(
        model="gpt-5.5",
        input="[[reason Let me think]] [[say Done]]",
        reasoning={"effort": "high", "summary": "auto"},
        include=["reasoning.encrypted_content"],
    )
    thought = first.output[0]
    assert thought.type == "reasoning"
    assert thought.summary[0].text == "Let me think"
    assert thought.encrypted_content
    assert relay.asked()["reasoning"] == {"effort": "high", "summary": "auto"}

    history = [{"role": "user", "content": "Hi"}, *first.output, {"role": "user", "content": "On"}]
    second = client.responses.create(model="gpt-5.5", input=history)

    assert "“On”" in second.output_text
    sent = next(item for item in relay.asked()["input"] if item.get("type") == "reasoning")
    assert sent["encrypted_content"] == thought.encrypted_content


def test_an_answer_cut_short_says_so(client, model):
    response = client.responses.create(
        model=model, input="[[say One two]] [[behave incomplete max_output_tokens 1]]"
    )

    assert response.status == "incomplete"
    assert response.incomplete_details.reason == "max_output_tokens"


def test_a_refusal(client, model):
    response = client.responses.create(model=model, input="[[refuse I will not]]")

    assert response.output[0].content[0].type == "refusal"
    assert response.output[0].content[0].refusal == "I will not"


@pytest.mark.parametrize(
    "more",
    [
        {"input": "[[say plain]]"},
        {"input": CALLS, "tools": [ADD]},
        {"input": "[[reason a b]] [[say c]]", "reasoning": {"effort": "low", "summary": "auto"}},
        {"input": "[[refuse no]]"},
        {"input": "[[annotate https://example.org/]]"},
        {"input": "[[say One two three]] [[behave incomplete content_filter 1]]"},
        {"input": "[[behave empty]] [[say nothing]]"},
        UNCOUNTED[1],
        {"input": "A city.", "text": {"format": CITY}},
        {"input": "[[custom note x = 1]]", "tools": [{"type": "custom", "name": "note"}]},
    ],
    ids=[
        "text",
        "tools",
        "reasoning",
        "refusal",
        "link",
        "cut",
        "empty",
        "no usage",
        "schema",
        "custom",
    ],
)
class TestShapes:
    """Every answer and every event is as the SDK's models declare it."""

    def test_whole(self, relay, strictly, model, more):
        response = strictly.read(Response, relay.ok("/v1/responses", {"model": model, **more}))

        assert response.usage is not None or (model, more) == UNCOUNTED
        assert response.created_at > 1_700_000_000

    def test_streamed(self, relay, strictly, model, more):
        events = relay.events("/v1/responses", {"model": model, **more})

        read = [strictly.event(event.data) for event in events]
        assert [event.name for event in events] == [event.type for event in read]
        assert [event.sequence_number for event in read] == list(range(len(read)))
        assert read[-1].type in ("response.completed", "response.incomplete")
        done = [event.item for event in read if event.type == "response.output_item.done"]
        assert read[-1].response.output == done
        assert read[-1].response.usage is not None


@pytest.mark.parametrize("behaviour", ["failed", "error_event"])
def test_a_broken_stream_ends_with_an_error_and_a_failed_response(
    relay, strictly, model, behaviour
):
    """The SDKs raise for the first, Codex CLI reads the second; whatever the upstream sent."""
    prompt = f"[[say One two three]] [[behave slow]] [[behave {behaviour} 2]]"
    events = relay.events("/v1/responses", {"model": model, "input": prompt})

    read = [strictly.event(event.data) for event in events]
    assert [event.sequence_number for event in read] == list(range(len(read)))
    error, failed = read[-2:]
    assert (error.type, failed.type) == ("error", "response.failed")
    assert [event.type for event in read].count("error") == 1
    assert "in the middle" in error.message
    assert events[-2].data["error"]["message"] == error.message
    assert failed.response.error.message == error.message
    assert failed.response.status == "failed"
