"""Write the pages of the clients, from their rows and from what was tried.

Run ``python -m tests.clients.pages`` after changing a row, a pin or what is tried.
"""

import textwrap
from collections.abc import Iterator

from airelays_app.cli.clients import CLIENTS, Client, Connection, Step
from airelays_app.cli.clients.row import DIALECTS
from airelays_app.cli.token_store import TOKEN_PLACEHOLDER
from airelays_app.config.document import replaced
from tests.clients.tried import ROOT, TRIED, Tried

FOLDER = ROOT / "docs/clients"
INDEX = FOLDER / "index.rst"
BEGIN = ".. clients begin (written by python -m tests.clients.pages)"
END = ".. clients end"
EXAMPLE = Connection(
    base_url="http://192.168.1.10:8080/v1",
    root_url="http://192.168.1.10:8080",
    token=TOKEN_PLACEHOLDER,
    model="gpt-5.5",
)
_WIDTH = 98
_JOINED = (
    "What the program does between its settings and that was done as in its source, seen in "
    "November 2026; its menus are those of its documentation."
)


def page_rst(client: Client) -> str:
    """Return the page of a client."""
    about = (
        f"{client.name} speaks {DIALECTS[client.dialect]}. ``airelays connect {client.slug}`` "
        "prints the following with the address of your machine, and with ``--show-token`` with "
        "your token."
    )
    parts = [
        ".. Written by python -m tests.clients.pages.",
        f"{client.name}\n{'=' * len(client.name)}",
        _filled(about),
        _heading("What to set"),
        *(_step(step) for step in client.steps),
        *_known(client),
        _heading("What was tried"),
        _filled(_tried(client)),
    ]
    return "\n\n".join(parts) + "\n"


def table_rst() -> str:
    """Return the table of all clients."""
    rows = ["\n.. list-table::\n   :header-rows: 1\n", *_row("Client", "Speaks", "Run", "On")]
    for client in CLIENTS.values():
        link = f"`{client.name} <{client.slug}.rst>`_"
        rows += _row(link, DIALECTS[client.dialect], *_run(TRIED[client.slug]))
    return "\n".join(rows) + "\n"


def write_pages() -> None:
    """Bring the folder up to date."""
    for client in CLIENTS.values():
        (FOLDER / f"{client.slug}.rst").write_text(page_rst(client))
    INDEX.write_text(replaced(INDEX.read_text(), table_rst(), begin=BEGIN, end=END))


def _row(*cells: str) -> list[str]:
    return [f"   {'*' if not number else ' '} - {cell}" for number, cell in enumerate(cells)]


def _run(tried: Tried) -> tuple[str, str]:
    names = "; ".join(upstream.name for upstream in tried.upstreams)
    what = f"not itself, but its {tried.part}, {tried.release}" if tried.part else tried.release
    return f"{what}: {tried.turn}", names


def _heading(title: str) -> str:
    return f"{title}\n{'-' * len(title)}"


def _step(step: Step) -> str:
    where = _escaped(EXAMPLE.fill(step.where))
    pasted = textwrap.indent(EXAMPLE.fill(step.text).rstrip(), "    ")
    return f"{where}::\n\n{pasted}"


def _known(client: Client) -> Iterator[str]:
    if client.notes:
        yield _heading("Good to know")
    for remark in client.notes:
        yield _filled(_escaped(EXAMPLE.fill(remark)), bullet="* ")


def _tried(client: Client) -> str:
    tried = TRIED[client.slug]
    upstreams = ", ".join(upstream.name for upstream in tried.upstreams)
    finished = (
        f"{tried.release} finished {tried.turn} with these settings, on a stand-in for each of "
        f"these upstreams: {upstreams}."
    )
    again = f"``tests/clients/{tried.test}`` does it again."
    if not tried.part:
        return f"Release {finished} {again}"
    return (
        f"{client.name} itself was not run: neither npm nor PyPI nor Debian has it. Its "
        f"{tried.part} was: {finished} {_JOINED} {again}"
    )


def _filled(text: str, *, bullet: str = "") -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=bullet,
        subsequent_indent=" " * len(bullet),
        break_on_hyphens=False,
        break_long_words=False,
    )


def _escaped(text: str) -> str:
    return text.replace("*", r"\*").replace("`", r"\`")


if __name__ == "__main__":
    write_pages()
