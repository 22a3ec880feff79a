"""What ``docs/http-api.rst`` says, and what the code can do, both as data."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from airelays_app import errors
from airelays_app.composition.application import create_app
from airelays_app.config import load_settings
from airelays_app.server import refusals
from airelays_app.web.document import PAGE, shown_path
from airelays_app.web.unsupported import ROUTES

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "airelays_app"
TEXT = (ROOT / PAGE).read_text()

Error = tuple[int, str, str]
"""Status, type and code; ``null`` where there is no code."""

_ROUTE = re.compile(r"``((?:GET|POST|PUT|PATCH|DELETE) /\S*)``")
_ERROR = re.compile(r"^``(\d{3})`` ``(\w+)`` ``(\w+)``$", re.MULTILINE)
_ENTRY = re.compile(r"^(?:``[\w.-]+``(?:, )?)+$", re.MULTILINE)
_HEADER = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)+-?|Allow|Vary|Origin|Host|Expect")
_VARIABLE = re.compile(r"HTTP_[A-Z_]+")
_NO_HEADERS = frozenset(
    "api-key cross-site same-site same-origin no-cache no-store no-referrer fine-tune fine-tuning "
    "moving-window".split()
)


def documented_routes() -> set[str]:
    """Return ``GET /path`` of each route that has an entry."""
    return set(_ROUTE.findall(TEXT))


def documented_errors() -> list[Error]:
    """Return status, type and code of each error that has an entry."""
    return [(int(status), kind, code) for status, kind, code in _ERROR.findall(TEXT)]


def documented_headers() -> set[str]:
    """Return the headers that have an entry, in lower case; some are beginnings, ``x-codex-``."""
    section = TEXT.partition("\nHeaders\n---")[2].partition("\nErrors\n---")[0]
    names = re.findall(r"``([^`]+)``", "\n".join(_ENTRY.findall(section)))
    return {name.removesuffix("...").lower() for name in names}


def routes() -> tuple[set[str], set[str]]:
    """Return the routes that the app has: those that work, and the paths of those that do not."""
    app = create_app(load_settings(environ={"HOME": "/nonexistent"}))
    works, lacks = set(), set()
    for rule in app.url_map.iter_rules():
        path = shown_path(rule.rule)
        if rule.rule in ROUTES and rule.endpoint.startswith("unsupported."):
            lacks.add(path)
        else:
            works |= {f"{verb} {path}" for verb in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    return works, lacks


def _modules(*places: str) -> Iterator[ast.Module]:
    for place in places:
        path = PACKAGE / place
        for module in [path] if path.is_file() else sorted(path.rglob("*.py")):
            yield ast.parse(module.read_text())


def headers_in_code() -> set[str]:
    """Return the names of headers that stand as strings where answers are made, in lower case.

    Any string of words joined by hyphens counts as one, unless ``_NO_HEADERS`` lists it.
    """
    found = set()
    for module in _modules("web", "services", "errors.py", "server/refusals.py"):
        for node in ast.walk(module):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(_as_header(node.value))
    return found - _NO_HEADERS


def _as_header(text: str) -> Iterator[str]:
    if _VARIABLE.fullmatch(text):
        yield text.removeprefix("HTTP_").replace("_", "-").lower()
    elif _HEADER.fullmatch(text):
        yield text.lower()


def errors_in_code() -> set[Error]:
    """Return every error that the relay words itself."""
    return {*_constructed(), *_of_logins(), *_of_the_server(), *_in_streams()}


def _classes() -> dict[str, type[errors.RelayError]]:
    return {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.RelayError)
    }


def _constructed() -> Iterator[Error]:
    """Errors that are constructed somewhere, each with the code that it is given there."""
    classes = _classes()
    apart = {"UpstreamRefused", "UpstreamLoginError"}
    places = ("web", "services", "schemas", "store", "dialects", "providers", "upstream", "server")
    for module in _modules(*places):
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                found = classes.get(node.func.id)
                if found is not None and found.__name__ not in apart:
                    yield found.status, found.type, _code_of(node) or found.code or "null"


def _code_of(call: ast.Call) -> str | None:
    for keyword in call.keywords:
        if keyword.arg == "code":
            assert isinstance(keyword.value, ast.Constant), ast.unparse(call)
            return str(keyword.value.value)
    return None


def _of_logins() -> Iterator[Error]:
    for problem in get_args(errors.LoginProblem):
        error = errors.UpstreamLoginError(problem)
        yield error.status, error.type, str(error.code)


def _of_the_server() -> Iterator[Error]:
    """What the server answers before there is an application."""
    for refusal in vars(refusals).values():
        if isinstance(refusal, refusals.Refusal):
            yield int(refusal.status), refusals.type_of(refusal.status), refusal.code


def _in_streams() -> Iterator[Error]:
    for module in _modules("dialects/openai_error.py"):
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Failure":
                said = {k.arg: k.value for k in node.keywords}
                yield tuple(ast.literal_eval(said[name]) for name in ("status", "type", "code"))
