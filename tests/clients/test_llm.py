"""llm with the settings that ``airelays connect llm`` prints: turns with a function of its own."""

import json
import shlex
import subprocess
from collections.abc import Callable

import pytest

from tests.clients.command_line import installed, printed, run
from tests.clients.tried import on_its_upstreams

MULTIPLY = 'def multiply(a: int, b: int) -> str:\n    "Multiply."\n    return f"it is {a * b}"\n'
CALL = '[[call multiply {"a": 6, "b": 7}]] [[then]] [[say All done.]]'


@pytest.fixture(scope="session")
def llm() -> str:
    return installed("llm", "llm/bin")


@pytest.fixture(scope="module")
def module_relay(start_relay):
    return start_relay(vendors=True)


@pytest.fixture
def ask(llm, relay, tmp_path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that asks a model with further arguments, with the printed settings."""
    environ = {"LLM_USER_PATH": str(tmp_path)}

    def ask(model: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        settings, shell = printed("llm", relay, model)
        (tmp_path / "extra-openai-models.yaml").write_text(settings)
        set_key, _ = shell.splitlines()
        _, *words = shlex.split(set_key)
        assert run([llm, *words], tmp_path, environ).returncode == 0
        return run([llm, "-m", "airelays", *arguments], tmp_path, environ)

    return ask


@on_its_upstreams("llm")
def test_a_turn_with_a_function(relay, ask, upstream):
    done = ask(upstream.model, "--functions", MULTIPLY, CALL)

    assert done.returncode == 0, done
    assert done.stdout == "All done.\n"
    first, second = upstream.among(relay.sandbox.requests)
    assert b"multiply" in first.body
    assert b"it is 42" in second.body


@on_its_upstreams("llm")
def test_an_answer_in_the_form_of_a_schema(relay, ask, upstream):
    done = ask(upstream.model, "--schema", "city, people int", "--no-stream", "A city.")

    assert json.loads(done.stdout).keys() == {"city", "people"}, done
    (asked,) = upstream.among(relay.sandbox.requests)
    assert b'"people"' in asked.body
