"""aider with the settings that ``airelays connect aider`` prints: it edits a file, and commits."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.clients.command_line import example, exported, installed, printed, run
from tests.clients.tried import on_its_upstreams
from tests.clients.upstreams import SUBSCRIPTION

EDIT = "Print the answer. [[say hello.py\n```\nprint(42)\n```\n]]"
"""What is said is the whole file: so aider wants edits of models that it does not know."""
ARGUMENTS = (
    *("--yes-always", "--no-check-update", "--no-analytics", "--no-show-model-warnings"),
    *("--no-show-release-notes", "--no-detect-urls", "--no-pretty"),
)
IDENTITY = ("-c", "user.name=someone", "-c", "user.email=someone@example.org")


@pytest.fixture(scope="session")
def aider() -> str:
    return installed("aider", "aider/bin")


@pytest.fixture(scope="module")
def module_relay(start_relay):
    return start_relay(vendors=True)


def git(folder: Path, *words: str) -> str:
    """Run git in a folder; return what it printed."""
    command = ["git", "-C", str(folder), *IDENTITY, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def project(tmp_path) -> Path:
    """Return a folder under version control with one file, ``hello.py``."""
    folder = tmp_path / "work"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / ".gitignore").write_text(".aider*\n")
    (folder / "hello.py").write_text("print(1)\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Begin")
    return folder


@pytest.fixture
def run_aider(aider, relay, tmp_path, project) -> Callable[..., CompletedProcess[str]]:
    """Return a function that runs it in the project with the settings printed for a model."""
    prices = tmp_path / ".aider/caches/model_prices_and_context_window.json"
    prices.parent.mkdir(parents=True)
    prices.write_text("{}")

    def run_aider(model: str, *arguments: str) -> CompletedProcess[str]:
        shell, _ = printed("aider", relay, model)
        alone = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        return run([aider, *ARGUMENTS, *arguments], tmp_path, alone | exported(shell))

    return run_aider


def test_the_printed_example(relay, run_aider, project):
    """It ends with the name of a file; the stand-in changes nothing."""
    arguments = example("aider", relay, SUBSCRIPTION.model)

    done = run_aider(SUBSCRIPTION.model, *arguments)

    assert done.returncode == 0, done
    asked, *_ = SUBSCRIPTION.among(relay.sandbox.requests)
    assert b"Say hello." in asked.body
    assert b"print(1)" in asked.body


@on_its_upstreams("aider")
def test_it_edits_a_file_and_commits_it(relay, run_aider, project, upstream):
    done = run_aider(
        upstream.model, "--model", f"openai/{upstream.model}", "--message", EDIT, "hello.py"
    )

    assert done.returncode == 0, done
    assert (project / "hello.py").read_text() == "print(42)\n", done
    assert "Applied edit to hello.py" in done.stdout
    assert "print(42)" in git(project, "show")
    first, second = upstream.among(relay.sandbox.requests)
    assert b"print(1)" in first.body
    assert b"commit message" in second.body
