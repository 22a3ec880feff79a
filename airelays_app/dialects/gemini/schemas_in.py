"""``Schema``, the API's own way to describe JSON, read as the JSON schema it stands for.

It is a part of OpenAPI 3.0 with types in upper case (``STRING``), ``nullable`` and lengths that
proto-JSON may write as strings (API reference, "Schema", seen 2026-11-25).
"""

import re
from collections.abc import Callable
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import as_object

_LENGTHS = frozenset("maxItems minItems maxLength minLength maxProperties minProperties".split())
_LENGTH = re.compile(r"[0-9]{1,19}", re.ASCII)
"""An int64 as a string; what is none is for the upstream to refuse."""

_ONLY_HERE = frozenset({"nullable", "propertyOrdering", "example"})


def json_schema_of(schema: Json, path: str) -> Json:
    """Return the JSON schema; raises Unprocessable for what is no schema."""
    written = {
        name: _READERS[name](value, f"{path}.{name}") if name in _READERS else value
        for name, value in schema.items()
        if name not in _ONLY_HERE
    }
    return _with_null(written) if schema.get("nullable") is True else written


def _with_null(schema: Json) -> Json:
    kind = schema.get("type")
    if not isinstance(kind, str):
        return {"anyOf": [schema, {"type": "null"}]}
    nullable = {**schema, "type": [kind, "null"]}
    if isinstance(schema.get("enum"), list):
        nullable["enum"] = [*schema["enum"], None]
    return nullable


def _type(value: Any, path: str) -> Any:  # noqa: ARG001
    return value.lower() if isinstance(value, str) else value


def _length(value: Any, path: str) -> Any:  # noqa: ARG001
    return int(value) if isinstance(value, str) and _LENGTH.fullmatch(value) else value


def _inner(value: Any, path: str) -> Any:
    return value if isinstance(value, bool) else json_schema_of(as_object(value, path), path)


def _all_of(value: Any, path: str) -> Any:
    if not isinstance(value, list):
        return value
    return [_inner(item, f"{path}[{index}]") for index, item in enumerate(value)]


def _by_name(value: Any, path: str) -> Any:
    named = as_object(value, path)
    return {name: _inner(item, f"{path}.{name}") for name, item in named.items()}


_READERS: dict[str, Callable[[Any, str], Any]] = {
    "type": _type,
    "items": _inner,
    "additionalProperties": _inner,
    "anyOf": _all_of,
    "prefixItems": _all_of,
    "properties": _by_name,
    **dict.fromkeys(_LENGTHS, _length),
}
