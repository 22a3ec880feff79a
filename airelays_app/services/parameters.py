"""Parameters that an upstream does not take: left out before the call, and disclosed."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import asks_for_something

_HEADER_LIMIT = 2048


def without_ignored(body: Json, ignored: frozenset[str]) -> tuple[Json, tuple[str, ...]]:
    """Return ``body`` without the ignored fields, and the names of those that asked for something.

    A name with a dot is a field of an object within. A field that is null or false goes too, but
    asks for nothing that had to be disclosed.
    """
    kept, disclosed = body, list[str]()
    for path in (*filter(ignored.__contains__, body), *sorted(p for p in ignored if "." in p)):
        kept, value = _without(kept, path)
        if asks_for_something(value):
            disclosed.append(path)
    return kept, tuple(disclosed)


def _without(body: Json, path: str) -> tuple[Json, Any]:
    """Return the object without a field, the same one if it has none, and the field's value."""
    name, _, rest = path.partition(".")
    if name not in body:
        return body, None
    if not rest:
        return {key: value for key, value in body.items() if key != name}, body[name]
    if not isinstance(body[name], dict):
        return body, None
    inner, value = _without(body[name], rest)
    return body if inner is body[name] else {**body, name: inner}, value


def disclosure(names: Iterable[str]) -> str:
    """Return the value of ``x-airelays-ignored-parameters``: percent-encoded, capped."""
    value = ",".join(map(_quoted, dict.fromkeys(names)))
    if len(value) <= _HEADER_LIMIT:
        return value
    return value[:_HEADER_LIMIT].rpartition(",")[0] + ",..."


def _quoted(name: str) -> str:
    """A client's own field may have lone surrogates in its name, which no header can carry."""
    return quote(name, safe="[]._-", errors="replace")
