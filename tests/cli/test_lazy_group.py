"""``airelays --help`` imports no command, no server and no HTTP library, and is instant.

Each summary in the table is the summary of the command itself; a wrong name gets the right one.
"""

import subprocess
import sys
import time

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


@pytest.mark.parametrize("words", [["--help"], ["--version"], []], ids=str)
def test_help_and_version_import_nothing_heavy(words):
    done = subprocess.run(
        [sys.executable, "-c", REPORT, *words], capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("LOADED [] EXIT 0\n"), done.stdout


def test_help_is_instant():
    def seconds() -> float:
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", "from airelays_app.cli import main; main()", "--help"],
            check=True,
            capture_output=True,
        )
        return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 1.0


def test_version(command):
    assert command.run("--version").output == f"AIRelays {VERSION}\n"


def test_without_a_command_the_help_is_printed(command):
    result = command.run()
    assert result.exit_code == 0
    assert result.stdout == command.run("--help").stdout


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
