"""A client that leaves is noticed at once, whatever is being waited for, and costs nothing more.

The upstream sees its connection closed, the place among the running requests is free, and a
conversation is as it was.
"""

import json
import select
import socket
import time
from contextlib import closing

import pytest

from tests.hostile.answers import headers_of
from tests.hostile.vital_signs import await_true, running_requests
from tests.hostile.wire import Wire, request_head
from tests.seeds.asking import CHAT, RESPONSES, question

NOTICED_SECONDS = 15.0
"""About one is meant; this machine may be busy."""

MODELS = ("gpt-5.5", "box/sandbox-small")
UPSTREAM_ROUTES = ("/codex/responses", "/v1/chat/completions")
PHASES = {
    "before the upstream answers a stream": ("[[behave late 60]]", True, b""),
    "before the upstream answers a whole reply": ("[[behave late 60]]", False, b""),
    "after the upstream's headers": ("[[behave silent]]", True, b""),
    "in the middle of a stream": ("[[behave stalled 2]]", True, b'"0 "'),
    "in the middle of a whole reply": ("[[behave stalled 2]]", False, b""),
    "while a whole reply comes slowly": ("[[behave slow 1]]", False, b""),
    "while a stream comes slowly": ("[[behave slow 1]]", True, b'"0 "'),
}
"""What the upstream does, whether the client wants a stream, and what it waits for."""


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay that tries nothing twice, so that one call is one request."""
    return start_relay(UPSTREAM_RETRY_ATTEMPTS="0", SEND_SECONDS="1")


def begun(relay, wire, path, body):
    """Send the request; return what the upstream got of it."""
    before = len(relay.sandbox.requests)
    data = json.dumps(body).encode()
    wire.send(request_head("POST", path, headers_of(relay), length=len(data)) + data)
    assert relay.sandbox.requests.wait(lambda log: len(log) > before)
    return relay.sandbox.requests[-1]


def assert_noticed(relay, request, left):
    assert relay.sandbox.requests.wait_closed(request), "the upstream never saw it"
    assert request.closed_early
    assert request.closed_at - left < NOTICED_SECONDS
    await_true(lambda: running_requests(relay) == 0, lambda: running_requests(relay))


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(("path", "model"), [(RESPONSES, MODELS[0]), (CHAT, MODELS[1])])
def test_the_upstream_is_left_when_the_client_leaves(relay, path, model, phase):
    steps, stream, seen = PHASES[phase]
    conversation = relay.ok("/v1/conversations", {})["id"]
    asked = question(path, f"{steps} [[long 500]]", model=model, conversation=conversation)
    with Wire(relay.url) as wire:
        request = begun(relay, wire, path, {**asked, "stream": stream})
        if seen:
            wire.read_until(seen)
        time.sleep(0.1)
        left = time.monotonic()
    assert_noticed(relay, request, left)
    assert relay.get(f"/v1/conversations/{conversation}/items").json()["data"] == []
    assert relay.ok(path, question(path, model=model, conversation=conversation))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("how", ["reset", "half"])
def test_every_way_of_leaving_counts(relay, model, how):
    body = question(CHAT, "[[behave stalled 2]] [[long 9]]", model=model, stream=True)
    with Wire(relay.url) as wire:
        request = begun(relay, wire, CHAT, body)
        wire.read_until(b'"0 "')
        left = time.monotonic()
        if how == "half":
            wire.sock.shutdown(socket.SHUT_WR)
        else:
            wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            wire.sock.close()
        assert_noticed(relay, request, left)


@pytest.mark.parametrize("model", MODELS)
def test_a_client_that_reads_no_more_is_a_client_that_has_left(relay, model):
    """After ``server.send_seconds``, here one, in which it has taken nothing at all."""
    body = question(CHAT, "[[behave huge 32 400]]", model=model, stream=True)
    with Wire(relay.url, receive_buffer=4096) as wire:
        request = begun(relay, wire, CHAT, body)
        assert relay.sandbox.requests.wait_closed(request)
        assert request.closed_early
        await_true(lambda: running_requests(relay) == 0, lambda: running_requests(relay))


@pytest.mark.parametrize("path", [CHAT, "/v1/conversations", "/v1/files"])
def test_a_client_that_leaves_within_its_body_reaches_no_upstream(relay, path):
    headers = headers_of(relay)
    if path == "/v1/files":
        headers["Content-Type"] = "multipart/form-data; boundary=xx"
    with Wire(relay.url) as wire:
        wire.send(request_head("POST", path, headers, length=1_000_000) + b"{" + b" " * 500_000)
        await_true(lambda: running_requests(relay) == 1, lambda: running_requests(relay))
    await_true(lambda: running_requests(relay) == 0, lambda: running_requests(relay))
    assert not [each for each in relay.sandbox.requests if each.path.endswith(UPSTREAM_ROUTES)]
    assert relay.get("/v1/files").json()["data"] == []
    assert not list((relay.data_dir / "uploads").glob("*"))


@pytest.fixture(scope="module")
def deaf(start_relay):
    """Return a listening socket that reads nothing, and a relay with it for an upstream."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.settimeout(60)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        yield listener, start_relay(login=False, PROVIDERS_BOX_BASE_URL=url)


def test_a_client_that_leaves_while_the_upstream_takes_no_more_is_noticed(deaf):
    listener, relay = deaf
    data = json.dumps(question(CHAT, "x" * 20_000_000, model="box/any")).encode()
    with Wire(relay.url) as wire:
        wire.send(request_head("POST", CHAT, headers_of(relay), length=len(data)) + data)
        upstream, _ = listener.accept()
        time.sleep(0.3)
        left = time.monotonic()
    with closing(upstream):
        poll = select.poll()
        poll.register(upstream, select.POLLRDHUP)
        assert poll.poll(60_000)
        assert time.monotonic() - left < NOTICED_SECONDS
    await_true(lambda: running_requests(relay) == 0, lambda: running_requests(relay))
