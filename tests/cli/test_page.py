"""Text for people is coloured on a terminal that wants it; JSON is never; all of it can be sent."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from airelays_app.cli import airelays
from airelays_app.cli.failures import Failure
from airelays_app.cli.page import Page

BOLD = "\x1b[1m"


def output(home, *, as_json=False, **environ) -> str:
    words = ["connect", *(["--json"] if as_json else [])]
    plain = dict.fromkeys(("NO_COLOR", "CLICOLOR", "TERM"))
    env = {**plain, "HOME": str(home), **environ}
    return CliRunner().invoke(airelays, words, env=env, color=True).stdout


def test_headings_are_bold_on_a_terminal(tmp_path):
    assert f"{BOLD}Every Client" in output(tmp_path)


@pytest.mark.parametrize("wish", [{"NO_COLOR": "1"}, {"CLICOLOR": "0"}, {"TERM": "dumb"}], ids=str)
def test_colour_can_be_declined(tmp_path, wish):
    assert "\x1b" not in output(tmp_path, **wish)


def test_json_is_plain(tmp_path):
    json.loads(output(tmp_path, as_json=True))


@pytest.mark.parametrize("words", [[], ["--json"]], ids=str)
@pytest.mark.parametrize(
    ("encoding", "name"), [("utf-8", b"not-unicode-\xff"), ("latin-1", "price-€".encode())]
)
def test_text_that_the_terminal_cannot_show_is_written_out(tmp_path, words, encoding, name):
    environ = {"HOME": str(tmp_path), "PYTHONIOENCODING": encoding}
    done = subprocess.run(
        [sys.executable, "-m", "airelays_app.cli", "config", "show", *words],
        env={**environ, "AIRELAYS_LOGS_DIR": b"/tmp/" + name},
        capture_output=True,
        check=True,
    )
    escape = rb"\udcff" if encoding == "utf-8" else rb"\u20ac"
    assert name.split(b"-")[0] in done.stdout
    assert escape in done.stdout


@pytest.mark.parametrize("color", [True, False], ids=["terminal", "pipe"])
def test_what_was_found_is_coloured_on_a_terminal_and_bare_elsewhere(tmp_path, color):
    plain = dict.fromkeys(("NO_COLOR", "CLICOLOR", "TERM"))
    env = {**plain, "HOME": str(tmp_path)}
    shown = CliRunner().invoke(airelays, ["doctor", "--offline"], env=env, color=color).stdout
    word = "\x1b[31mfail \x1b[0m " if color else "fail  "
    (line,) = (line for line in shown.splitlines() if line.startswith("  Relay token:"))
    assert f" {word}" in line
    assert ("[0m" in line) is color


def test_empty_values_and_yes_and_no():
    page = Page("values")
    for label, value in {"A": None, "B": "", "C": True, "D": 0, "E": ["x", "y"]}.items():
        page.field(label, value)
    lines = str(page).splitlines()[1:]
    assert [line.split()[1:] for line in lines] == [
        ["not", "set"],
        ["not", "set"],
        ["yes"],
        ["0"],
        ["x,", "y"],
    ]


def test_a_label_that_is_too_long_keeps_its_distance():
    page = Page("values")
    page.field("a_label_longer_than_the_column", "value")
    assert str(page).endswith("a_label_longer_than_the_column: value")


HOSTILE = "a\x1b]0;title\x07b\x9b2Jc\r\x00d"


def test_words_of_others_cannot_drive_the_terminal():
    page = Page("models")
    page.section("box")
    page.field(HOSTILE, f"{HOSTILE}\nNext Steps")
    page.text(HOSTILE)
    page.steps([f"{HOSTILE}\n2. rm"])
    plain = str(page).replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert not {letter for letter in plain if letter < " " or "\x7f" <= letter <= "\x9f"} - {"\n"}
    assert "  1. a]0;titleb2Jcd 2. rm" in plain.splitlines()
    assert Failure(HOSTILE).message == "a]0;titleb2Jcd"


def test_what_is_shown_in_a_section_begins_in_one_column():
    page = Page("title")
    page.section("One")
    page.field("a", "first")
    page.field("a_label_that_is_longer_than_most", "second")
    page.section("Two")
    page.field("b", "third")
    columns = {
        word: line.index(word)
        for line in str(page).splitlines()
        for word in ("first", "second", "third")
        if word in line
    }
    assert columns["first"] == columns["second"] > columns["third"]
