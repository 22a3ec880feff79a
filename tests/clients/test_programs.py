"""Libraries for programs, with the settings that ``airelays connect`` prints for each.

What it prints is run as it is; a program for each takes a turn with a function, streamed, in Chat
Completions and in Responses, and over a WebSocket where the library can.
"""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.command_line import (
    assert_repeated,
    installed,
    node_modules_with,
    printed,
    program,
    python_with,
    run,
)
from tests.clients.tried import TRIED
from tests.clients.upstreams import SUBSCRIPTION

PROGRAMS = Path(__file__).parent / "programs"
CALL = '[[reason I count.]] [[call multiply {"a": 6, "b": 7}]] [[then]] [[say All done.]]'


@dataclass(frozen=True)
class Library:
    """``program`` takes a turn in each of its ``ways`` to ask; for Node, with ``package``."""

    slug: str
    program: str
    package: str = ""
    ways: tuple[str, ...] = ("chat", "responses")


@dataclass(frozen=True)
class Installed:
    """A library that is there: ``interpreter`` runs its programs, beside these ``modules``."""

    kit: Library
    interpreter: str
    modules: Path | None


LIBRARIES = (
    Library("agents-sdk", "agents_turn.py"),
    Library("langchain", "langchain_turn.py"),
    Library("openai-node", "openai_node_turn.mjs", "openai", ("chat", "responses", "websocket")),
    Library("vercel-ai-sdk", "vercel_turn.mjs", "ai"),
)
VERCEL = LIBRARIES[-1]
SDKS = ("openai-python", "anthropic-sdk", "google-genai")
"""These are where the tests themselves are."""
TURNS = [
    pytest.param(library, way, upstream, id=f"{library.slug} - {way} - {upstream.name}")
    for library in LIBRARIES
    for way in library.ways
    for upstream in TRIED[library.slug].upstreams
]


@pytest.fixture(scope="session")
def found(request) -> Installed:
    """Return where the library is that the test is about, or skip."""
    library = request.param
    if not library.package:
        return Installed(library, python_with(library.slug), None)
    return Installed(library, installed("node"), node_modules_with(library.package))


@pytest.fixture(scope="module")
def module_relay(start_relay):
    return start_relay(vendors=True, LOG_TRAFFIC="true")


@pytest.fixture
def run_program(found, relay, tmp_path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs a program's text with the library and further arguments."""

    def run_program(source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        file = program(tmp_path / found.kit.program, source, found.modules)
        environ = {"OPENAI_BASE_URL": relay.base_url, "OPENAI_API_KEY": relay.token}
        return run([found.interpreter, file, *arguments], tmp_path, environ)

    return run_program


@pytest.mark.parametrize("found", LIBRARIES, indirect=True, ids=lambda library: library.slug)
def test_what_connect_prints_runs_as_it_is(found, run_program, relay):
    (source,) = printed(found.kit.slug, relay, SUBSCRIPTION.model)

    done = run_program(source)

    assert_repeated(done, "Say hello.")
    (asked,) = SUBSCRIPTION.among(relay.sandbox.requests)
    assert b"Say hello." in asked.body


@pytest.mark.parametrize(("found", "way", "upstream"), TURNS, indirect=["found"])
def test_a_turn_with_a_function(found, run_program, relay, way, upstream):
    source = (PROGRAMS / found.kit.program).read_text()

    done = run_program(source, way, upstream.model, CALL)

    assert done.returncode == 0, done
    assert done.stdout == "All done.\n", done
    first, second = upstream.among(relay.sandbox.requests)
    assert b"multiply" in first.body
    assert b"it is 42" in second.body


@pytest.mark.parametrize("slug", SDKS)
def test_what_connect_prints_for_a_vendor_s_sdk_runs_as_it_is(relay, tmp_path, slug):
    (source,) = printed(slug, relay, SUBSCRIPTION.model)

    done = run([sys.executable, "-c", source], tmp_path, {})

    assert done.returncode == 0, done
    (asked,) = SUBSCRIPTION.among(relay.sandbox.requests)
    assert done.stdout.strip()
    assert asked.status == 200


def references(relay) -> int:
    """Return how often a client has named an item that it got instead of repeating it."""
    logs = relay.data_dir.glob("logs/**/*.log")
    return sum(file.read_text().count("item_reference") for file in logs)


@pytest.mark.parametrize("found", [VERCEL], indirect=True, ids=lambda library: library.slug)
def test_what_the_ai_sdk_refers_to_by_id_reaches_the_upstream(found, run_program, relay):
    before = references(relay)
    source = (PROGRAMS / found.kit.program).read_text()

    done = run_program(source, "responses", SUBSCRIPTION.model, CALL)

    assert done.stdout == "All done.\n", done
    assert references(relay) > before
    _, second = SUBSCRIPTION.among(relay.sandbox.requests)
    assert b"item_reference" not in second.body
    thoughts = [item for item in second.json["input"] if item.get("type") == "reasoning"]
    assert [bool(item["encrypted_content"]) for item in thoughts] == [True]
