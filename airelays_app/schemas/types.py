"""Strict marshmallow fields: a value has the JSON type it must have, or it is refused."""

from typing import Any

from marshmallow import ValidationError, fields


class Typed(fields.Field[Any]):
    """Accepts exactly the given JSON types (a boolean is no number), and null for "not set"."""

    def __init__(self, expected: str, *types: type) -> None:
        super().__init__(allow_none=True)
        self._expected = expected
        self._types = types

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if value.__class__ not in self._types:
            raise ValidationError(f"must be {self._expected}")
        return value


def string() -> Typed:
    """A string."""
    return Typed("a string", str)


def boolean() -> Typed:
    """A boolean."""
    return Typed("a boolean", bool)


def integer() -> Typed:
    """An integer."""
    return Typed("an integer", int)


def number() -> Typed:
    """A number."""
    return Typed("a number", int, float)


def array() -> Typed:
    """An array."""
    return Typed("an array", list)


def obj() -> Typed:
    """An object."""
    return Typed("an object", dict)


def string_or_array() -> Typed:
    """A string or an array."""
    return Typed("a string or an array", str, list)


def string_or_object() -> Typed:
    """A string or an object."""
    return Typed("a string or an object", str, dict)


def any_input() -> Typed:
    """A string, an object or an array."""
    return Typed("a string, an object or an array", str, dict, list)
