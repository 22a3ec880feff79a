"""Token counts of the Gemini dialect.

``promptTokenCount`` holds what the cache gave, ``candidatesTokenCount`` leaves the thoughts out,
and what hosted tools put into the prompt is counted apart (API reference, "UsageMetadata", seen
2026-11-25).
"""

from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import token_count
from airelays_app.neutral.usage import Usage

FIELD = "usageMetadata"


def read_usage(raw: Any) -> Usage | None:
    """Return the counts of a ``usageMetadata`` object, or None if there is none."""
    if not isinstance(raw, dict):
        return None
    cached = token_count(raw, "cachedContentTokenCount")
    prompt = token_count(raw, "promptTokenCount")
    return Usage(
        input=max(0, prompt - cached) + token_count(raw, "toolUsePromptTokenCount"),
        cache_read=cached,
        output=token_count(raw, "candidatesTokenCount"),
        reasoning=token_count(raw, "thoughtsTokenCount"),
    )


def write_usage(usage: Usage) -> Json:
    """Return a ``usageMetadata`` object; counts that the API leaves out at zero are left out."""
    counts = {
        "promptTokenCount": usage.input_total,
        "candidatesTokenCount": usage.output,
        "totalTokenCount": usage.total,
    }
    extras = {
        "cachedContentTokenCount": usage.cache_read,
        "thoughtsTokenCount": usage.reasoning,
    }
    return {**counts, **{name: count for name, count in extras.items() if count}}
