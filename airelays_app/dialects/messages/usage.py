"""Token counts of the Messages dialect.

``input_tokens`` leaves out what the cache gave and took, ``output_tokens`` holds the thinking
(types of anthropic-python 2.14, seen 2026-11-22).
"""

from collections.abc import Mapping
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import token_count
from airelays_app.neutral.usage import Usage


def read_usage(raw: Any) -> Usage | None:
    """Return the counts of a ``usage`` object, or None if there is none."""
    if not isinstance(raw, Mapping):
        return None
    thinking = token_count(raw.get("output_tokens_details"), "thinking_tokens")
    return Usage(
        input=token_count(raw, "input_tokens"),
        cache_read=token_count(raw, "cache_read_input_tokens"),
        cache_write=token_count(raw, "cache_creation_input_tokens"),
        output=max(0, token_count(raw, "output_tokens") - thinking),
        reasoning=thinking,
    )


def write_usage(usage: Usage) -> Json:
    """Return a ``usage`` object."""
    return {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output_total,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
    }
