"""The openai SDK's Responses over a WebSocket, on every kind of upstream."""

import pytest
from openai.types.responses import ResponsesServerEvent
from openai.types.responses.responses_server_event import ResponseWsError

from tests.clients.test_sdk_responses import ADD

# openai-python 3.54 opens its connection as websockets 17 does not want it any more.
pytestmark = pytest.mark.filterwarnings("ignore:connect.. must be used:DeprecationWarning")


def events_of(connection):
    """Return the events of one reply, to the terminal one."""
    events = []
    for event in connection:
        events.append(event)
        if event.type in ("response.completed", "response.failed", "error"):
            break
    return events


@pytest.fixture
def connection(client):
    with client.responses.connect() as connection:
        yield connection


def test_a_tool_is_called_and_its_result_is_all_that_is_sent_then(
    connection, model, relay, strictly
):
    asked = {"model": model, "tools": [ADD], "store": False}
    text = 'Add. [[call add {"a": 1, "b": 2}]] [[then]] [[say Three.]]'
    connection.response.create(**asked, input=text)
    first = events_of(connection)
    for event in first:
        strictly.read(ResponsesServerEvent, event.to_json())
    call = first[-1].response.output[-1]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "3"}

    connection.response.create(**asked, input=[result], previous_response_id=first[-1].response.id)

    second = events_of(connection)[-1].response
    assert second.output[-1].content[0].text == "Three."
    assert second.previous_response_id == first[-1].response.id
    sent = relay.sandbox.requests[-1].body.decode()
    assert "Add. [[call" in sent
    assert call.call_id in sent


def test_a_warm_up_comes_first(connection, model, strictly):
    connection.response.create(model=model, input="Remember.", store=False, generate=False)
    warmed_up = events_of(connection)
    for event in warmed_up:
        strictly.read(ResponsesServerEvent, event.to_json())

    connection.response.create(
        model=model,
        input="[[say Go]]",
        store=False,
        previous_response_id=warmed_up[-1].response.id,
    )

    assert events_of(connection)[-1].response.output[-1].content[0].text == "Go"


def test_an_error_is_an_event(connection, model, strictly):
    connection.response.create(model=model, input="Hi", previous_response_id="resp_none")

    (event,) = events_of(connection)

    error = strictly.read(ResponseWsError, event.to_json())
    assert error.error.code == "previous_response_not_found"
