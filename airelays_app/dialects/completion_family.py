"""What Chat Completions and legacy Completions share: request fields, token counts, the end."""

from collections.abc import Mapping
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import (
    optional_bool,
    optional_integer,
    optional_number,
    optional_object,
    stop_sequences,
    token_count,
)
from airelays_app.neutral.request import Sampling
from airelays_app.neutral.usage import Usage, usage_of_totals

DONE = b"data: [DONE]\n\n"


def includes_usage(body: Json) -> bool:
    """Tell whether ``stream_options.include_usage`` is set."""
    options = optional_object(body, "stream_options") or {}
    return optional_bool(options, "include_usage", "stream_options") or False


def read_sampling(body: Json) -> Sampling:
    """Return the sampler's knobs."""
    return Sampling(
        temperature=optional_number(body, "temperature"),
        top_p=optional_number(body, "top_p"),
        presence_penalty=optional_number(body, "presence_penalty"),
        frequency_penalty=optional_number(body, "frequency_penalty"),
        seed=optional_integer(body, "seed"),
        stop=stop_sequences(body),
        logit_bias=optional_object(body, "logit_bias"),
    )


def read_usage(raw: Any) -> Usage | None:
    """Return the counts of a ``usage`` object, or None if there is none.

    xAI counts reasoning beside ``completion_tokens``, which only the total tells (recorded replies
    of grok-3-mini, seen 2026-11-22).
    """
    if not isinstance(raw, Mapping):
        return None
    details = raw.get("prompt_tokens_details")
    prompt, output = token_count(raw, "prompt_tokens"), token_count(raw, "completion_tokens")
    reasoning = token_count(raw.get("completion_tokens_details"), "reasoning_tokens")
    is_beside = token_count(raw, "total_tokens") == prompt + output + reasoning
    return usage_of_totals(
        input_total=prompt,
        output_total=output + reasoning if is_beside else output,
        cache_read=token_count(details, "cached_tokens"),
        cache_write=token_count(details, "cache_write_tokens"),
        reasoning=reasoning,
    )


def write_usage(usage: Usage) -> Json:
    """Return a ``CompletionUsage``; ``total_tokens`` is the sum."""
    prompt_details = {"cached_tokens": usage.cache_read}
    if usage.cache_write:
        prompt_details["cache_write_tokens"] = usage.cache_write
    return {
        "prompt_tokens": usage.input_total,
        "completion_tokens": usage.output_total,
        "total_tokens": usage.total,
        "prompt_tokens_details": prompt_details,
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }
