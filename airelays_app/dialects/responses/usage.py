"""Token counts of the Responses dialect."""

from collections.abc import Mapping
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import token_count
from airelays_app.neutral.usage import Usage, usage_of_totals


def read_usage(raw: Any) -> Usage | None:
    """Return the counts of a ``usage`` object, or None if there is none."""
    if not isinstance(raw, Mapping):
        return None
    details = raw.get("input_tokens_details")
    return usage_of_totals(
        input_total=token_count(raw, "input_tokens"),
        output_total=token_count(raw, "output_tokens"),
        cache_read=token_count(details, "cached_tokens"),
        cache_write=token_count(details, "cache_write_tokens"),
        reasoning=token_count(raw.get("output_tokens_details"), "reasoning_tokens"),
    )


def write_usage(usage: Usage) -> Json:
    """Return a ``usage`` object; ``total_tokens`` is the sum."""
    return {
        "input_tokens": usage.input_total,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write,
        },
        "output_tokens": usage.output_total,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total,
    }
