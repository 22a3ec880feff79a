"""Which release of which client was tried on what.

The tests of the clients take their upstreams from here, and the pages of the clients say it.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.upstreams import UPSTREAMS, Upstream

ROOT = Path(__file__).parents[2]
PINS = dict(re.findall(r"^(\w+)_VERSION = (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
"""The releases that ``make clients`` installs."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A ``release`` was run with what ``airelays connect`` prints, by the ``test``.

    ``turn`` says what it did on each of the ``upstreams``. ``test`` is a path below tests/clients.
    """

    release: str
    turn: str
    test: str
    upstreams: tuple[Upstream, ...] = UPSTREAMS


_SHELL = "a turn with its shell"
_FUNCTION = "a turn with a function"
_SDKS = "test_two_turns.py"

TRIED = {
    "codex": Tried(
        PINS["CODEX"], f"{_SHELL}, over HTTP and over its WebSocket", "test_codex_cli.py"
    ),
    "claude-code": Tried(PINS["CLAUDE_CODE"], _SHELL, "messages/test_claude_code.py"),
    "gemini-cli": Tried(PINS["GEMINI_CLI"], _SHELL, "gemini/test_gemini_cli.py"),
    "openai-python": Tried("3.57.0", _FUNCTION, _SDKS),
    "anthropic-sdk": Tried("2.14.0", _FUNCTION, _SDKS),
    "google-genai": Tried("3.6.1", _FUNCTION, _SDKS),
}
"""By the name that ``airelays connect`` takes. The SDKs without pin are those of the last run."""


def on_its_upstreams(client: str) -> pytest.MarkDecorator:
    """Return what runs a test on each upstream on which ``client`` is said to have been tried."""
    upstreams = TRIED[client].upstreams
    return pytest.mark.parametrize("upstream", upstreams, ids=lambda upstream: upstream.name)
