"""Parameters that an upstream does not take: left out before the call, and disclosed."""

from collections.abc import Iterable
from urllib.parse import quote

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import asks_for_something

_HEADER_LIMIT = 2048


def without_ignored(body: Json, ignored: frozenset[str]) -> tuple[Json, tuple[str, ...]]:
    """Return ``body`` without the ignored fields, and the names of those that asked for something.

    A field that is null or false goes too, but asks for nothing that had to be disclosed.
    """
    present = [name for name in body if name in ignored]
    if not present:
        return body, ()
    disclosed = tuple(name for name in present if asks_for_something(body[name]))
    return {name: value for name, value in body.items() if name not in ignored}, disclosed


def disclosure(names: Iterable[str]) -> str:
    """Return the value of ``x-airelays-ignored-parameters``: percent-encoded, capped."""
    value = ",".join(map(_quoted, dict.fromkeys(names)))
    if len(value) <= _HEADER_LIMIT:
        return value
    return value[:_HEADER_LIMIT].rpartition(",")[0] + ",..."


def _quoted(name: str) -> str:
    """A client's own field may have lone surrogates in its name, which no header can carry."""
    return quote(name, safe="[]._-", errors="replace")
