"""A careless upstream repeats what it was sent; its errors must not tell clients our keys."""

from collections.abc import Iterable

HIDDEN = "[hidden]"

_SHORTEST = 8
"""Characters; anything shorter is no secret, and could be part of any text."""


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return ``text`` with every one of ``secrets`` in it replaced."""
    for secret in secrets:
        if len(secret) >= _SHORTEST and secret in text:
            text = text.replace(secret, HIDDEN)
    return text


def body_without_secrets(body: bytes, secrets: Iterable[str]) -> bytes:
    """Return ``body``, in UTF-8 or anything like it, with every one of ``secrets`` replaced."""
    return without_secrets(body.decode("latin-1"), secrets).encode("latin-1")
