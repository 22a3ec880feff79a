"""JSON schemas as Anthropic's structured outputs take them.

Every object is closed, and the keywords that bound numbers, strings and arrays are refused
(Anthropic's page on structured outputs, seen 2026-11-22). What they say goes into the description,
where the model reads it; it is no longer enforced, and so it is disclosed.
"""

from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.errors import Unprocessable
from airelays_app.framing.jsontext import dumps

_MAPS = ("properties", "$defs", "definitions")
_LISTS = ("anyOf", "allOf", "oneOf")
_BOUNDS = frozenset(
    "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength maxItems "
    "uniqueItems minProperties maxProperties pattern patternProperties".split()
)


class Closing:
    """Closes one schema; ``loosened`` names the places where a bound became a description."""

    def __init__(self, param: str) -> None:
        self._param = param
        self.loosened: list[str] = []

    def closed(self, schema: Any, place: str = "") -> Any:
        """Return the schema as it is taken; raises Unprocessable for an object that stays open."""
        if not isinstance(schema, dict):
            return schema
        result = {
            name: self._child(name, value, f"{place}.{name}")
            for name, value in schema.items()
            if not _is_bound(name, value)
        }
        if bounds := {name: value for name, value in schema.items() if _is_bound(name, value)}:
            self.loosened.append(f"{self._param}{place}")
            said = [result["description"]] if isinstance(result.get("description"), str) else []
            result["description"] = "\n".join([*said, f"Within {dumps(bounds).decode()}."])
        if result.get("type") == "object" or "properties" in result:
            self._close(result, place)
        return result

    def _child(self, name: str, value: Any, place: str) -> Any:
        if name in _MAPS and isinstance(value, dict):
            return {key: self.closed(sub, f"{place}.{key}") for key, sub in value.items()}
        if name in _LISTS and isinstance(value, list):
            return [self.closed(sub, f"{place}[{i}]") for i, sub in enumerate(value)]
        return self.closed(value, place) if name == "items" else value

    def _close(self, schema: Json, place: str) -> None:
        if isinstance(schema.get("additionalProperties"), dict):
            path = f"{self._param}{place}"
            raise Unprocessable(
                f"{path} lets any property in; this model's upstream takes closed objects only.",
                param=path,
            )
        schema["additionalProperties"] = False


def _is_bound(name: str, value: Any) -> bool:
    return name in _BOUNDS or (name == "minItems" and value not in (0, 1))
