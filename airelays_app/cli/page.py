"""What a command prints: a page for people, or JSON for programs."""

import io
import json
import os
import sys
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

import click

from airelays_app.cli.options import Invocation
from airelays_app.cli.wording import printable
from airelays_app.version import VERSION

_FEWEST_COLUMNS = 18
"""What labels take; a section with longer ones has them all as wide."""

_WIDTH = 96


class Page:
    """A title line, bold sections of labelled values, and numbered next steps."""

    def __init__(self, title: str) -> None:
        self._lines = [click.style(f"AIRelays {VERSION}", bold=True) + f" - {title}"]
        self._labelled: list[tuple[str, str]] = []

    def section(self, name: str) -> None:
        """Begin a section."""
        self._align()
        self._lines += ["", click.style(name, bold=True)]

    def field(self, label: str, value: object) -> None:
        """Add a labelled value; an empty one is shown as ``not set``."""
        self._labelled.append((f"{_one_line(label)}:", _one_line(_word(value))))

    def verdict(self, label: str, status: str, message: str, *, colour: str | None) -> None:
        """Add what a check has found, its status in a colour."""
        status = click.style(f"{status:<5}", fg=colour)
        self._labelled.append((f"{_one_line(label)}:", f"{status} {_one_line(message)}"))

    def text(self, paragraph: str) -> None:
        """Add a wrapped paragraph."""
        self._align()
        self._lines.append(
            textwrap.fill(printable(paragraph), _WIDTH, initial_indent="  ", subsequent_indent="  ")
        )

    def verbatim(self, block: str) -> None:
        """Add lines as they are and not indented, so that they can be copied."""
        self._align()
        self._lines += ["", block.rstrip(), ""]

    def steps(self, steps: Iterable[str]) -> None:
        """Add the section of what to do next, if there is anything to do."""
        numbered = [f"  {number}. {_one_line(step)}" for number, step in enumerate(steps, 1)]
        if numbered:
            self.section("Next Steps")
            self._lines += numbered

    def _align(self) -> None:
        """Write the labelled values that have gathered, below each other."""
        columns = max([_FEWEST_COLUMNS - 1, *(len(label) for label, _ in self._labelled)])
        self._lines += [f"  {label:<{columns}} {shown}" for label, shown in self._labelled]
        self._labelled.clear()

    def __str__(self) -> str:
        self._align()
        return "\n".join(self._lines)


def show(invocation: Invocation, *, page: Page, data: Mapping[str, Any]) -> None:
    """Print the page, or ``data`` as JSON when that was asked for."""
    if invocation.as_json:
        click.echo(json.dumps(data, indent=2))
    else:
        print_page(page)


def print_page(page: Page) -> None:
    """Print the page, coloured on a terminal where colour is wanted."""
    click.echo(str(page), color=_colour())


def accept_any_text() -> None:
    """Let everything be printed: what a terminal's encoding lacks is written out, as ``\\u20ac``.

    Odd file names, and answers of models, must not end a command on an old terminal.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _colour() -> bool | None:
    """Return False where colour is unwanted, else None: click leaves it out off a terminal."""
    environ = os.environ
    unwanted = (
        environ.get("NO_COLOR") or environ.get("CLICOLOR") == "0" or environ.get("TERM") == "dumb"
    )
    return False if unwanted else None


def _one_line(text: str) -> str:
    return printable(text).replace("\n", " ")


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    if isinstance(value, Mapping):
        value = ", ".join(f"{name} = {item}" for name, item in value.items())
    return "not set" if value in (None, "") else str(value)
