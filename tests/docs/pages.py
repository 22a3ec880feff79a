"""The project's pages, read the way that a reader's tool reads them."""

from functools import cache
from io import StringIO
from pathlib import Path

from docutils import nodes
from docutils.core import publish_doctree

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.rst", "docs/**/*.rst", "benchmarks/*.rst")
    for path in ROOT.glob(pattern)
)
NAMES = [str(path.relative_to(ROOT)) for path in PAGES]


@cache
def read(name: str) -> tuple[nodes.document, str]:
    """Return a page's tree and everything that the parser finds wrong with it."""
    path, complaints = ROOT / name, StringIO()
    overrides = {"report_level": 2, "halt_level": 5, "warning_stream": complaints}
    tree = publish_doctree(path.read_text(), str(path), settings_overrides=overrides)
    return tree, complaints.getvalue()


def links(name: str) -> list[str]:
    """Return where a page's links lead."""
    return [link["refuri"] for link in read(name)[0].findall(nodes.reference) if "refuri" in link]


def literals(name: str) -> list[str]:
    """Return what a page sets as code within its sentences."""
    return [node.astext() for node in read(name)[0].findall(nodes.literal)]


def blocks(name: str) -> list[str]:
    """Return what a page sets as code in blocks of its own."""
    return [node.astext() for node in read(name)[0].findall(nodes.literal_block)]


def commands(name: str) -> list[str]:
    """Return every ``airelays ...`` that a page shows, inline or in a block, one to a line."""
    shown = literals(name)
    shown += [line for block in blocks(name) for line in block.replace("\\\n", "").splitlines()]
    texts = [" ".join(text.split()) for text in shown]
    return [text for text in texts if text.startswith("airelays ")]
