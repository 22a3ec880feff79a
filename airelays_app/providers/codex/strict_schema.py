"""The JSON schemas that the ChatGPT backend holds an answer or a call to.

It wants every property required, optional ones nullable instead, and no further properties
(AIRelays 0.22.0 sources, seen 2026-11-22). A schema is brought into that form; what cannot be,
is refused with the place in the schema.
"""

from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.errors import Unprocessable

_MAPS = ("properties", "patternProperties", "$defs", "definitions")
_LISTS = ("anyOf", "allOf", "oneOf", "prefixItems")
_SINGLES = ("items", "contains", "additionalItems", "if", "then", "else", "not")


def strict_schema(schema: Json, *, param: str) -> Json:
    """Return ``schema`` in the form the backend accepts; raises Unprocessable naming ``param``."""
    normalized: Json = _Normalizer(param).normalized(schema, "root")
    return normalized


def is_strict(schema: Json) -> bool:
    """Tell whether the backend accepts ``schema`` as it is."""
    try:
        return strict_schema(schema, param="schema") == schema
    except Unprocessable:
        return False


class _Normalizer:
    def __init__(self, param: str) -> None:
        self._param = param

    def normalized(self, schema: Any, place: str) -> Any:
        if not isinstance(schema, dict):
            return schema
        result = {name: self._child(name, value, place) for name, value in schema.items()}
        if _is_object(result):
            self._close_object(result, place)
        return result

    def _child(self, name: str, value: Any, place: str) -> Any:
        here = name if place == "root" else f"{place}.{name}"
        if name in _MAPS and isinstance(value, dict):
            return {key: self.normalized(sub, f"{here}.{key}") for key, sub in value.items()}
        if (name in _LISTS or name == "items") and isinstance(value, list):
            return [self.normalized(sub, f"{here}.{i}") for i, sub in enumerate(value)]
        if name in _SINGLES:
            return self.normalized(value, here)
        return value

    def _close_object(self, schema: Json, place: str) -> None:
        properties = schema.get("properties", {})
        if not isinstance(properties, dict):
            raise self._refused(place, "properties must be an object")
        required = schema.get("required", [])
        if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
            raise self._refused(place, "required must be an array of strings")
        if schema.get("additionalProperties", False) is not False:
            raise self._refused(place, "additionalProperties must be false")
        kept = set(required)
        schema["properties"] = {
            name: sub if name in kept else _nullable(sub) for name, sub in properties.items()
        }
        others = [name for name in required if name not in properties]
        schema["required"] = [*properties, *others]
        schema["additionalProperties"] = False

    def _refused(self, place: str, rule: str) -> Unprocessable:
        return Unprocessable(
            f"{self._param} at {place}: {rule} for this model's upstream.", param=self._param
        )


def _is_object(schema: Json) -> bool:
    kind = schema.get("type")
    return "properties" in schema or "object" in (kind if isinstance(kind, list) else [kind])


def _nullable(schema: Any) -> Any:
    if not isinstance(schema, dict) or _allows_null(schema):
        return schema
    kind = schema.get("type")
    # A const or enum beside a type would still forbid null.
    if isinstance(kind, str | list) and "enum" not in schema and "const" not in schema:
        return {**schema, "type": [*([kind] if isinstance(kind, str) else kind), "null"]}
    for name in ("anyOf", "oneOf"):
        if isinstance(schema.get(name), list) and kind is None:
            return {**schema, name: [*schema[name], {"type": "null"}]}
    return {"anyOf": [schema, {"type": "null"}]}


def _allows_null(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    kind = schema.get("type")
    if kind == "null" or (isinstance(kind, list) and "null" in kind):
        return True
    if "const" in schema and schema["const"] is None:
        return True
    if isinstance(schema.get("enum"), list) and None in schema["enum"]:
        return True
    branches = (schema.get(name) for name in ("anyOf", "oneOf"))
    return any(
        _allows_null(branch) for listed in branches if isinstance(listed, list) for branch in listed
    )
