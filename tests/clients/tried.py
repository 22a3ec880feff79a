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
    Of a client that could not be run itself a ``part`` was, and the ``release`` is that part's.
    """

    release: str
    turn: str
    test: str
    upstreams: tuple[Upstream, ...] = UPSTREAMS
    part: str = ""


_SHELL = "a turn with its shell"
_FUNCTION = "a turn with a function"
_BOTH = f"{_FUNCTION} in Chat Completions and in Responses"
_SDKS = "test_two_turns.py"
_PROGRAMS = "test_programs.py"
_ENGINES = "test_engines.py"
_AI_SDK = f"@ai-sdk/openai-compatible {PINS['AI_SDK_COMPATIBLE']} with ai {PINS['AI_SDK']}"

TRIED = {
    "codex": Tried(
        PINS["CODEX"], f"{_SHELL}, over HTTP and over its WebSocket", "test_codex_cli.py"
    ),
    "claude-code": Tried(PINS["CLAUDE_CODE"], _SHELL, "messages/test_claude_code.py"),
    "gemini-cli": Tried(PINS["GEMINI_CLI"], _SHELL, "gemini/test_gemini_cli.py"),
    "opencode": Tried(
        PINS["OPENCODE"], f"{_SHELL}, on the subscription in all four dialects", "test_opencode.py"
    ),
    "aider": Tried(PINS["AIDER"], "an edit of a file and its commit", "test_aider.py"),
    "llm": Tried(PINS["LLM"], _FUNCTION, "test_llm.py"),
    "open-webui": Tried(
        PINS["OPEN_WEBUI"],
        f"{_FUNCTION} and the title, tags and follow-up questions of a chat",
        "test_open_webui.py",
    ),
    "curl": Tried("7.88.1", "a question, whole and as a stream", "test_curl.py"),
    "openai-node": Tried(PINS["OPENAI_NODE"], f"{_BOTH}, over a WebSocket too", _PROGRAMS),
    "agents-sdk": Tried(PINS["AGENTS_SDK"], _BOTH, _PROGRAMS),
    "langchain": Tried(PINS["LANGCHAIN"], _BOTH, _PROGRAMS),
    "vercel-ai-sdk": Tried(PINS["AI_SDK"], _BOTH, _PROGRAMS),
    "librechat": Tried(
        f"@librechat/agents {PINS['LIBRECHAT_AGENTS']} with librechat-data-provider "
        f"{PINS['LIBRECHAT_SCHEMA']}",
        f"{_FUNCTION} and a title",
        _ENGINES,
        part="engine",
    ),
    "chatbox": Tried(_AI_SDK, f"{_FUNCTION} (with CORS, as a page does)", _ENGINES, part="library"),
    "jan": Tried(_AI_SDK, _FUNCTION, _ENGINES, part="library"),
    "cherry-studio": Tried(
        f"@cherrystudio/ai-core {PINS['CHERRY_STUDIO_CORE']}", _BOTH, _ENGINES, part="core"
    ),
    "openai-python": Tried("3.57.0", _BOTH, _SDKS),
    "anthropic-sdk": Tried("2.14.0", _FUNCTION, _SDKS),
    "google-genai": Tried("3.6.1", _FUNCTION, _SDKS),
}
"""By the name that ``airelays connect`` takes. The SDKs without pin are those of the last run."""


def on_its_upstreams(client: str) -> pytest.MarkDecorator:
    """Return what runs a test on each upstream on which ``client`` is said to have been tried."""
    upstreams = TRIED[client].upstreams
    return pytest.mark.parametrize("upstream", upstreams, ids=lambda upstream: upstream.name)
