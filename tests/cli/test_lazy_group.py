"""Help is instant, because it imports next to nothing.

``airelays --help`` imports no command and no HTTP library; the help of a command imports its
module but never the server. Each summary in the table is the summary of the command itself; a
wrong name gets the right one.
"""

import subprocess
import sys

import click
import pytest

from airelays_app.cli import COMMANDS, airelays
from airelays_app.version import VERSION

HEAVY = ("flask", "gunicorn", "requests", "marshmallow", "flask_limiter", "urllib3", "sqlite3")
REPORT = f"""
import sys
from airelays_app.cli import main
try:
    main()
except SystemExit as end:
    loaded = [name for name in {HEAVY!r} if name in sys.modules]
    loaded += [name for name in sys.modules if name.startswith("airelays_app.cli.co")]
    print("LOADED", loaded, "EXIT", end.code)
"""

SERVER = (
    "flask",
    "flask_limiter",
    "gunicorn",
    "marshmallow",
    "airelays_app.composition.application",
    "airelays_app.server.run",
    "airelays_app.web",
)
HELP_OF_EACH = f"""
import contextlib, io, sys
from airelays_app.cli import COMMANDS, airelays
for name in COMMANDS:
    with contextlib.redirect_stdout(io.StringIO()) as help:
        airelays([name, "--help"], standalone_mode=False)
    assert "Usage:" in help.getvalue()
    print(name, [module for module in {SERVER!r} if module in sys.modules])
"""


@pytest.mark.parametrize("words", [["--help"], ["--version"], []], ids=str)
def test_help_and_version_import_nothing_heavy(words):
    done = subprocess.run(
        [sys.executable, "-c", REPORT, *words], capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("LOADED [] EXIT 0\n"), done.stdout


def test_version(command):
    assert command.run("--version").output == f"AIRelays {VERSION}\n"


def test_the_help_begins_with_what_to_do_first_and_the_commands(command):
    text = command.run("--help").stdout
    assert text.index("airelays demo") < text.index("Commands:") < text.index("Options:")


def test_without_a_command_the_help_is_printed(command):
    result = command.run()
    assert result.exit_code == 0
    assert result.stdout == command.run("--help").stdout


def test_no_commands_help_imports_the_server():
    done = subprocess.run(
        [sys.executable, "-c", HELP_OF_EACH], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [f"{name} []" for name in COMMANDS]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_has_each_commands_own_summary(name):
    found = airelays.get_command(click.Context(airelays), name)
    assert found is not None
    assert found.name == name
    assert COMMANDS[name].summary == found.get_short_help_str(limit=200)


def test_a_wrong_command_gets_the_nearest_right_one(command):
    result = command.run("conect")
    assert result.exit_code == 2
    assert "Did you mean connect?" in result.stderr
