"""Whatever becomes of an upstream, the client is told so and its conversation is as it was.

A turn is stored whole or not at all: after a failure the conversation has the items that it had,
and its next turn may begin at once. Each fault is met on every route, streamed and buffered, from
the subscription backend and from a compatible server, all at once.
"""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.conftest import error_of, parse_sse
from tests.hostile.vital_signs import await_true, running_requests, stored_rows
from tests.seeds.asking import CHAT, COMPLETIONS, RESPONSES, question, streamed_text, text_of

PATHS = (RESPONSES, CHAT, COMPLETIONS)
MODELS = ("gpt-5.5", "box/sandbox-small")
EVERY_WAY = [
    (path, model, stream) for path in PATHS for model in MODELS for stream in (False, True)
]
FAULTS = {
    "cut": {502},
    "cut -1": {502},
    "reset": {502},
    "reset 2": {502},
    "garbage": {502},
    "garbage 2": {502},
    "no_terminal 2": {502},
    "failed 2": {500, 502},
    "html": {502},
    "html 503": {503},
    "redirect": {502},
    "limit 3600": {429},
    "forbidden": {503},
    "silent": {504},
    "stalled 2": {504},
    "late 600": {504},
}
"""What each fault is to a client that waits for a whole answer."""


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay that gives a silent upstream up soon and tries nothing twice."""
    return start_relay(
        REQUEST_TIMEOUT_SECONDS="2", UPSTREAM_RETRY_ATTEMPTS="0", CONCURRENT_REQUESTS_PER_IP="500"
    )


def in_every_way(relay, steps, **more):
    """Ask on every route at once, each in a conversation of its own.

    Returns way, conversation and answer.
    """

    def ask(way):
        path, model, stream = way
        conversation = relay.ok("/v1/conversations", {"items": [{"role": "user", "content": "a"}]})
        body = question(path, steps, model=model, stream=stream, conversation=conversation["id"])
        return way, conversation["id"], relay.post(path, body | more)

    with ThreadPoolExecutor(len(EVERY_WAY)) as pool:
        return list(pool.map(ask, EVERY_WAY))


def failure_of(way, answer):
    """Return the error object of a failure, in the answer's place or at the end of its stream."""
    path, _, stream = way
    if answer.status_code != 200:
        return error_of(answer)
    assert stream, answer.text
    assert "[DONE]" not in answer.text
    events = parse_sse(answer.text)
    if path != RESPONSES:
        return events[-1].data["error"]
    assert [event.name for event in events[-2:]] == ["error", "response.failed"]
    return events[-2].data["error"]


def items_of(relay, conversation):
    return relay.get(f"/v1/conversations/{conversation}/items?order=asc").json()["data"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_turn_is_told_and_changes_nothing(relay, fault):
    for way, conversation, answer in in_every_way(relay, f"[[behave {fault}]] [[say 1 2 3 4]]"):
        error = failure_of(way, answer)
        assert error["message"], (way, error)
        assert {"message", "type", "param", "code"} <= error.keys()
        if not way[2]:
            assert answer.status_code in FAULTS[fault], (way, answer.text)
        if answer.status_code in (429, 503) and fault != "html 503":
            assert int(answer.headers["Retry-After"]) > 0, (way, answer.headers)
        assert [item["content"][0]["text"] for item in items_of(relay, conversation)] == ["a"], way
        body = question(way[0], "[[say Well again]]", model=way[1], conversation=conversation)
        assert text_of(way[0], relay.ok(way[0], body)) == "Well again"
        assert len(items_of(relay, conversation)) == 3, way
    await_true(lambda: running_requests(relay) == 0, lambda: running_requests(relay))


@pytest.mark.parametrize("patience", ["slow 0.3", "late 1.5", "one_byte", "close_delimited"])
def test_an_upstream_that_takes_its_time_is_waited_for(relay, patience):
    for way, conversation, answer in in_every_way(relay, f"[[behave {patience}]] [[say 1 2 3]]"):
        path, _, stream = way
        assert answer.status_code == 200, (way, answer.text)
        if stream:
            assert streamed_text(path, parse_sse(answer.text)) == "1 2 3"
        else:
            assert text_of(path, answer.json()) == "1 2 3"
        assert len(items_of(relay, conversation)) == 3


@pytest.fixture(scope="module")
def nowhere(start_relay):
    """Return a relay whose upstreams are ports at which nothing listens."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        yield start_relay(
            UPSTREAM_BASE_URL=f"{url}/backend-api/codex",
            PROVIDERS_BOX_BASE_URL=f"{url}/v1",
            CONCURRENT_REQUESTS_PER_IP="500",
        )


def test_an_upstream_that_is_down_is_named_after_a_few_tries(nowhere):
    for way, conversation, answer in in_every_way(nowhere, "[[say 1 2]]"):
        error = error_of(answer)
        assert (answer.status_code, error["code"]) == (502, "upstream_unreachable"), way
        assert "127.0.0.1" in error["message"]
        assert len(items_of(nowhere, conversation)) == 1
    assert nowhere.get("/v1/models").status_code == 502
    assert nowhere.get("/v1/subscription/status").status_code == 502
    assert nowhere.get("/health/ready").status_code == 200
    assert stored_rows(nowhere.data_dir)["conversation_turns"] == 0
