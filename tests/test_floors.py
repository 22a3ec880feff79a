"""The floors of docs/architecture.rst: imports go downward, and nothing is hidden.

A module imports only from lower floors and from its own package. Packages on one floor do not know
each other, except where the table says so. Flask is in web/, schemas/ and the composition alone,
marshmallow in schemas/, SQL in store/, vendor names in providers/ and what talks to the owner. No
import hides in a function, and modules do not import in circles.
"""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "airelays_app"
FLOORS = {
    "errors": 0,
    "config": 0,
    "ids": 0,
    "takeover": 0,
    "logs": 0,
    "version": 0,
    "neutral": 1,
    "framing": 1,
    "dialects": 2,
    "upstream": 2,
    "store": 2,
    "providers": 3,
    "services": 4,
    "schemas": 5,
    "web": 6,
    "composition": 7,
    "server": 7,
    "cli": 8,
}
"""Each package or module at the top by its floor; a floor may use all that are lower."""

SAME_FLOOR = {
    ("logs", "errors"),
    ("logs", "config"),
    ("config", "errors"),
    ("config", "version"),
    ("neutral", "framing"),
}
SANDBOX_MAY_USE = {"framing", "sandbox"}
HOMES = {
    "flask": {"web", "schemas", "composition", "cli"},
    "werkzeug": {"web"},
    "flask_limiter": {"web"},
    "marshmallow": {"schemas"},
    "wsproto": {"web"},
    "click": {"cli"},
    "gunicorn": {"server"},
    "requests": {"upstream"},
    "urllib3": {"upstream"},
    "sqlite3": {"store"},
    "sqlite_utils": {"store"},
    "xllamacpp": {"providers"},
}
"""The only packages that import a library."""

VENDOR_FREE = ("neutral", "framing", "store", "upstream", "services")
VENDOR_NAMES = re.compile(
    r"\b(chatgpt|codex|anthropic|claude|gemini|groq|openrouter)\b(?!-(beta|version)\b)", re.I
)
"""Names of headers (``anthropic-version``) are the wire's words, not a vendor's quirk."""


MODULES = sorted(PACKAGE.rglob("*.py"))


def name_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path) for path in MODULES}


def top_of(name):
    return name.split(".")[1] if "." in name else ""


def imported(path):
    """Yield the full name of everything that a module imports, with the node."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner if inner in NAMES else str(node.module)), node


shown = pytest.mark.parametrize("path", MODULES, ids=[name_of(path) for path in MODULES])


@shown
def test_imports_go_downward(path):
    own = top_of(name_of(path))
    if not own:
        return
    for name, node in imported(path):
        top = top_of(name)
        if name.partition(".")[0] != PACKAGE.name or not top or top == own:
            continue
        where = f"{path}:{node.lineno} imports {name}"
        if own == "sandbox":
            assert top in SANDBOX_MAY_USE, where
        elif top == "sandbox":
            assert own == "cli", where
        else:
            assert FLOORS[top] < FLOORS[own] or (own, top) in SAME_FLOOR, where


@shown
def test_libraries_stay_where_they_belong(path):
    own = top_of(name_of(path))
    for name, node in imported(path):
        homes = HOMES.get(name.partition(".")[0])
        assert homes is None or own in homes, f"{path}:{node.lineno} imports {name}"


@shown
def test_no_import_hides_in_a_function(path):
    for function in ast.walk(ast.parse(path.read_text())):
        if isinstance(function, ast.FunctionDef):
            hidden = [n for n in ast.walk(function) if isinstance(n, ast.Import | ast.ImportFrom)]
            assert not hidden, f"{path}:{hidden[0].lineno}"


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if top_of(name_of(path)) in VENDOR_FREE],
    ids=lambda path: name_of(path),
)
def test_vendors_are_not_named(path):
    """Neither in names nor in strings; docstrings may explain."""
    tree = ast.parse(path.read_text())
    documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        words = node.id if isinstance(node, ast.Name) else getattr(node, "attr", None)
        if isinstance(node, ast.Constant) and id(node) not in documented:
            words = node.value if isinstance(node.value, str) else None
        if words:
            assert not VENDOR_NAMES.search(words.replace("_", " ")), f"{path}:{node.lineno} {words}"


def test_modules_do_not_import_in_circles():
    graph = {
        name_of(path): {name for name, _ in imported(path) if name in NAMES} for path in MODULES
    }
    finished = set()

    def visit(name, trail):
        assert name not in trail, " -> ".join([*trail[trail.index(name) :], name])
        if name not in finished:
            for used in sorted(graph[name]):
                visit(used, [*trail, name])
            finished.add(name)

    for name in sorted(graph):
        visit(name, [])


@shown
def test_modules_and_functions_stay_readable(path):
    text = path.read_text()
    assert text.count("\n") <= 350, f"{path} is too long"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 60, f"{path}:{node.lineno} {node.name}"


@shown
def test_no_exception_is_swallowed_silently(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            assert not all(isinstance(step, ast.Pass) for step in node.body), (
                f"{path}:{node.lineno}"
            )
