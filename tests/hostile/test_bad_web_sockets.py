"""No bytes on a WebSocket, whatever they are, make the relay fail, hang or grow.

What is against the protocol ends the connection with its code, and nothing that is no frame ever
follows; no frame, no handshake and no order of them is the relay's failure.
"""

import json
import os
import socket
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile.frames import BINARY, CLOSE, PING, PONG, TEXT, FrameWire, frame
from tests.hostile.generated import spoilt_bodies
from tests.hostile.vital_signs import (
    MOST_GROWTH,
    await_true,
    children_of,
    process_signs,
    running_requests,
)
from tests.hostile.wire import ask

RESPONSES = "/v1/responses"
MAX_BODY = 1024 * 1024
MOST_RUNNING = 12
NORMAL = struct.pack(">H", 1000)
CASES = int(os.environ.get("FUZZ_CASES", "60"))
LONG = "[[long 4000]] [[behave slow 0.05]]"


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay of one worker, with small limits and little patience."""
    return start_relay(
        WORKERS="1",
        MAX_BODY_BYTES=str(MAX_BODY),
        KEEPALIVE_SECONDS="0.3",
        SEND_SECONDS="1",
        CONCURRENT_REQUESTS_PER_IP=str(MOST_RUNNING),
    )


@pytest.fixture
def wire(relay):
    with FrameWire(relay.url) as wire:
        assert wire.open(relay).startswith(b"HTTP/1.1 101 ")
        yield wire


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(b"\xff\xfe"), 1007),
        (frame(b'{"a": "\xe2', final=False) + frame(b'\x28"}', opcode=0), 1007),
        (frame(b"{}", masked=False), 1002),
        (frame(b"{}", reserved=0x40), 1002),
        (frame(b"{}", opcode=3), 1002),
        (frame(b"{}", opcode=0), 1002),
        (frame(b"{", final=False) + frame(b"}"), 1002),
        (frame(b"x" * 126, opcode=PING), 1002),
        (frame(b"x", opcode=PING, final=False), 1002),
        (frame(b"x", opcode=CLOSE), 1002),
        (frame(struct.pack(">H", 5), opcode=CLOSE), 1002),
        (frame(NORMAL + b"\xff", opcode=CLOSE), 1007),
        (frame(b"", length=2**64 - 1), 1002),
        (frame(b"{}", opcode=BINARY), 1003),
        (frame(b"x" * (MAX_BODY + 1)), 1009),
        (frame("\N{GRINNING FACE}".encode() * (MAX_BODY // 4 + 1)), 1009),
        (frame(b"x" * MAX_BODY, final=False) + frame(b"x", opcode=0), 1009),
        (b"GET / HTTP/1.1\r\n\r\n", 1002),
        (frame(NORMAL, opcode=CLOSE), 1000),
        (frame(opcode=CLOSE), None),
    ],
    ids=lambda value: repr(value)[:40],
)
@pytest.mark.parametrize("meanwhile", [False, True], ids=["idle", "within a reply"])
def test_what_ends_a_connection_ends_it_in_good_order(relay, wire, sent, code, meanwhile):
    if meanwhile:
        wire.create(LONG)
        wire.event()
    wire.send(sent + frame(b"{}") * 3)

    assert wire.until_closed() == code
    await_true(lambda: running_requests(relay) == 0, lambda: running_requests(relay))
    assert all(relay.sandbox.requests.wait_closed(sent) for sent in relay.sandbox.requests)


def fuzzed(strategy):
    return lambda run: settings(
        max_examples=CASES,
        deadline=None,
        derandomize="FUZZ_CASES" not in os.environ,
        database=None,
        suppress_health_check=list(HealthCheck),
    )(given(strategy)(run))


def test_any_bytes_are_answered_with_frames_alone(relay):
    @fuzzed(st.binary(min_size=1, max_size=300))
    def run(data):
        with FrameWire(relay.url) as wire:
            wire.open(relay)
            wire.send(data)
            wire.sock.shutdown(socket.SHUT_WR)
            while received := wire.receive():
                assert received[0] in (TEXT, CLOSE, PING, PONG)

    run()


def test_any_request_is_answered_and_the_connection_goes_on(wire):
    @fuzzed(spoilt_bodies(("responses",)))
    def run(spoilt):
        message = {**json.loads(spoilt[1]), "type": "response.create"}
        wire.send(frame(json.dumps(message).encode()))
        last = wire.last_event()
        assert last.get("status", 200) < 500, (message, last)

    run()


@pytest.mark.parametrize(
    "sent",
    [
        frame(b""),
        frame(b"", final=False) + frame(b"", opcode=0),
        frame(b"[" * 100_000),
        frame(b'{"type": "x", "type": "response.create"}'),
        frame(b"null"),
        frame(b"{" + b'"a": 1, ' * 10_000),
        frame(b'{"type": ["response.create"]}'),
        frame(b'{"type": "response.create", "model": {}, "input": [7], "generate": false}'),
        frame(b'{"type": "response.create", "previous_response_id": [], "stream_id": {}}'),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_request_is_an_error_and_the_connection_goes_on(wire, sent):
    wire.send(sent)

    event = wire.event()
    assert event["type"] == "error"
    assert 400 <= event["status"] < 500
    wire.create("[[say Hi]]")
    assert wire.last_event()["type"] == "response.completed"


def test_a_message_may_come_in_any_pieces(wire):
    text = json.dumps({"type": "response.create", "model": "gpt-5.5", "input": "é [[say é]]"})
    data = text.encode()
    pieces = [frame(data[at : at + 1], opcode=0, final=False) for at in range(1, len(data))]
    between = frame(b"there?", opcode=PING)

    wire.send(frame(data[:1], final=False))
    for piece in pieces:
        wire.send(piece + between)
    wire.send(frame(opcode=0))

    for _ in pieces:
        assert wire.heard() == (PONG, b"there?")
    assert wire.last_event()["type"] == "response.completed"


def test_pieces_without_end_do_not_grow(relay, wire):
    (worker,) = children_of(relay.process.pid)
    before = process_signs(worker).memory
    wire.send(frame(b"x", final=False))
    for _ in range(20):
        wire.send(frame(b"", opcode=0, final=False) * 10_000)
    wire.send(frame(b"", opcode=PING))

    assert wire.heard() == (PONG, b"")
    assert process_signs(worker).memory < before + MOST_GROWTH


def test_a_client_that_sends_more_is_heard_while_a_reply_is_made(wire):
    wire.create("[[say one two]] [[behave slow 2]]")
    assert wire.event()["type"] == "response.created"
    wire.create("[[say Next]]")
    wire.send(frame(b"there?", opcode=PING))

    opcode, data = wire.heard()
    while opcode != PONG:
        assert b"response.completed" not in data
        opcode, data = wire.heard()
    assert wire.last_event()["type"] == "response.completed"
    assert wire.last_event()["response"]["output"][0]["content"][0]["text"] == "Next"


@pytest.mark.parametrize("asked", ["", "[[behave late 30]]", "[[behave silent 30]]"])
def test_a_silent_client_is_sent_signs_of_life(wire, asked):
    if asked:
        wire.create(asked)

    assert [wire.receive() for _ in range(2)] == [(PING, b"")] * 2


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "\xe9.test"},
        {"Host": "xn--a"},
        {"Connection": "keep-alive, Upgrade, \xe9"},
        {"Sec_WebSocket_Protocol": "\xe9"},
        {"Sec_WebSocket_Extensions": "permessage-deflate; client_max_window_bits, \xe9,;="},
        {"Content_Length": "0"},
        {"X_Odd": "\x80\xff" * 1_000},
        {"Upgrade": "WebSocket"},
    ],
    ids=repr,
)
def test_odd_headers_of_a_handshake_change_nothing(relay, headers):
    with FrameWire(relay.url) as wire:
        head = wire.open(relay, **headers)

        assert head.startswith(b"HTTP/1.1 101 "), head
        assert b"sec-websocket-extensions" not in head.lower()
        wire.create("[[say Hi]]")
        assert wire.last_event()["type"] == "response.completed"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec_WebSocket_Key": "\xe9"}, 400),
        ({"Sec_WebSocket_Key": "dGhlIHNhbXBsZQ=="}, 400),
        ({"Sec_WebSocket_Version": "8"}, 400),
        ({"Upgrade": "websocket, h2c"}, 426),
        ({"Upgrade": "h2c"}, 426),
        ({"Connection": "close"}, 426),
        ({"Authorization": "Bearer t\xf6ken"}, 401),
    ],
    ids=repr,
)
def test_what_is_no_handshake_is_refused(relay, headers, status):
    with FrameWire(relay.url) as wire:
        assert wire.open(relay, **headers).startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize("method", ["HEAD", "POST"])
def test_only_get_opens_one(relay, method):
    headers = {"Authorization": f"Bearer {relay.token}", "Connection": "Upgrade"}
    headers |= {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}

    assert ask(relay.url, method, RESPONSES, b"", headers).status in (422, 426)


def test_connections_count_as_running_requests(relay):
    await_true(lambda: running_requests(relay) == 0, lambda: running_requests(relay))
    wires = [FrameWire(relay.url) for _ in range(MOST_RUNNING + 1)]
    heads = [wire.open(relay) for wire in wires]
    assert [head.split()[1] for head in heads] == [*[b"101"] * MOST_RUNNING, b"429"]

    for wire in wires:
        wire.sock.close()
    await_true(lambda: relay.get("/v1/relay/status").status_code == 200, lambda: relay.log()[-500:])


def test_a_client_that_reads_nothing_is_given_up(relay):
    with FrameWire(relay.url, receive_buffer=4096) as wire:
        wire.open(relay)
        wire.create("[[long 400000]]")
        await_true(lambda: len(relay.sandbox.requests) == 1, lambda: relay.log()[-500:])
        (sent,) = relay.sandbox.requests
        assert relay.sandbox.requests.wait_closed(sent)
        await_true(lambda: running_requests(relay) == 0, lambda: running_requests(relay))


def test_a_page_that_may_not_read_answers_opens_none(start_relay):
    relay = start_relay(CORS_ORIGINS="https://chat.test")
    for origin, status in (("https://evil.test", b"403"), ("https://chat.test", b"101")):
        with FrameWire(relay.url) as wire:
            head = wire.open(relay, RESPONSES + f"?key={relay.token}", Origin=origin)
            assert head.split()[1] == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.test"}, b"403"),
        ({"Origin": "null"}, b"403"),
        ({"Sec_Fetch_Site": "cross-site"}, b"403"),
        ({"Host": "evil.test"}, b"403"),
        ({}, b"101"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("path", [RESPONSES, "/no-tools/v1/responses", "/box/v1/responses"])
def test_no_page_opens_one_where_no_token_is_required(open_relay, path, headers, status):
    with FrameWire(open_relay.url) as wire:
        named = {"Host": "localhost", "Authorization": ""} | headers
        assert wire.open(open_relay, path, **named).split()[1] == status


@pytest.fixture(scope="module")
def open_relay(start_relay):
    """Return a relay that requires no token."""
    return start_relay(REQUIRE_BEARER_AUTH="false")


def guess(relay):
    """Open one with a wrong token; return the status."""
    with FrameWire(relay.url) as wire:
        return wire.open(relay, Authorization="Bearer wrong").split()[1]


def test_guesses_are_counted_and_blocked(relay):
    statuses = [guess(relay) for _ in range(9)]

    assert set(statuses) == {b"401", b"429"}
    assert statuses == sorted(statuses)
