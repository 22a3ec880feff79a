"""A reply that is collected in memory has a limit, whether it comes whole or as a stream.

A stream that only passes has none.
"""

import pytest

HUGE = "[[behave huge megabytes=1 deltas=20]]"
BODIES = {
    "/v1/responses": {"input": HUGE},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": HUGE}]},
}


@pytest.fixture(scope="module")
def module_relay(start_relay):
    return start_relay(UPSTREAM_MAX_REPLY_BYTES="500000", UPSTREAM_RETRY_ATTEMPTS="0")


@pytest.mark.parametrize("model", ["gpt-5.5", "box/sandbox-small"])
@pytest.mark.parametrize("path", BODIES)
def test_a_whole_reply(relay, path, model):
    error = relay.refusal(path, {"model": model, **BODIES[path]}, 502)
    assert "more than" in error["message"]


@pytest.mark.parametrize("model", ["gpt-5.5", "box/sandbox-small"])
@pytest.mark.parametrize("path", BODIES)
def test_a_stream_that_passes(relay, path, model):
    answer = relay.post(path, {"model": model, **BODIES[path], "stream": True})
    assert "response.completed" in answer.text or "[DONE]" in answer.text
