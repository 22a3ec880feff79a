"""Every command, option, exit status and key of JSON is in ``docs/cli.rst``, at its command.

Every command that prints has ``--json``.
"""

import json
import re
from pathlib import Path

import click
import pytest

from airelays_app.cli import airelays, failures

DOCS = Path(__file__).parents[2] / "docs"


def commands(group: click.Group, path: str):
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        yield f"{path} {name}", found
        if isinstance(found, click.Group):
            yield from commands(found, f"{path} {name}")


def names_of_options(found: click.Command) -> set[str]:
    options = [each for each in found.params if isinstance(each, click.Option)]
    return {name for option in options for name in option.opts}


def section_of(path: str) -> str:
    """Return the section of the page about ``path``, or about the group that it belongs to."""
    title = " ".join(path.split()[:2]) if path.startswith("airelays ") else path
    text = (DOCS / "cli.rst").read_text()
    _, found, rest = text.partition(f"\n{title}\n{'-' * len(title)}\n")
    assert found, f"no section {title}"
    return re.split(r"\n[^\n]+\n-{4,}\n", rest)[0]


TREE = [("airelays", airelays), *commands(airelays, "airelays")]
SHARED = names_of_options(airelays) - {"--version"}
OPTIONS = [
    (path, option)
    for path, found in TREE[1:]
    for option in sorted(names_of_options(found) - SHARED - {"--json"})
]
PRINTING = [
    path for path, found in TREE if not isinstance(found, click.Group) and path != "airelays serve"
]


@pytest.mark.parametrize("path", [path for path, _ in TREE])
def test_every_command_is_documented(path):
    assert path in (DOCS / "cli.rst").read_text()


@pytest.mark.parametrize(("path", "option"), OPTIONS, ids=" ".join)
def test_every_option_is_documented_where_its_command_is(path, option):
    assert f"``{option}" in section_of(path)


@pytest.mark.parametrize("option", sorted(SHARED))
def test_the_options_of_every_command_are_documented_once(option):
    assert f"``{option}" in section_of("Options of every command")


@pytest.mark.parametrize("path", PRINTING)
def test_every_command_that_prints_can_print_for_programs(path):
    assert "--json" in names_of_options(dict(TREE)[path])


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("init", 0),
        ("status", 0),
        ("doctor --offline", 1),
        ("token show", 0),
        ("token list", 0),
        ("token add laptop", 0),
        ("token rotate laptop", 0),
        ("token revoke laptop", 0),
        ("connect", 0),
        ("config show", 0),
        ("config path", 0),
        ("config check", 0),
        ("unblock", 0),
        ("logout --local", 0),
    ],
)
def test_what_a_program_gets_is_documented(command, words, status):
    command.run("init")
    if words in ("token rotate laptop", "token revoke laptop"):
        command.run("token", "add", "laptop")
    result = command.run(*words.split(), "--json")
    assert result.exit_code == status, result.output
    for key in json.loads(result.stdout):
        assert f"``{key}``" in section_of(f"airelays {words}")


def test_every_exit_status_is_documented():
    text = (DOCS / "cli.rst").read_text()
    for name, status in vars(failures).items():
        if name.startswith("EXIT_"):
            assert f"\n{int(status)} " in text


@pytest.mark.parametrize(("path", "found"), TREE, ids=[path for path, _ in TREE])
def test_every_command_explains_itself(path, found):
    assert found.help
    for parameter in found.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.opts
