"""Gemini CLI with the settings that ``airelays connect gemini-cli`` prints: turns with its shell.

What it sends depends on the model's name; it was last seen with 0.61.0.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from airelays_app.cli.clients import CLIENTS, Connection
from tests.clients.command_line import exported, installed, run
from tests.clients.tried import on_its_upstreams

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
def take_turn(gemini, relay, tmp_path) -> Callable[[str, str], Turn]:
    """Return a function that runs one prompt on a model, with the printed settings."""
    file, shell = CLIENTS["gemini-cli"].steps
    (tmp_path / ".gemini").mkdir()
    (tmp_path / ".gemini" / "settings.json").write_text(file.text)

    def take(model: str, prompt: str) -> Turn:
        printed = Connection(relay.base_url, relay.url, relay.token, model).fill(shell.text)
        done = run(
            [gemini, "-m", model, *_ARGUMENTS, prompt],
            tmp_path,
            {"GEMINI_CLI_TRUST_WORKSPACE": "true", **exported(printed)},
        )
        answer = json.loads(done.stdout[done.stdout.index("{") :]) if "{" in done.stdout else {}
        return Turn(done.returncode, answer, done.stderr)

    return take


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
