"""opencode with the settings that ``airelays connect opencode`` prints: turns with its shell."""

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
    '[[call bash {"command": "echo marker-$((40+2))", "description": "Look"}]] '
    "[[then]] [[say All done.]]"
)
CHAT = "@ai-sdk/openai-compatible"
GOOGLE = "@ai-sdk/google"
PACKAGES = {
    "@ai-sdk/openai": "/v1/responses",
    "@ai-sdk/anthropic": "/v1/messages",
    GOOGLE: "/v1beta/models/",
}
"""Where opencode asks with each package but the one that is printed."""
ALONE = {"OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1"}


@dataclass(frozen=True)
class Turn:
    """What ``opencode run --format json`` did."""

    status: int
    events: list[dict[str, Any]]
    complaints: str

    def parts(self, kind: str) -> list[dict[str, Any]]:
        """Return the parts of all messages that are of one kind."""
        return [event["part"] for event in self.events if event["type"] == kind]


@pytest.fixture(scope="session")
def opencode() -> str:
    return installed("opencode")


@pytest.fixture(scope="module")
def module_relay(start_relay):
    return start_relay(vendors=True)


def in_dialect(settings: str, package: str) -> str:
    """Return the printed settings with another package."""
    version = '/v1beta"' if package == GOOGLE else '/v1"'
    return settings.replace(CHAT, package).replace('/v1"', version)


@pytest.fixture
def run_opencode(opencode, relay, tmp_path) -> Callable[..., CompletedProcess[str]]:
    """Return a function that runs it with the settings that are printed for a model.

    ``package`` is what opencode speaks with.
    """

    def run_opencode(model: str, *words: str, package: str = CHAT) -> CompletedProcess[str]:
        settings, shell, _ = printed("opencode", relay, model)
        (tmp_path / "work").mkdir()
        (tmp_path / "work" / "opencode.json").write_text(in_dialect(settings, package))
        return run([opencode, *words], tmp_path, ALONE | exported(shell))

    return run_opencode


@pytest.fixture
def take_turn(run_opencode) -> Callable[..., Turn]:
    """Return a function that runs one prompt on a model."""

    def take(model: str, prompt: str, package: str = CHAT) -> Turn:
        words = prompt.split(" ")  # it puts quotes around what has spaces
        command = ("run", "--format", "json", "-m", f"airelays/{model}", *words)
        done = run_opencode(model, *command, package=package)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        return Turn(done.returncode, events, done.stderr)

    return take


def test_the_printed_example(relay, run_opencode):
    arguments = example("opencode", relay, SUBSCRIPTION.model)

    done = run_opencode(SUBSCRIPTION.model, *arguments)

    assert_repeated(done, arguments[-1])
    *_, asked = SUBSCRIPTION.among(relay.sandbox.requests)
    assert arguments[-1].encode() in asked.body


def assert_shell_was_used(turn: Turn) -> None:
    assert turn.status == 0, turn
    assert [part["text"] for part in turn.parts("text")] == ["All done."]
    (call,) = turn.parts("tool_use")
    assert call["state"]["output"].strip() == "marker-42"


@on_its_upstreams("opencode")
def test_a_turn_with_its_shell(relay, take_turn, upstream):
    turn = take_turn(upstream.model, SHELL)

    assert_shell_was_used(turn)
    *_, second = upstream.among(relay.sandbox.requests)
    assert b"marker-42" in second.body


class TestInOtherDialects:
    """With another package it speaks another dialect, and always sends a limit of tokens."""

    @pytest.fixture
    def relay(self, start_relay):
        return start_relay(vendors=True, COMPAT_TOKEN_LIMITS="ignore")

    @pytest.mark.parametrize(("package", "path"), PACKAGES.items())
    def test_a_turn_with_its_shell(self, relay, take_turn, package, path):
        assert_shell_was_used(take_turn(SUBSCRIPTION.model, SHELL, package))

        *_, second = SUBSCRIPTION.among(relay.sandbox.requests)
        assert b"marker-42" in second.body
        assert f"path={path}" in relay.log()
