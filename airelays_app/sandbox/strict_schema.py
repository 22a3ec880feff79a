"""The rules a JSON schema must keep under ``strict``: everything required, nothing additional."""

from collections.abc import Iterator
from typing import Any

_NAMED = ("properties", "$defs", "definitions")
_LISTED = ("anyOf", "allOf", "oneOf", "prefixItems")


def fault_in(schema: Any, where: str = "()") -> str | None:
    """Return what breaks the strict rules in ``schema``, or None (seen 2026-11-22)."""
    for place, part in _parts(schema, where):
        if fault := _object_fault(part):
            return f"In context={place}, {fault}"
    return None


def _parts(schema: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(schema, dict):
        return
    yield where, schema
    for key in _NAMED:
        for name, part in (schema.get(key) or {}).items():
            yield from _parts(part, _below(where, key, name))
    for key in _LISTED:
        for index, part in enumerate(schema.get(key) or []):
            yield from _parts(part, _below(where, key, str(index)))
    yield from _parts(schema.get("items"), _below(where, "items"))


def _object_fault(schema: dict[str, Any]) -> str | None:
    kind = schema.get("type")
    is_object = kind == "object" or (isinstance(kind, list) and "object" in kind)
    if not is_object and "properties" not in schema:
        return None
    if schema.get("additionalProperties") is not False:
        return "'additionalProperties' is required to be supplied and to be false."
    properties = schema.get("properties") or {}
    required = schema.get("required") or []
    for name in properties:
        if name not in required:
            return (
                "'required' is required to be supplied and to be an array including "
                f"every key in properties. Missing '{name}'."
            )
    return None


def _below(where: str, *steps: str) -> str:
    inner = where.strip("()").rstrip(",")
    names = [inner] if inner else []
    return f"({', '.join([*names, *(repr(step) for step in steps)])})"
