"""``GET /v1/realtime``: a WebSocket joined to the provider's, byte for byte.

The provider is dialled first, so what it refuses is an HTTP error; afterwards frames cross as they
are, pings and closes included; a side that leaves takes the other one along, and the place among
the running requests is free again.
"""

import json
import signal
import socket
import time
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.conftest import TOKEN, error_of

PATIENCE = 60.0
MODEL = "box/sandbox-small"


def dial(relay, query=f"model={MODEL}", path="/v1/realtime", token=TOKEN, **options):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"ws://{urlsplit(relay.url).netloc}{path}?{query}"
    return connect(
        url, additional_headers=headers, open_timeout=PATIENCE, close_timeout=PATIENCE, **options
    )


def refusal_of(relay, **options):
    with pytest.raises(InvalidStatus) as caught, dial(relay, **options):
        pytest.fail("the handshake succeeded")
    response = caught.value.response
    return response.status_code, json.loads(response.body)["error"]


def running_requests(relay):
    return relay.get("/v1/relay/status").json()["security"]["client"]["active_requests"] - 1


def await_free(relay):
    deadline = time.monotonic() + PATIENCE
    while running_requests(relay):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_is_said_crosses_both_ways(relay):
    with dial(relay, query=f"model={MODEL}&x=1&key=none") as conversation:
        created = json.loads(conversation.recv(PATIENCE))
        assert created == {"type": "session.created", "session": {"model": "sandbox-small"}}
        for size in (1, 1000, 300_000):
            said = {"type": "response.create", "text": "é" * size}
            conversation.send(json.dumps(said))
            assert json.loads(conversation.recv(PATIENCE))["response"]["echo"] == said
        assert conversation.ping().wait(PATIENCE)
        assert running_requests(relay) == 1
    handshake = relay.sandbox.requests.to("/v1/realtime")[-1]
    assert handshake.target == "/v1/realtime?model=sandbox-small&x=1"
    assert handshake.headers["authorization"] == f"Bearer {relay.sandbox.compatible_key}"
    await_free(relay)
    relay.await_log("path=/v1/realtime status=101")


@pytest.mark.parametrize(
    ("path", "query", "target"),
    [
        ("/box/v1/realtime", "model=sandbox-small", "?model=sandbox-small"),
        (
            "/box/v1/realtime/translations",
            "model=sandbox-small",
            "/translations?model=sandbox-small",
        ),
        (
            "/v1/realtime/translations",
            f"x=1&model={MODEL}",
            "/translations?model=sandbox-small&x=1",
        ),
    ],
)
def test_what_the_path_says_further_is_the_provider_s(relay, path, query, target):
    with dial(relay, query, path) as conversation:
        assert json.loads(conversation.recv(PATIENCE))["type"] == "session.created"
    assert relay.sandbox.requests[-1].target == f"/v1/realtime{target}"


def test_a_scope_needs_no_model(relay):
    """A provider may know the conversation by something else."""
    assert refusal_of(relay, query="call_id=rtc_1", path="/box/v1/realtime")[0] == 404
    assert relay.sandbox.requests[-1].target == "/v1/realtime?call_id=rtc_1"


@pytest.mark.parametrize("tail", ["%2e%2e/models", "a%2fb", "a//b", "..%5cx"])
def test_no_path_leads_astray(relay, tail):
    assert refusal_of(relay, path=f"/v1/realtime/{tail}")[0] == 404
    assert not relay.sandbox.requests


def test_a_session_is_begun_where_the_provider_has_that(relay):
    begun = relay.ok("/v1/realtime/sessions", {"model": MODEL, "voice": "alloy"})
    assert begun["model"] == "sandbox-small"
    asked = relay.asked("/v1/realtime/sessions")
    assert asked == {"model": "sandbox-small", "voice": "alloy"}
    assert relay.refusal("/v1/realtime/sessions", {"model": "gpt-5.5"}, 501)


def test_the_protocol_is_agreed_on_without_the_key_in_it(relay):
    offered = ["realtime", "openai-insecure-api-key.sk-secret"]
    with dial(relay, subprotocols=offered) as conversation:
        assert conversation.subprotocol == "realtime"
    sent = relay.sandbox.requests.to("/v1/realtime")[-1].headers["sec-websocket-protocol"]
    assert sent == "realtime"


def test_a_revoked_token_ends_its_conversations(relay):
    with dial(relay, token=relay.add_token("tablet")) as conversation, dial(relay) as other:
        conversation.recv(PATIENCE)
        relay.command("token", "revoke", "tablet")
        with pytest.raises(ConnectionClosed):
            conversation.recv(PATIENCE)
        assert json.loads(other.recv(PATIENCE))["type"] == "session.created"
        assert other.ping().wait(PATIENCE)
    relay.await_log("outcome=invalid_api_key")


def test_a_client_that_leaves_takes_the_upstream_along(relay):
    with dial(relay) as conversation:
        conversation.recv(PATIENCE)
        conversation.socket.shutdown(socket.SHUT_RDWR)
    request = relay.sandbox.requests.to("/v1/realtime")[-1]
    assert relay.sandbox.requests.wait_closed(request)
    await_free(relay)


def test_an_upstream_that_leaves_takes_the_client_along(relay):
    with dial(relay) as conversation:
        conversation.recv(PATIENCE)
        conversation.send("this is not JSON, and ends the sandbox's side")
        with pytest.raises(ConnectionClosed):
            conversation.recv(PATIENCE)
    await_free(relay)


def test_what_the_provider_refuses_is_an_http_error(relay):
    status, error = refusal_of(relay, query="model=box/no-such-model")
    assert status == 404
    assert error["code"] == "model_not_found"


def test_a_provider_without_realtime_is_501(relay):
    assert refusal_of(relay, query="model=gpt-5.5")[0] == 501


def test_the_model_must_be_named(relay):
    status, error = refusal_of(relay, query="x=1")
    assert status == 422
    assert error["param"] == "model"


def test_it_wants_the_key(relay):
    assert refusal_of(relay, token=None)[0] == 401


@pytest.mark.parametrize("path", ["/v1/realtime", "/box/v1/realtime", "/box/v1/realtime/x/y"])
def test_without_an_upgrade_it_is_426(relay, path):
    assert relay.get(path, token=None).status_code == 401
    answer = relay.get(f"{path}?model={MODEL}")
    assert answer.status_code == 426
    error_of(answer)


def test_it_can_be_turned_off(start_relay):
    relay = start_relay(REALTIME_ENABLED="false")
    assert refusal_of(relay)[0] == 501


def test_a_relay_that_stops_goes_on_for_its_time_and_then_ends_the_conversation(start_relay):
    relay = start_relay(STOP_SECONDS="4")
    with dial(relay) as conversation:
        conversation.recv(PATIENCE)
        relay.process.send_signal(signal.SIGTERM)
        relay.await_log("message=stopping")
        conversation.send('{"type":"response.create"}')
        assert json.loads(conversation.recv(PATIENCE))["type"] == "response.done"
        with pytest.raises(ConnectionClosed):
            conversation.recv(PATIENCE)
    assert relay.process.wait(PATIENCE) == 0
    request = relay.sandbox.requests.to("/v1/realtime")[-1]
    assert relay.sandbox.requests.wait_closed(request)
