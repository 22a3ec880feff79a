"""What OpenAI's dialects say alike: parts of messages, functions, hints."""

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import (
    as_object,
    optional_bool,
    optional_object,
    optional_text,
    text_field,
)
from airelays_app.neutral.request import Audio, Hints, Part, Refusal, Text, Tool


def read_text(path: str, part: Json) -> Part:
    """Return a text part."""
    return Text(text_field(part, "text", path), part)


def read_refusal(path: str, part: Json) -> Part:
    """Return a refusal of an earlier turn."""
    return Refusal(text_field(part, "refusal", path))


def read_audio(path: str, part: Json) -> Part:
    """Return a part with sound."""
    path = f"{path}.input_audio"
    audio = as_object(part.get("input_audio"), path)
    return Audio(text_field(audio, "data", path), text_field(audio, "format", path), path)


def read_function(path: str, function: Json) -> Tool:
    """Return a function tool."""
    return Tool(
        name=text_field(function, "name", path),
        description=optional_text(function, "description", path),
        parameters=optional_object(function, "parameters", path),
        strict=optional_bool(function, "strict", path),
    )


def read_hints(body: Json) -> Hints:
    """Return the fields that steer the service."""
    return Hints(
        user=optional_text(body, "user"),
        safety_identifier=optional_text(body, "safety_identifier"),
        metadata=optional_object(body, "metadata"),
        service_tier=optional_text(body, "service_tier"),
        prompt_cache_key=optional_text(body, "prompt_cache_key"),
        prompt_cache_retention=optional_text(body, "prompt_cache_retention"),
    )
