"""The end user's name in OpenAI's dialects."""

import hashlib

_LONGEST = 64
"""OpenAI refuses a longer ``user`` (public reports, seen 2026-11-25); Claude Code's has 160."""


def short_user(user: str | None) -> str | None:
    """Return the user's name, or a digest that stands for one that is too long."""
    if user is None or len(user) <= _LONGEST:
        return user
    return hashlib.sha256(user.encode("utf-8", "surrogatepass")).hexdigest()
