"""The table of dialects: what a client of each gets from an upstream of each.

``python -m tests.pairs.table`` writes it into docs/dialects.rst; test_pairs.py proves each cell.
"""

from pathlib import Path

from airelays_app.config.document import replaced
from tests.pairs.clients import CLIENTS

PAGE = Path(__file__).parents[2] / "docs" / "dialects.rst"
BEGIN = ".. table begin (written by python -m tests.pairs.table)"
END = ".. table end"

UPSTREAMS = {
    "the subscription (Responses)": "gpt-5.5",
    "a Responses server": "plain/sandbox-small",
    "a Chat Completions server": "box/sandbox-small",
    "Anthropic (Messages)": "anthropic/claude-opus-4-8",
    "Google (Gemini)": "gemini/gemini-3.5-flash",
}
FEATURES = (
    "text",
    "stream",
    "tools",
    "parallel tools",
    "images",
    "reasoning round trip",
    "structured output",
    "errors",
)
YES = "yes"
_TEXT_ONLY = "not in this dialect"
_NO_SEAL = "readable, not sealed: this wire has no seal"
_BEYOND_TEXT = FEATURES[2:7]


def cell(client: str, upstream: str, feature: str) -> str:
    """Return what is promised: ``yes``, or why not."""
    if client == "Completions" and feature in _BEYOND_TEXT:
        return _TEXT_ONLY
    if feature == "reasoning round trip" and "Chat" in upstream:
        return _NO_SEAL
    return YES


def table_rst() -> str:
    """Return the table, one for each client dialect."""
    return "\n" + "\n".join(_client_table(client.name) for client in CLIENTS)


def _client_table(client: str) -> str:
    heading = f"{client} clients\n{'~' * len(f'{client} clients')}\n"
    rows = ["   * - Upstream", *(f"     - {feature}" for feature in FEATURES)]
    for upstream in UPSTREAMS:
        rows.append(f"   * - {upstream}")
        rows += [f"     - {cell(client, upstream, feature)}" for feature in FEATURES]
    return f"{heading}\n.. list-table::\n   :header-rows: 1\n\n" + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(replaced(PAGE.read_text(), table_rst(), begin=BEGIN, end=END))
