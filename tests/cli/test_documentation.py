"""Every command, option and exit status is in ``docs/cli.rst``; every client in ``clients.rst``."""

from pathlib import Path

import click
import pytest

from airelays_app.cli import airelays, failures
from airelays_app.cli.clients import CLIENTS
from airelays_app.cli.clients.document import BEGIN, END, clients_rst
from airelays_app.config.document import replaced

DOCS = Path(__file__).parents[2] / "docs"


def commands(group: click.Group, path: str):
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        yield f"{path} {name}", found
        if isinstance(found, click.Group):
            yield from commands(found, f"{path} {name}")


TREE = [("airelays", airelays), *commands(airelays, "airelays")]
OPTIONS = sorted(
    {
        option
        for _, found in TREE
        for parameter in found.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    }
)


@pytest.mark.parametrize("path", [path for path, _ in TREE])
def test_every_command_is_documented(path):
    assert path in (DOCS / "cli.rst").read_text()


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_is_documented(option):
    assert f"``{option}" in (DOCS / "cli.rst").read_text()


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


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_every_client_has_a_section(client):
    text = (DOCS / "clients.rst").read_text()
    assert f"\n{client.name}\n{'-' * len(client.name)}\n" in text


def test_the_clients_page_is_up_to_date():
    page = (DOCS / "clients.rst").read_text()
    stale = "run: python -m airelays_app.cli.clients.document"
    assert page == replaced(page, clients_rst(), begin=BEGIN, end=END), stale
