"""A legacy Completions request, read into the neutral request: one prompt, one answer."""

from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.completion_family import includes_usage, read_sampling
from airelays_app.dialects.fields import (
    as_text,
    optional_bool,
    optional_integer,
    optional_text,
    text_field,
    wrong_type,
)
from airelays_app.dialects.openai_fields import read_hints
from airelays_app.dialects.unread import unread_fields, unread_losses
from airelays_app.errors import Unprocessable
from airelays_app.neutral.losses import Loss
from airelays_app.neutral.request import Message, Request, Text

_READ = frozenset(
    "model prompt stream stream_options conversation stop metadata user max_tokens temperature "
    "top_p presence_penalty frequency_penalty seed logit_bias safety_identifier service_tier "
    "prompt_cache_key prompt_cache_retention n best_of echo logprobs suffix "
    "reasoning_effort".split()
)
REFUSED: dict[str, tuple[tuple[Any, ...], str]] = {
    "n": ((1,), "only one completion can be made"),
    "best_of": ((1,), "only one completion can be made"),
    "echo": ((False,), "the prompt is not repeated"),
    "logprobs": ((), "no log probabilities are known"),
    "suffix": (("",), "text cannot be inserted"),
}


def decode_request(body: Json) -> tuple[Request, tuple[Loss, ...]]:
    """Return the neutral request and what could not be carried; raises Unprocessable."""
    for name, (harmless, why) in REFUSED.items():
        value = body.get(name)
        if value is not None and not any(value is h or value == h != 0 for h in harmless):
            raise Unprocessable(f"{name} is not supported on this route: {why}.", param=name)
    request = Request(
        model=text_field(body, "model", ""),
        messages=(Message("user", (Text(_read_prompt(body.get("prompt"))),)),),
        stream=optional_bool(body, "stream") or False,
        include_usage=includes_usage(body),
        reasoning_effort=optional_text(body, "reasoning_effort"),
        max_output_tokens=optional_integer(body, "max_tokens"),
        sampling=read_sampling(body),
        hints=read_hints(body),
    )
    return request, unread_losses(unread_fields(body, _READ))


def _read_prompt(value: Any) -> str:
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        return value[0]
    if isinstance(value, list):
        raise wrong_type("prompt", "one string; token arrays and several prompts are refused")
    return as_text("" if value is None else value, "prompt")
