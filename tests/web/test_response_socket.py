"""``GET /v1/responses`` as a WebSocket: each message asks for a reply, each event is a message.

On every kind of upstream, one reply after the other. The connection remembers its latest response,
also with ``store: false`` and also one that was only warmed up (``generate: false``). What goes
wrong is a message, and the connection goes on. Clients that cannot have it get 426.
"""

import contextlib
import json
import os
import signal
import time

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.conftest import error_of
from tests.hostile.vital_signs import children_of, running_requests
from tests.seeds.asking import ADD, RESPONSES, question
from tests.web.test_stored_responses import (
    UPSTREAMS,
    is_kept,
    kept,
    said_in,
)

PATIENCE = 60.0
on_every_lane = pytest.mark.parametrize("model", UPSTREAMS.values(), ids=UPSTREAMS)


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay with an upstream for each lane."""
    return start_relay(plain="responses")


class Talk:
    """A client's end of one connection."""

    def __init__(self, web_socket):
        self.web_socket = web_socket

    def send(self, text="[[say Hi]]", **more):
        body = question(RESPONSES, text) | more
        self.web_socket.send(json.dumps({"type": "response.create", **body}))

    def receive(self):
        return json.loads(self.web_socket.recv(timeout=PATIENCE))

    def events(self):
        """Return the events of one reply, to the terminal one."""
        events = [self.receive()]
        while events[-1]["type"] not in TERMINAL:
            events.append(self.receive())
        return events

    def ask(self, text="[[say Hi]]", **more):
        """Return the response that was made."""
        self.send(text, **more)
        last = self.events()[-1]
        assert last["type"] == "response.completed", last
        return last["response"]

    def refusal(self, **more):
        """Return the error event that answers a message."""
        self.send(**more)
        event = self.receive()
        assert event["type"] == "error", event
        return event


TERMINAL = ("response.completed", "response.failed", "response.incomplete", "error")


@contextlib.contextmanager
def talking(relay, path=RESPONSES, **options):
    url = relay.url.replace("http", "ws") + path
    headers = {"Authorization": f"Bearer {options.pop('token', relay.token)}"}
    with connect(url, additional_headers=headers, proxy=None, **options) as web_socket:
        yield Talk(web_socket)


@pytest.fixture
def talk(relay):
    with talking(relay) as talk:
        yield talk


@on_every_lane
def test_the_events_of_a_reply_are_messages(relay, talk, model):
    talk.send("[[say One two]]", model=model, store=True)
    events = talk.events()

    over_http = relay.events(RESPONSES, question(RESPONSES, "[[say One two]]", model=model))
    assert [event["type"] for event in events] == [event.name for event in over_http]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert kept(relay, events[-1]["response"]["id"]) == events[-1]["response"]


@on_every_lane
@pytest.mark.parametrize("store", [False, None, True])
def test_only_what_is_new_is_sent_in_the_next_turn(relay, talk, model, store):
    first = talk.ask("[[say one]]", model=model, store=store)
    second = talk.ask("[[say two]]", model=model, store=store, previous_response_id=first["id"])
    third = talk.ask("[[say three]]", model=model, store=store, previous_response_id=second["id"])

    assert third["previous_response_id"] == second["id"]
    sent = relay.sandbox.requests[-1].json
    assert said_in(sent) == ["[[say one]]", "one", "[[say two]]", "two", "[[say three]]"]
    assert is_kept(relay, third["id"]) is (store is not False)


def test_what_was_kept_of_it_goes_on_over_http(relay, talk):
    unkept = talk.ask("[[say one]]", store=False)
    known = talk.ask("[[say two]]", previous_response_id=unkept["id"], store=True)

    relay.ok(RESPONSES, question(RESPONSES, previous_response_id=known["id"]))

    assert said_in(relay.asked()) == ["[[say one]]", "one", "[[say two]]", "two", "[[say Hi]]"]


def test_what_was_kept_over_http_goes_on_here(relay, talk):
    first = relay.ok(RESPONSES, question(RESPONSES, "[[say one]]", store=True))

    talk.ask("[[say two]]", previous_response_id=first["id"])

    assert said_in(relay.asked()) == ["[[say one]]", "one", "[[say two]]"]


def test_a_warm_up_is_answered_without_the_upstream_and_continued(relay, talk):
    talk.send("Remember this.", generate=False, store=False, instructions="Be brief.")
    events = talk.events()

    assert [event["type"] for event in events] == ["response.created", "response.completed"]
    warmed_up = events[-1]["response"]
    assert (warmed_up["output"], warmed_up["usage"]["total_tokens"]) == ([], 0)
    assert len(relay.sandbox.requests) == 0
    talk.ask("[[say Hi]]", previous_response_id=warmed_up["id"], store=False)
    assert said_in(relay.asked()) == ["Remember this.", "[[say Hi]]"]


def test_a_warm_up_may_say_nothing(relay, talk):
    talk.send(generate=False, input=[])
    warmed_up = talk.events()[-1]["response"]

    talk.ask("[[say Hi]]", previous_response_id=warmed_up["id"])

    assert said_in(relay.asked()) == ["[[say Hi]]"]


def test_only_the_latest_response_is_remembered(relay, talk):
    first = talk.ask(store=False)
    talk.ask(store=False)

    event = talk.refusal(previous_response_id=first["id"], store=False)

    assert event["status"] == 400
    assert event["error"]["code"] == "previous_response_not_found"


def test_another_connection_remembers_nothing_of_it(relay, talk):
    first = talk.ask(store=False)

    with talking(relay) as other:
        event = other.refusal(previous_response_id=first["id"])

    assert event["error"]["code"] == "previous_response_not_found"


def test_another_credential_continues_nothing_that_is_kept(relay, talk):
    first = talk.ask(store=True)

    with talking(relay, token=relay.add_token("phone")) as other:
        event = other.refusal(previous_response_id=first["id"])

    assert event["error"]["code"] == "previous_response_not_found"


@pytest.mark.parametrize("behaviour", ["status 500", "failed", "cut"])
def test_a_turn_that_fails_is_forgotten_with_what_it_continued(relay, talk, behaviour):
    first = talk.ask(store=False)
    talk.send(
        f"[[say one two three]] [[behave {behaviour}]]",
        previous_response_id=first["id"],
        store=False,
        model="box/sandbox-small",
    )
    assert talk.events()[-1]["type"] in ("error", "response.failed")
    settle(talk)

    event = talk.refusal(previous_response_id=first["id"], store=False)

    assert event["error"]["code"] == "previous_response_not_found"


def settle(talk):
    """Read what else belongs to a failure."""
    with contextlib.suppress(TimeoutError):
        talk.web_socket.recv(timeout=0.5)


@pytest.mark.parametrize(
    ("message", "status", "param"),
    [
        ("{", 400, None),
        ("[]", 400, None),
        ("{}", 422, "type"),
        ('{"type": "response.steer"}', 422, "type"),
        ({"background": True}, 422, "background"),
        ({"model": None}, 422, "model"),
        ({"tools": 7}, 422, "tools"),
        ({"generate": False, "model": 7}, 422, "model"),
        ({"model": "box/none"}, 404, "model"),
    ],
    ids=str,
)
def test_what_is_wrong_is_a_message_and_the_connection_goes_on(talk, message, status, param):
    if isinstance(message, str):
        talk.web_socket.send(message)
        event = talk.receive()
    else:
        event = talk.refusal(**message)

    assert (event["type"], event["status"]) == ("error", status)
    assert {"message", "type", "code", "param"} <= event["error"].keys()
    assert param is None or event["error"]["param"] == param
    assert talk.ask()["status"] == "completed"


def test_an_upstream_s_limit_says_when_to_come_back(talk):
    event = talk.refusal(text="[[behave limit 1 plus 7]]")

    assert event["status"] == 429
    assert event["headers"]["Retry-After"]
    assert event["error"]["headers"] == event["headers"]


def test_what_was_left_out_is_disclosed_in_the_first_event(talk):
    talk.send(temperature=0.5, user="me")
    events = talk.events()

    assert events[0]["airelays_ignored_parameters"] == "temperature,user"
    assert not any("airelays_ignored_parameters" in event for event in events[1:])


@pytest.mark.parametrize("model", ["gpt-5.5", "box/sandbox-small"])
def test_who_answers_is_disclosed_in_the_first_event(relay, talk, model):
    talk.send(model=model)
    first, *others = talk.events()

    over_http = relay.post(RESPONSES, question(RESPONSES, model=model))
    assert first["airelays_route"] == over_http.headers["x-airelays-route"]
    assert not any("airelays_route" in event for event in others)


def test_events_stay_in_their_lane(talk):
    talk.send(stream_id="a")
    assert {event["stream_id"] for event in talk.events()} == {"a"}
    assert talk.refusal(stream_id="b", model=None)["stream_id"] == "b"


def test_messages_that_come_together_are_answered_one_after_the_other(talk):
    for word in ("one", "two", "three"):
        talk.send(f"[[say {word}]]")

    said = [talk.events()[-1]["response"]["output"][0]["content"][0]["text"] for _ in range(3)]

    assert said == ["one", "two", "three"]


def test_the_client_s_pings_are_answered_while_the_upstream_is_silent(relay):
    with talking(relay, ping_interval=0.5, ping_timeout=10) as talk:
        assert talk.ask("[[say Hi]] [[behave late 3]]")["status"] == "completed"
        assert talk.ask("[[say Hi there]] [[behave slow 1.5]]")["status"] == "completed"


def test_a_client_that_leaves_lets_the_upstream_go(relay):
    with talking(relay) as talk:
        talk.send("[[long 4000]] [[behave slow 0.02]]")
        talk.receive()
    (sent,) = relay.sandbox.requests
    assert relay.sandbox.requests.wait_closed(sent)
    assert sent.closed_early


def test_a_message_may_be_large_but_not_too_large(start_relay):
    relay = start_relay(MAX_BODY_BYTES="300000")
    with talking(relay) as talk:
        assert talk.ask("[[say Hi]] " + "x" * 200_000)["status"] == "completed"
        talk.send("x" * 400_000)
        with pytest.raises(ConnectionClosed) as caught:
            talk.receive()
    assert caught.value.rcvd.code == 1009


def test_binary_messages_are_not_understood(talk):
    talk.web_socket.send(b"\x00\x01")

    with pytest.raises(ConnectionClosed) as caught:
        talk.receive()
    assert caught.value.rcvd.code == 1003


def test_each_message_counts_towards_the_rate(start_relay):
    relay = start_relay(RATE_LIMIT_PER_MINUTE="1", RATE_LIMIT_BURST="4")
    with talking(relay) as talk:
        talk.ask()
        talk.send(generate=False)
        talk.events()
        assert talk.refusal(type="none")["status"] == 422
        event = talk.refusal()

    assert (event["status"], event["error"]["code"]) == (429, "rate_limit_exceeded")
    assert event["headers"]["Retry-After"]


def test_a_revoked_token_gets_no_further_reply(relay):
    with talking(relay, token=relay.add_token("tablet")) as talk:
        talk.ask()
        relay.command("token", "revoke", "tablet")
        event = talk.refusal()
        with pytest.raises(ConnectionClosed) as caught:
            talk.receive()

    assert (event["status"], event["error"]["code"]) == (401, "invalid_api_key")
    assert caught.value.rcvd.code == 1008
    assert len(relay.sandbox.requests) == 1


def test_without_tools_there_are_none(relay):
    with talking(relay, "/no-tools/v1/responses") as talk:
        assert talk.refusal(tools=[ADD])["error"]["param"] == "tools"
        assert talk.refusal(tools=[ADD], generate=False)["error"]["param"] == "tools"
        assert talk.ask()["status"] == "completed"


def test_a_provider_in_the_path_is_asked(relay):
    with talking(relay, "/box/v1/responses") as talk:
        assert talk.ask(model="sandbox-small")["status"] == "completed"
    assert len(relay.sandbox.requests.to("/chat/completions")) == 1


def test_a_killed_worker_frees_the_places_of_its_connections(relay):
    with talking(relay) as talk:
        talk.send("[[long 4000]] [[behave slow 0.05]]")
        talk.receive()
        for worker in children_of(relay.process.pid):
            os.kill(worker, signal.SIGKILL)
        with pytest.raises(ConnectionClosed):
            talk.events()

    (sent,) = relay.sandbox.requests
    assert relay.sandbox.requests.wait_closed(sent)
    assert running_requests(relay) == 0


def test_another_conversation_has_another_session(relay, talk):
    for name in ("one", "two"):
        first = talk.ask(f"[[say {name}]]")
        talk.ask(previous_response_id=first["id"])
        assert relay.sandbox.requests[-1].headers["session_id"] == first["id"]


def test_a_worker_that_is_replaced_ends_its_connections_after_the_reply(start_relay):
    relay = start_relay(WORKERS="1")
    with talking(relay) as talk:
        talk.send("[[long 30]] [[behave slow 0.05]]")
        talk.receive()
        relay.process.send_signal(signal.SIGHUP)
        assert talk.events()[-1]["type"] == "response.completed"
        with pytest.raises(ConnectionClosed) as caught:
            talk.receive()
    assert caught.value.rcvd.code == 1001


def test_each_reply_has_its_line_in_the_log(relay, talk):
    before = len(relay.log())
    talk.ask()
    deadline = time.monotonic() + PATIENCE
    while "method=WEBSOCKET" not in relay.log()[before:]:
        assert time.monotonic() < deadline
        time.sleep(0.02)

    line = next(line for line in relay.log()[before:].splitlines() if "WEBSOCKET" in line)
    assert "outcome=complete" in line
    assert "output_tokens=" in line
    assert "credential=main" in line


def test_each_message_is_in_the_traffic_log(start_relay):
    relay = start_relay(LOG_TRAFFIC="true", LOG_TRAFFIC_BODIES="true")
    with talking(relay) as talk:
        talk.ask("[[say Hi]] Remember the heron.")
    relay.stop()

    written = "".join(path.read_text() for path in (relay.data_dir / "logs").rglob("*.log"))
    moments = [json.loads(line) for line in written.splitlines()]
    asked = next(each for each in moments if each.get("method") == "WEBSOCKET")
    assert "heron" in json.dumps(asked)
    of_message = [each["phase"] for each in moments if each["request_id"] == asked["request_id"]]
    assert (of_message[0], of_message[-1]) == ("inbound_request", "outbound_response")


# Who cannot have it.

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def test_it_can_be_turned_off(start_relay):
    relay = start_relay(RESPONSES_WEBSOCKET="false")

    answer = relay.get(RESPONSES, headers=UPGRADE)

    assert answer.status_code == 426
    assert answer.headers["Upgrade"] == "websocket"
    assert error_of(answer)["code"] == "upgrade_required"


def test_without_an_upgrade_it_is_426(relay):
    assert relay.get(RESPONSES).status_code == 426


def test_a_stranger_is_refused(relay):
    assert relay.get(RESPONSES, headers=UPGRADE, token=None).status_code == 401


@pytest.mark.parametrize("name", ["Sec-WebSocket-Version", "Sec-WebSocket-Key"])
def test_a_broken_handshake_is_refused(relay, name):
    headers = {each: value for each, value in UPGRADE.items() if each != name}

    assert relay.get(RESPONSES, headers=headers).status_code == 400
