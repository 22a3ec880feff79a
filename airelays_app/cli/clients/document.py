"""Write the rows into ``docs/clients.rst``.

Run ``python -m airelays_app.cli.clients.document`` in a source checkout after changing a row.
"""

import textwrap
from pathlib import Path

from airelays_app.cli.clients import CLIENTS, Client, Connection, Step
from airelays_app.cli.clients.row import DIALECTS
from airelays_app.cli.token_store import TOKEN_PLACEHOLDER
from airelays_app.config.document import replaced

BEGIN = ".. clients begin (written by python -m airelays_app.cli.clients.document)"
END = ".. clients end"
_EXAMPLE = Connection(
    base_url="http://192.168.1.10:8080/v1",
    root_url="http://192.168.1.10:8080",
    token=TOKEN_PLACEHOLDER,
    model="gpt-5.5",
)


def clients_rst() -> str:
    """Return the generated part of the page: a section for each client."""
    return "".join(_section(client) for client in CLIENTS.values())


def write_page(root: Path) -> None:
    """Bring the page of the checkout at ``root`` up to date."""
    page = root / "docs/clients.rst"
    page.write_text(replaced(page.read_text(), clients_rst(), begin=BEGIN, end=END))


def _section(client: Client) -> str:
    about = f"``airelays connect {client.slug}``; it speaks {DIALECTS[client.dialect]}."
    parts = [f"\n{client.name}\n{'-' * len(client.name)}\n", about]
    parts += [_step(step) for step in client.steps]
    parts += [textwrap.fill(_escaped(_EXAMPLE.fill(remark)), 96) for remark in client.notes]
    return "\n\n".join(parts).replace("\n\n\n", "\n\n") + "\n"


def _step(step: Step) -> str:
    where = _escaped(_EXAMPLE.fill(step.where))
    pasted = textwrap.indent(_EXAMPLE.fill(step.text).rstrip(), "    ")
    return f"{where}::\n\n{pasted}"


def _escaped(text: str) -> str:
    return text.replace("*", r"\*").replace("`", r"\`")


if __name__ == "__main__":
    write_page(Path(__file__).parents[3])
