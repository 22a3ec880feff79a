"""curl with the commands that ``airelays connect curl`` prints: a question, whole and streamed."""

import json

import pytest

from tests.clients.command_line import installed, printed, run
from tests.clients.tried import on_its_upstreams
from tests.conftest import parse_sse

CAPITAL = "What is the capital of Italy?"


@pytest.fixture(scope="session")
def shell() -> str:
    installed("curl")
    return installed("sh")


@pytest.fixture(scope="module")
def module_relay(start_relay):
    return start_relay(vendors=True)


@on_its_upstreams("curl")
def test_both_commands_answer(shell, relay, tmp_path, upstream):
    whole, streamed = (
        run([shell, "-c", command], tmp_path, {}).stdout
        for command in printed("curl", relay, upstream.model)
    )

    (message,) = [item for item in json.loads(whole)["output"] if item["type"] == "message"]
    assert CAPITAL in message["content"][0]["text"], "the stand-in repeats what it was asked"
    *chunks, end = (event.data for event in parse_sse(streamed))
    said = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)
    assert CAPITAL in said
    assert end == "[DONE]"
    assert all(CAPITAL.encode() in each.body for each in upstream.among(relay.sandbox.requests))
