"""A Gemini request, read into the neutral request.

Fields: API reference, "GenerateContentRequest" and "GenerationConfig", google-genai 3.6 and
Gemini CLI 0.61 (seen 2026-11-25). The model and whether to stream stand in the path.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import (
    as_list,
    as_object,
    as_text,
    objects,
    optional_bool,
    optional_integer,
    optional_number,
    optional_object,
    optional_text,
    wrong_type,
)
from airelays_app.dialects.gemini.parts_in import unread_of_content
from airelays_app.dialects.gemini.proto_json import canonical
from airelays_app.dialects.gemini.schemas_in import json_schema_of
from airelays_app.dialects.gemini.tools_in import read_tool_choice, read_tools
from airelays_app.dialects.gemini.turns_in import read_contents, read_system
from airelays_app.dialects.unread import unread_fields, unread_losses
from airelays_app.errors import Unprocessable
from airelays_app.neutral.losses import Loss
from airelays_app.neutral.request import Hints, OutputFormat, Request, Sampling

CONFIG = "generationConfig"
THINKING = "thinkingConfig"

_READ = frozenset(
    "model contents systemInstruction tools toolConfig generationConfig cachedContent serviceTier "
    "conversation".split()
)
_READ_OF_CONFIG = frozenset(
    "stopSequences responseMimeType responseSchema responseJsonSchema responseModalities "
    "candidateCount maxOutputTokens temperature topP topK seed presencePenalty frequencyPenalty "
    "thinkingConfig continuationToken".split()
)
REFUSED: Mapping[str, tuple[tuple[Any, ...], str]] = MappingProxyType(
    {
        "cachedContent": ((), "only Google can read it; send the whole conversation"),
        f"{CONFIG}.candidateCount": ((1,), "only one candidate can be made"),
        f"{CONFIG}.responseModalities": ((["TEXT"],), "only text can be made"),
        f"{CONFIG}.continuationToken": ((), "only Google can read it"),
    }
)
"""What would change the meaning, with the values that ask for nothing."""

_TIERS: Mapping[str, str] = MappingProxyType({"standard": "default"})


def decode_request(body: Json) -> tuple[Request, tuple[Loss, ...]]:
    """Return the neutral request and what could not be carried; raises Unprocessable."""
    body = canonical(body)
    config = optional_object(body, CONFIG) or {}
    _refuse_what_changes_the_meaning(body, config)
    thinking = optional_object(config, THINKING, CONFIG) or {}
    budget = _integer(thinking, "thinkingBudget", f"{CONFIG}.{THINKING}")
    shows = shows_thoughts(body)
    request = Request(
        model="",
        messages=(*read_system(body), *read_contents(body.get("contents"))),
        include_usage=True,
        tools=tuple(read_tools(body.get("tools"))),
        tool_choice=read_tool_choice(optional_object(body, "toolConfig")),
        format=_read_format(config),
        reasoning_effort=_read_effort(thinking, budget),
        reasoning_budget=budget if budget is not None and budget > 0 else None,
        reasoning_summary="auto" if shows else None,
        wants_seals=bool(thinking) and budget != 0,
        max_output_tokens=_integer(config, "maxOutputTokens", CONFIG),
        sampling=_read_sampling(config),
        hints=Hints(service_tier=_read_tier(body)),
    )
    return request, unread_losses(_unread(body, config))


def shows_thoughts(body: Json) -> bool:
    """Tell whether the client wants to see thoughts; raises Unprocessable."""
    config = optional_object(canonical(body), CONFIG) or {}
    thinking = optional_object(config, THINKING, CONFIG) or {}
    return optional_bool(thinking, "includeThoughts", f"{CONFIG}.{THINKING}") or False


def _refuse_what_changes_the_meaning(body: Json, config: Json) -> None:
    for path, (harmless, why) in REFUSED.items():
        holder, name = (config if "." in path else body), path.rpartition(".")[2]
        value = holder.get(name)
        if value and value not in harmless:
            raise Unprocessable(f"{path} is not supported for this model: {why}.", param=path)


def _unread(body: Json, config: Json) -> Iterator[str]:
    yield from unread_fields(body, _READ)
    yield from unread_fields(config, _READ_OF_CONFIG, CONFIG)
    if system := optional_object(body, "systemInstruction"):
        yield from unread_of_content(system, "systemInstruction")
    for path, content in objects(body.get("contents"), "contents"):
        yield from unread_of_content(content, path)


def _read_effort(thinking: Json, budget: int | None) -> str | None:
    """A budget of 0 means no thought at all, one of -1 that the model decides."""
    if budget == 0:
        return "none"
    level = optional_text(thinking, "thinkingLevel", f"{CONFIG}.{THINKING}")
    known = level is not None and level.upper() != "THINKING_LEVEL_UNSPECIFIED"
    return level.lower() if level is not None and known else None


def _read_sampling(config: Json) -> Sampling:
    top_k = optional_number(config, "topK", CONFIG)
    return Sampling(
        temperature=optional_number(config, "temperature", CONFIG),
        top_p=optional_number(config, "topP", CONFIG),
        top_k=None if top_k is None else int(top_k),
        presence_penalty=optional_number(config, "presencePenalty", CONFIG),
        frequency_penalty=optional_number(config, "frequencyPenalty", CONFIG),
        seed=_integer(config, "seed", CONFIG),
        stop=_read_stops(config),
    )


def _read_stops(config: Json) -> tuple[str, ...]:
    path = f"{CONFIG}.stopSequences"
    stops = as_list(config.get("stopSequences") or [], path)
    read = (as_text(stop, f"{path}[{index}]") for index, stop in enumerate(stops))
    return tuple(filter(None, read))


def _read_format(config: Json) -> OutputFormat | None:
    kind = optional_text(config, "responseMimeType", CONFIG) or "text/plain"
    schema = _read_schema(config)
    if kind == "text/plain" and schema is None:
        return None
    if kind not in ("application/json", "text/plain"):
        raise wrong_type(f"{CONFIG}.responseMimeType", "text/plain or application/json here")
    if schema is None:
        return OutputFormat("json_object")
    return OutputFormat("json_schema", name="output", schema=schema)


def _read_schema(config: Json) -> Json | None:
    given = config.get("responseJsonSchema")
    if given is not None:
        return as_object(given, f"{CONFIG}.responseJsonSchema")
    schema = optional_object(config, "responseSchema", CONFIG)
    return None if schema is None else json_schema_of(schema, f"{CONFIG}.responseSchema")


def _read_tier(body: Json) -> str | None:
    tier = optional_text(body, "serviceTier")
    return _TIERS.get(tier.lower(), tier.lower()) if tier else None


def _integer(source: Json, name: str, path: str) -> int | None:
    """Return an integer; proto-JSON may write ``40.0`` for it (google-genai does for ``topK``)."""
    value = source.get(name)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return optional_integer(source, name, path)
