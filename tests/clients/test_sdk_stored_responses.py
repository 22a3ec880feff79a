"""The openai SDK's stored responses, kept by the relay itself for every kind of upstream."""

import time

import openai
import pytest
from openai.pagination import SyncCursorPage
from openai.types.responses import (
    CompactedResponse,
    InputTokenCountResponse,
    Response,
    ResponseItem,
)

from tests.clients.test_sdk_responses import ADD

CALL = 'Add. [[call add {"a": 1, "b": 2}]]'


@pytest.mark.parametrize("stream", [False, True])
def test_a_response_is_retrieved(client, model, strictly, stream):
    request = {"model": model, "input": "[[reason Hm.]] [[say Hello]]", "store": True}
    if stream:
        with client.responses.stream(**request) as events:
            made = events.get_final_response()
    else:
        made = client.responses.create(**request)

    found = client.responses.with_raw_response.retrieve(made.id)

    response = strictly.read(Response, found.text)
    assert response.output_text == "Hello"
    assert response.usage == made.usage
    assert [item.id for item in response.output] == [item.id for item in made.output]


def test_its_input_items(client, model, relay, strictly):
    result = {"type": "function_call_output", "call_id": "call_1", "output": "3"}
    call = {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": "{}"}
    asked = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": CALL}]
    made = client.responses.create(model=model, input=[*asked, call, result], tools=[ADD])

    raw = relay.get(f"/v1/responses/{made.id}/input_items?order=asc").text
    page = strictly.read(SyncCursorPage[ResponseItem], raw)
    kinds = [item.type for item in page.data]
    assert kinds == ["message", "message", "function_call", "function_call_output"]
    pages = client.responses.input_items.list(made.id, limit=3).iter_pages()
    first, second = ([item.id for item in part.data] for part in pages)
    assert (len(first), len(second)) == (3, 1)
    assert first + second == [item.id for item in reversed(page.data)]


def test_it_is_deleted(client, model):
    made = client.responses.create(model=model, input="[[say Hello]]")

    client.responses.delete(made.id)

    for look in (client.responses.retrieve, client.responses.input_items.list):
        with pytest.raises(openai.NotFoundError):
            look(made.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.delete(made.id)


def test_a_tool_s_result_is_all_that_a_second_turn_sends(client, model, relay):
    first = client.responses.create(model=model, input=f"{CALL} [[then]] [[say 3]]", tools=[ADD])
    call = first.output[-1]

    second = client.responses.create(
        model=model,
        previous_response_id=first.id,
        input=[{"type": "function_call_output", "call_id": call.call_id, "output": "3"}],
        tools=[ADD],
    )

    assert second.output_text == "3"
    assert second.previous_response_id == first.id
    sent = relay.sandbox.requests[-1].body.decode()
    assert call.call_id in sent


def test_what_is_not_kept_cannot_be_continued(client, model):
    first = client.responses.create(model=model, input="[[say Hello]]", store=False)

    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model=model, input="Hi", previous_response_id=first.id)

    assert caught.value.code == "previous_response_not_found"


def test_a_background_response_is_polled(client, model, strictly):
    raw = client.responses.with_raw_response.create(
        model=model, input="[[say Hello]] [[behave late 0.3]]", background=True
    )
    waiting = strictly.read(Response, raw.text)
    assert (waiting.status, waiting.background) == ("queued", True)

    response = waiting
    while response.status in ("queued", "in_progress"):
        time.sleep(0.05)
        raw = client.responses.with_raw_response.retrieve(waiting.id)
        response = strictly.read(Response, raw.text)

    assert (response.status, response.output_text) == ("completed", "Hello")


def test_a_background_response_is_cancelled(client, model, strictly):
    made = client.responses.create(
        model=model, input="[[long 4000]] [[behave slow]]", background=True
    )

    raw = client.responses.with_raw_response.cancel(made.id)

    assert strictly.read(Response, raw.text).status == "cancelled"
    assert client.responses.retrieve(made.id).status == "cancelled"


def test_a_broken_stream_is_taken_up_again(client, model, strictly):
    request = {"model": model, "input": "[[long 40]] [[behave slow 0.02]]", "background": True}
    begun = []
    with client.responses.create(**request, stream=True) as stream:
        for event in stream:
            begun.append(event)
            if event.type == "response.output_text.delta":
                break
    response_id = begun[0].response.id

    with client.responses.retrieve(
        response_id, stream=True, starting_after=begun[-1].sequence_number
    ) as stream:
        rest = list(stream)

    for event in (*begun, *rest):
        strictly.event(event.to_dict())
    events = [*begun, *rest]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    said = "".join(each.delta for each in events if each.type == "response.output_text.delta")
    assert said == events[-1].response.output_text
    assert events[-1].type == "response.completed"


def test_the_stream_helper_takes_a_background_response_up(client, model):
    with client.responses.stream(
        model=model, input="[[say Hello there]]", background=True
    ) as stream:
        response_id = next(iter(stream)).response.id

    with client.responses.stream(response_id=response_id) as stream:
        assert stream.get_final_response().output_text == "Hello there"


def test_input_tokens_are_counted(client, model, strictly):
    raw = client.responses.input_tokens.with_raw_response.count(
        model=model, input="How many tokens are in this?", instructions="Be brief."
    )

    assert strictly.read(InputTokenCountResponse, raw.text).input_tokens > 5


def test_a_compacted_conversation_goes_on(client, model, strictly):
    first = client.responses.create(model=model, input="[[say The word is heron.]]")
    raw = client.responses.with_raw_response.compact(
        model=model, previous_response_id=first.id, input="Now go on."
    )
    compacted = strictly.read(CompactedResponse, raw.text)

    asked = [*(item.to_dict() for item in compacted.output), {"role": "user", "content": "Well?"}]
    again = client.responses.create(model=model, input=asked)

    assert compacted.usage.total_tokens > 0
    assert again.status == "completed"
