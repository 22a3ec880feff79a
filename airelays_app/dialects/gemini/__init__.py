"""Google's Gemini API."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from airelays_app.dialects.base import Counting, Dialect, Json
from airelays_app.dialects.gemini.errors import error_body
from airelays_app.dialects.gemini.proto_json import canonical
from airelays_app.dialects.gemini.reply import SHOWS_THOUGHTS, encode_reply
from airelays_app.dialects.gemini.request_in import decode_request, shows_thoughts
from airelays_app.dialects.gemini.request_out import encode_request, unspeakable_stops
from airelays_app.dialects.gemini.resources import resource_name
from airelays_app.dialects.gemini.seals import without_packed_seals
from airelays_app.dialects.gemini.stream_in import GeminiDecoder, decode_reply
from airelays_app.dialects.gemini.stream_out import GeminiEncoder
from airelays_app.dialects.gemini.tap import GeminiTap
from airelays_app.dialects.gemini.usage import FIELD, read_usage

_OWN_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "temperature": "generationConfig.temperature",
        "top_p": "generationConfig.topP",
        "top_k": "generationConfig.topK",
        "seed": "generationConfig.seed",
        "presence_penalty": "generationConfig.presencePenalty",
        "frequency_penalty": "generationConfig.frequencyPenalty",
        "reasoning_effort": "generationConfig.thinkingConfig",
        "service_tier": "serviceTier",
        "tool_choice": "toolConfig",
    }
)


def _count(body: Json, model: str) -> Json:
    return {"generateContentRequest": {"model": resource_name(model), **body}}


def _echo(body: Json) -> Json:
    return {SHOWS_THOUGHTS: shows_thoughts(body)}


GEMINI = Dialect(
    name="gemini",
    decode_request=decode_request,
    encode_request=encode_request,
    decode_reply=decode_reply,
    encode_reply=encode_reply,
    decoder=GeminiDecoder,
    encoder=GeminiEncoder,
    tap=GeminiTap,
    error_body=error_body,
    read_usage=read_usage,
    usage_field=FIELD,
    keep_alive=b"",
    echo=_echo,
    own_names=_OWN_NAMES,
    counting=Counting("countTokens", "totalTokens", _count),
    canonical=canonical,
    unspeakable_stops=unspeakable_stops,
    without_packed_seals=without_packed_seals,
    tool_names=re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}", re.ASCII),
    refuses_with=400,
    names_model=False,
)
