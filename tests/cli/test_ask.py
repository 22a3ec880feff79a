"""``airelays ask`` is a client like any other: it uses the relay's own HTTP API.

The answer comes as it is written; what went wrong is one sentence on standard error, exit status
1; with ``--json`` standard output has the whole answer or nothing.
"""

import json
import os
import pty
import subprocess
import sys

import pytest

from tests.cli.conftest import settings_of, written_to


@pytest.fixture
def ask(command, relay):
    def run(*words, **settings):
        return command.run("ask", *words, **settings_of(relay, **settings))

    return run


def test_the_answer_is_printed_and_nothing_else(ask):
    result = ask("[[say It is blue.]]")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "It is blue.\n", "")


def test_the_words_of_the_question_need_no_quotes(ask, relay):
    ask("Why", "is", "the", "sky", "blue?")
    assert "Why is the sky blue?" in json.dumps(relay.asked()["input"])


def test_programs_get_the_whole_answer_with_its_usage(ask):
    told = json.loads(ask("--json", "[[say Yes.]]").stdout)
    assert told["text"] == "Yes."
    assert told["status"] == "completed"
    assert told["id"].startswith("resp_")
    assert told["usage"]["total_tokens"] > 0


def test_a_dash_reads_the_question_from_standard_input(relay):
    done = subprocess.run(
        [sys.executable, "-m", "airelays_app.cli", "ask", "-"],
        input="[[say From a pipe.]]",
        env=dict(os.environ) | settings_of(relay),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "From a pipe.\n"


def test_there_must_be_a_question(ask):
    assert ask("  ").exit_code == 2


def test_the_model_is_the_one_named_then_the_setting_then_the_first_of_the_list(ask, relay):
    asked = []
    for words, settings in (
        (["--model", "gpt-5.4"], {"MODELS_DEFAULT": "gpt-5.5-mini"}),
        ([], {"MODELS_DEFAULT": "gpt-5.5-mini"}),
        ([], {}),
    ):
        ask(*words, "Hello", **settings)
        asked.append(relay.asked()["model"])
    assert asked == ["gpt-5.4", "gpt-5.5-mini", relay.get("/v1/models").json()["data"][0]["id"]]


def test_another_providers_model_is_asked_by_its_full_name(ask, relay):
    assert ask("--model", "box/sandbox-small", "[[say Hi.]]").stdout == "Hi.\n"
    assert relay.sandbox.requests.to("/v1/chat/completions")


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("failed", "failed in the middle"),
        ("cut", "ended before its answer did"),
        ("limit", "usage limit"),
        ("forbidden", "may not use this"),
    ],
)
def test_a_failure_is_one_sentence_and_exit_status_1(ask, behaviour, said):
    result = ask(f"[[behave {behaviour}]]")
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.startswith("Error: ")
    assert "Traceback" not in result.output


def test_a_failure_leaves_programs_without_output(ask):
    result = ask("--json", "[[behave cut]]")
    assert (result.exit_code, result.stdout) == (1, "")


def test_an_answer_that_was_ended_early_says_so_beside_it(ask):
    result = ask("[[long 20]] [[behave incomplete]]")
    assert result.exit_code == 0
    assert "incomplete: max_output_tokens" in result.stderr
    assert "incomplete" not in result.stdout


@pytest.mark.parametrize(
    ("setting", "value", "step"),
    [
        ("PORT", "1", "airelays serve"),
        ("BEARER_TOKEN", "this-is-not-the-right-token", "token"),
        ("BEARER_TOKEN", "", "airelays init"),
    ],
)
def test_what_keeps_it_from_asking_is_told_with_the_step(ask, setting, value, step):
    result = ask("Hello", **{setting: value})
    assert (result.exit_code, result.stdout) == (1, "")
    assert step in result.stderr
    assert "this-is-not" not in result.output


def test_an_answer_cannot_drive_the_terminal(relay):
    """A program that reads the answer gets it unchanged, a terminal without control characters."""
    hostile = "[[say red \x1b[31m text]]"
    command = [sys.executable, "-m", "airelays_app.cli", "ask", hostile]
    environ = dict(os.environ) | settings_of(relay)
    piped = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert piped.stdout == "red \x1b[31m text\n"
    assert on_a_terminal(command, environ) == "red [31m text\r\n"


def on_a_terminal(command, environ):
    """Return what a command writes to a terminal."""
    master, slave = pty.openpty()
    subprocess.run(command, env=environ, stdout=slave, stdin=subprocess.DEVNULL, check=True)
    os.close(slave)
    return written_to(master)
