"""Gemini CLI with the settings that ``airelays connect gemini-cli`` prints: turns with its shell.

What it sends depends on the model's name; it was last seen with 0.61.0.
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

SHELL = (
    '[[reason I look.]] [[call run_shell_command {"command": "echo marker | tr a-z A-Z"}]] '
    "[[then]] [[say All done.]]"
)
_ARGUMENTS = "--approval-mode yolo -o json -p".split()


@dataclass(frozen=True)
class Turn:
    """What ``gemini -o json`` did."""

    status: int
    answer: dict[str, Any]
    complaints: str


@pytest.fixture(scope="session")
def gemini() -> str:
    return installed("gemini")


@pytest.fixture
def run_gemini(gemini, relay, tmp_path) -> Callable[..., CompletedProcess[str]]:
    """Return a function that runs it with the settings that are printed for a model."""

    def run_gemini(model: str, *arguments: str) -> CompletedProcess[str]:
        settings, shell, _ = printed("gemini-cli", relay, model)
        (tmp_path / ".gemini").mkdir()
        (tmp_path / ".gemini" / "settings.json").write_text(settings)
        alone = {"GEMINI_CLI_TRUST_WORKSPACE": "true"}
        return run([gemini, *arguments], tmp_path, alone | exported(shell))

    return run_gemini


@pytest.fixture
def take_turn(run_gemini) -> Callable[[str, str], Turn]:
    """Return a function that runs one prompt on a model."""

    def take(model: str, prompt: str) -> Turn:
        done = run_gemini(model, "-m", model, *_ARGUMENTS, prompt)
        answer = json.loads(done.stdout[done.stdout.index("{") :]) if "{" in done.stdout else {}
        return Turn(done.returncode, answer, done.stderr)

    return take


def test_the_printed_example(relay, run_gemini):
    arguments = example("gemini-cli", relay, SUBSCRIPTION.model)

    done = run_gemini(SUBSCRIPTION.model, *arguments)

    assert_repeated(done, arguments[-1])
    (asked,) = SUBSCRIPTION.among(relay.sandbox.requests)
    assert arguments[-1].encode() in asked.body


@on_its_upstreams("gemini-cli")
def test_a_turn_with_its_shell(relay, take_turn, upstream):
    turn = take_turn(upstream.model, SHELL)

    assert turn.status == 0, turn
    assert turn.answer["response"] == "All done."
    assert turn.answer["stats"]["tools"]["totalSuccess"] == 1
    first, second = upstream.among(relay.sandbox.requests)
    assert (first.status, second.status) == (200, 200), "nothing was asked twice"
    assert b"MARKER" in second.body


def test_thought_comes_back_sealed(relay, take_turn):
    """It forgets thoughts, but not the signature beside a call, which holds the seal."""
    assert take_turn("gpt-5.5", SHELL).status == 0

    _, second = relay.sandbox.requests.to("/codex/responses")
    thoughts = [item for item in second.json["input"] if item["type"] == "reasoning"]
    assert [bool(item["encrypted_content"]) for item in thoughts] == [True]


def test_a_wrong_token_is_told(relay, take_turn, monkeypatch):
    monkeypatch.setattr(relay, "token", "no-such-token-at-all")
    turn = take_turn("gpt-5.5", "[[say Hi]]")

    assert turn.status != 0
    assert "token" in f"{turn.answer}{turn.complaints}"
