"""JSON documents that are valid for a JSON schema: what the model says when it must fit one."""

from typing import Any

_DEEPEST = 12
_FORMATS = {
    "date-time": "2026-11-22T10:00:00Z",
    "date": "2026-11-22",
    "time": "10:00:00Z",
    "duration": "P1D",
    "email": "someone@example.org",
    "hostname": "example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.org/",
    "uuid": "00000000-0000-4000-8000-000000000001",
}


def synthesise(schema: Any, *, name: str = "value") -> Any:
    """Return a value valid for ``schema`` (best effort for ``pattern``, ``not`` and ``if``).

    Every property is filled in; strings are named after their property, so that a reader can see
    where a value came from. ``$ref`` within the document is followed; recursion ends at the first
    branch that allows it to (null, an empty list, an optional property).
    """
    root = schema if isinstance(schema, dict) else {}
    return _Synthesis(root).value(schema, name, 0)


class _Synthesis:
    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root

    def value(self, schema: Any, name: str, depth: int) -> Any:
        if not isinstance(schema, dict):
            return name
        schema = self._merged(schema)
        for key in ("const", "default"):
            if key in schema:
                return schema[key]
        if schema.get("enum"):
            return schema["enum"][0]
        for key in ("anyOf", "oneOf"):
            if schema.get(key):
                return self.value(self._branch(schema[key], depth), name, depth + 1)
        return self._of_type(_type_of(schema, depth), schema, name, depth)

    def _of_type(self, kind: str, schema: dict[str, Any], name: str, depth: int) -> Any:
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, name, depth)
        if kind in ("integer", "number"):
            return _number(schema, kind)
        return {"boolean": True, "null": None}.get(kind, _string(schema, name))

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties") or {}
        required = schema.get("required") or []
        names = required if depth >= _DEEPEST else [*properties, *required]
        if depth > 2 * _DEEPEST:
            return {}
        return {name: self.value(properties.get(name, {}), name, depth + 1) for name in names}

    def _array(self, schema: dict[str, Any], name: str, depth: int) -> list[Any]:
        least = int(schema.get("minItems", 0))
        count = least if depth >= _DEEPEST else max(least, 1)
        if schema.get("maxItems") == 0 or depth > 2 * _DEEPEST:
            return []
        heads = schema.get("prefixItems") or []
        items = [self.value(head, name, depth + 1) for head in heads]
        rest = schema.get("items", {})
        return items + [
            self.value(rest, f"{name} {index + 1}" if index else name, depth + 1)
            for index in range(count - len(items))
        ]

    def _branch(self, branches: list[Any], depth: int) -> Any:
        if depth < _DEEPEST // 2:
            return branches[0]
        endings = [branch for branch in branches if branch == {"type": "null"}]
        return endings[0] if endings else branches[-1]

    def _merged(self, schema: dict[str, Any], hops: int = 0) -> dict[str, Any]:
        merged = {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}
        parts = list(schema.get("allOf") or [])
        if "$ref" in schema:
            parts.append(self._target(str(schema["$ref"])))
        for part in filter(_is_schema, parts) if hops < _DEEPEST else ():
            for key, value in self._merged(part, hops + 1).items():
                merged[key] = _joined(merged.get(key), value)
        return merged

    def _target(self, reference: str) -> dict[str, Any]:
        found: Any = self._root
        for step in reference.removeprefix("#").strip("/").split("/"):
            if step and isinstance(found, dict):
                found = found.get(step.replace("~1", "/").replace("~0", "~"), {})
        return found if isinstance(found, dict) else {}


def _is_schema(part: Any) -> bool:
    return isinstance(part, dict)


def _joined(mine: Any, other: Any) -> Any:
    if isinstance(mine, dict) and isinstance(other, dict):
        return {**other, **mine}
    if isinstance(mine, list) and isinstance(other, list):
        return mine + [value for value in other if value not in mine]
    return other if mine is None else mine


def _type_of(schema: dict[str, Any], depth: int) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        return "null" if "null" in kind and depth >= _DEEPEST // 2 else str(kind[0])
    if kind:
        return str(kind)
    if "properties" in schema or "required" in schema:
        return "object"
    return "array" if "items" in schema else "string"


def _string(schema: dict[str, Any], name: str) -> str:
    text = _FORMATS.get(schema.get("format", ""), name)
    text = text.ljust(int(schema.get("minLength", 0)), "x")
    return text[: int(schema.get("maxLength", len(text)))]


def _number(schema: dict[str, Any], kind: str) -> int | float:
    nudge = 1 if kind == "integer" else 0.5
    highest = schema.get("maximum", schema.get("exclusiveMaximum", 1 + nudge) - nudge)
    value = schema.get("minimum", min(1, highest))
    if "exclusiveMinimum" in schema:
        value = max(value, schema["exclusiveMinimum"] + nudge)
    if step := schema.get("multipleOf"):
        value += -value % step
    return int(value) if kind == "integer" else value
