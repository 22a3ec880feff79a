"""Claude Code with the settings that ``airelays connect claude-code`` prints: turns with its shell.

What it sends depends on the model's name; it was last seen with 2.1.332.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.clients.command_line import (
    assert_repeated,
    example,
    exported,
    installed,
    printed,
    run,
)
from tests.clients.tried import on_its_upstreams
from tests.clients.upstreams import SUBSCRIPTION

SHELL = '[[call Bash {"command": "echo marker-$((40+2))"}]] [[then]] [[say All done.]]'
_ARGUMENTS = "-p --output-format stream-json --verbose --allowedTools Bash --".split()


@dataclass(frozen=True)
class Turn:
    """What ``claude -p --output-format stream-json`` did."""

    status: int
    events: list[dict[str, Any]]
    complaints: str

    def blocks(self, role: str) -> list[dict[str, Any]]:
        """Return the content blocks of all messages of a role."""
        messages = [event["message"] for event in self.events if event["type"] == role]
        return [block for message in messages for block in message["content"]]

    @property
    def result(self) -> dict[str, Any]:
        """The last event, which sums up."""
        return self.events[-1]


@pytest.fixture(scope="session")
def claude() -> str:
    return installed("claude")


@pytest.fixture
def run_claude(claude, relay, tmp_path) -> Callable[..., CompletedProcess[str]]:
    """Return a function that runs it for a model with further arguments, as printed."""

    def run_claude(model: str, *arguments: str) -> CompletedProcess[str]:
        shell, _ = printed("claude-code", relay, model)
        alone = {"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_MAX_RETRIES": "0"}
        return run([claude, *arguments], tmp_path, alone | exported(shell))

    return run_claude


@pytest.fixture
def take_turn(run_claude) -> Callable[[str, str], Turn]:
    """Return a function that runs one prompt on a model."""

    def take(model: str, prompt: str) -> Turn:
        done = run_claude(model, *_ARGUMENTS, prompt)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        return Turn(done.returncode, events, done.stderr)

    return take


def test_the_printed_example(relay, run_claude):
    arguments = example("claude-code", relay, SUBSCRIPTION.model)

    done = run_claude(SUBSCRIPTION.model, *arguments)

    assert_repeated(done, arguments[-1])
    (asked,) = SUBSCRIPTION.among(relay.sandbox.requests)
    assert arguments[-1].encode() in asked.body


@on_its_upstreams("claude-code")
def test_a_turn_with_its_shell(relay, take_turn, upstream):
    turn = take_turn(upstream.model, SHELL)

    assert turn.status == 0, (turn.events, turn.complaints)
    (result,) = [b for b in turn.blocks("user") if b["type"] == "tool_result"]
    assert "marker-42" in str(result["content"])
    assert [b["text"] for b in turn.blocks("assistant") if b["type"] == "text"] == ["All done."]
    assert turn.result["result"] == "All done."
    assert turn.result["usage"]["input_tokens"] > 1000
    first, second = upstream.among(relay.sandbox.requests)
    assert (first.status, second.status) == (200, 200), "nothing was negotiated or asked twice"
    assert b"marker-42" in second.body


def test_its_thinking_comes_back_sealed(relay, take_turn):
    """It asks for thinking by itself; the subscription's seal travels in the signature."""
    assert take_turn("gpt-5.5", SHELL).status == 0

    _, second = relay.sandbox.requests.to("/codex/responses")
    thoughts = [item for item in second.json["input"] if item["type"] == "reasoning"]
    assert [bool(item["encrypted_content"]) for item in thoughts] == [True]


def test_its_accounting_reaches_its_own_vendor_only(relay, take_turn):
    take_turn("gpt-5.5", "[[say Hi]]")
    take_turn("anthropic/claude-opus-4-8", "[[say Hi]]")

    (elsewhere,) = relay.sandbox.requests.to("/codex/responses")
    (home,) = relay.sandbox.requests.to("/anthropic/v1/messages")
    assert b"x-anthropic-billing-header" not in elsewhere.body
    assert b"x-anthropic-billing-header" in home.body
    assert "claude-code-" in home.headers["anthropic-beta"]


def test_a_wrong_token_is_told(relay, take_turn, monkeypatch):
    monkeypatch.setattr(relay, "token", "no-such-token-at-all")
    turn = take_turn("gpt-5.5", "[[say Hi]]")

    assert turn.status != 0
    assert "token" in turn.result["result"]
