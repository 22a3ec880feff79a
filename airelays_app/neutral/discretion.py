"""A careless upstream repeats what it was sent; its errors must not tell clients our keys."""

from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "[hidden]"

_SHORTEST = 8
"""Characters; anything shorter is no secret, and could be part of any text."""


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return ``text`` with every one of ``secrets`` in it replaced."""
    for secret in secrets:
        if len(secret) >= _SHORTEST and secret in text:
            text = text.replace(secret, HIDDEN)
    return text


def value_without_secrets(value: Any, secrets: Iterable[str]) -> Any:
    """Return a JSON value with every one of ``secrets`` in its strings and names replaced."""
    match value:
        case str():
            return without_secrets(value, secrets)
        case Mapping():
            return {
                without_secrets(name, secrets): value_without_secrets(inner, secrets)
                for name, inner in value.items()
            }
        case list():
            return [value_without_secrets(inner, secrets) for inner in value]
    return value
