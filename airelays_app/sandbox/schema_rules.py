"""The rules a JSON schema must keep: sound keywords, and under ``strict`` everything required and
nothing additional.
"""

from collections.abc import Callable, Iterator
from typing import Any

_NAMED = ("properties", "$defs", "definitions")
_LISTED = ("anyOf", "allOf", "oneOf", "prefixItems")


def fault_in(schema: Any, *, strict: bool) -> str | None:
    """Return what breaks the rules in ``schema``, with its place, or None (seen 2026-11-22)."""
    for place, part in _parts(schema, ()):
        if fault := _malformed(part) or (_not_strict(part) if strict else None):
            return f"In context={place}, {fault}"
    return None


def _parts(schema: Any, where: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    if not isinstance(schema, dict):
        return
    yield where, schema
    for key in _NAMED:
        for name, part in _mapping(schema.get(key)).items():
            yield from _parts(part, (*where, key, name))
    for key in _LISTED:
        for index, part in enumerate(_sequence(schema.get(key))):
            yield from _parts(part, (*where, key, str(index)))
    yield from _parts(schema.get("items"), (*where, "items"))


def _malformed(schema: dict[str, Any]) -> str | None:
    for key, is_sound in _SOUND.items():
        if key in schema and not is_sound(schema[key]):
            return f"{schema[key]!r} is not a valid '{key}'."
    return None


def _not_strict(schema: dict[str, Any]) -> str | None:
    kind = schema.get("type")
    is_object = kind == "object" or (isinstance(kind, list) and "object" in kind)
    if not is_object and "properties" not in schema:
        return None
    if schema.get("additionalProperties") is not False:
        return "'additionalProperties' is required to be supplied and to be false."
    required = schema.get("required") or []
    for name in schema.get("properties") or {}:
        if name not in required:
            return (
                "'required' is required to be supplied and to be an array including "
                f"every key in properties. Missing '{name}'."
            )
    return None


def _mapping(given: Any) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}


def _sequence(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []


def _is_type(given: Any) -> bool:
    kinds = given if isinstance(given, list) else [given]
    return bool(kinds) and all(isinstance(kind, str) for kind in kinds)


def _is_names(given: Any) -> bool:
    return isinstance(given, list) and all(isinstance(name, str) for name in given)


def _is_choice(given: Any) -> bool:
    return isinstance(given, list) and bool(given)


def _is_count(given: Any) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and given >= 0


def _is_number(given: Any) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool)


def _is_step(given: Any) -> bool:
    return _is_number(given) and given > 0


def _is_object(given: Any) -> bool:
    return isinstance(given, dict)


_SOUND: dict[str, Callable[[Any], bool]] = {
    "type": _is_type,
    "required": _is_names,
    "format": lambda given: isinstance(given, str),
    "multipleOf": _is_step,
    **dict.fromkeys(_NAMED, _is_object),
    **dict.fromkeys((*_LISTED, "enum"), _is_choice),
    **dict.fromkeys(("minItems", "maxItems", "minLength", "maxLength"), _is_count),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
}
