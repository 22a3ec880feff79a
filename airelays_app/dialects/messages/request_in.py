"""A Messages request, read into the neutral request.

Fields: types of anthropic-python 2.14 and what Claude Code 2.1 sends (seen 2026-11-22).
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
    text_field,
    wrong_type,
)
from airelays_app.dialects.messages.blocks_in import read_content, unread_of_blocks
from airelays_app.dialects.messages.tools_in import (
    READ_OF_TOOLS,
    is_own,
    read_tool_choice,
    read_tools,
)
from airelays_app.dialects.unread import unread_fields, unread_losses
from airelays_app.errors import Unprocessable
from airelays_app.neutral.losses import Loss
from airelays_app.neutral.request import (
    Hints,
    Message,
    OutputFormat,
    Request,
    Role,
    Sampling,
    Text,
)

_ROLES: Mapping[str, Role] = MappingProxyType(
    {"user": "user", "assistant": "assistant", "system": "system"}
)
_READ = frozenset(
    "model messages max_tokens system stream tools tool_choice stop_sequences temperature top_p "
    "top_k metadata service_tier thinking output_config output_format cache_control "
    "conversation".split()
)
_READ_WITHIN: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "thinking": frozenset({"type", "budget_tokens", "display"}),
        "output_config": frozenset({"effort", "format"}),
        "metadata": frozenset({"user_id"}),
    }
)
CHANGES_THE_MEANING: Mapping[str, str] = MappingProxyType(
    {
        "mcp_servers": "this model's upstream cannot call them",
        "container": "this model's upstream has none",
    }
)
_FOR_ITS_VENDOR = "x-anthropic-billing-header:"
"""How the system block begins in which Claude Code accounts for itself.

It differs from one conversation to the next, so that no upstream's cache would know the text after
it.
"""

_TIERS: Mapping[str, str] = MappingProxyType({"auto": "auto", "standard_only": "default"})
_THINKING = ("enabled", "adaptive", "between_tools", "disabled")


def decode_request(body: Json) -> tuple[Request, tuple[Loss, ...]]:
    """Return the neutral request and what could not be carried; raises Unprocessable."""
    _refuse_what_changes_the_meaning(body)
    thinking = _read_thinking(body)
    thinks = thinking.get("type") in ("enabled", "adaptive", "between_tools")
    shows = thinks and thinking.get("display") != "omitted"
    config = optional_object(body, "output_config") or {}
    choice, parallel = read_tool_choice(optional_object(body, "tool_choice"))
    losses: list[Loss] = []
    request = Request(
        model=text_field(body, "model", ""),
        messages=(*_read_system(body.get("system"), losses), *read_messages(body.get("messages"))),
        instructions=body["system"] if isinstance(body.get("system"), str) else None,
        stream=optional_bool(body, "stream") or False,
        include_usage=True,
        tools=tuple(read_tools(body.get("tools"))),
        tool_choice=choice,
        parallel_tool_calls=parallel,
        format=_read_format(config, body),
        reasoning_effort=_read_effort(thinking, config),
        reasoning_budget=optional_integer(thinking, "budget_tokens", "thinking"),
        reasoning_summary="auto" if shows else None,
        wants_seals=thinks,
        max_output_tokens=_read_limit(body),
        sampling=Sampling(
            temperature=optional_number(body, "temperature"),
            top_p=optional_number(body, "top_p"),
            top_k=optional_integer(body, "top_k"),
            stop=_read_stops(body),
        ),
        hints=_read_hints(body),
    )
    return request, (*losses, *unread_losses(_unread(body)))


def _unread(body: Json) -> Iterator[str]:
    """Yield the paths of what asks for something and is not read."""
    yield from unread_fields(body, _READ)
    for name, read in _READ_WITHIN.items():
        if isinstance(body.get(name), dict):
            yield from unread_fields(body[name], read, name)
    for path, tool in objects(body.get("tools") or [], "tools"):
        if is_own(tool):
            yield from unread_fields(tool, READ_OF_TOOLS, path)
    yield from unread_of_blocks(body.get("system"), "system")
    for path, message in objects(body.get("messages"), "messages"):
        yield from unread_of_blocks(message.get("content"), f"{path}.content")


def read_messages(value: Any) -> Iterator[Message]:
    """Yield the messages; raises Unprocessable."""
    for path, raw in objects(value, "messages"):
        role = raw.get("role")
        if not isinstance(role, str) or role not in _ROLES:
            raise wrong_type(f"{path}.role", "user, assistant or system")
        others = ("tool_result",) if role == "assistant" else ("tool_use",)
        parts = read_content(raw.get("content"), f"{path}.content", without=others)
        yield Message(_ROLES[role], tuple(parts), in_place=role == "system")


def asks_for_thinking(body: Json) -> bool:
    """Tell whether the client wants to see thinking blocks; raises Unprocessable."""
    return _read_thinking(body).get("type") not in (None, "disabled")


def _refuse_what_changes_the_meaning(body: Json) -> None:
    for name, why in CHANGES_THE_MEANING.items():
        if body.get(name):
            raise Unprocessable(f"{name} is not supported for this model: {why}.", param=name)


def _read_system(value: Any, losses: list[Loss]) -> Iterator[Message]:
    if value is None or isinstance(value, str):
        return
    parts = tuple(read_content(value, "system", without=("tool_use", "tool_result")))
    kept = tuple(part for part in parts if not _is_for_its_vendor(part))
    if len(kept) < len(parts):
        losses.append(Loss("system[0]", "it is accounting that only its vendor reads"))
    yield Message("system", kept)


def _is_for_its_vendor(part: Any) -> bool:
    return isinstance(part, Text) and part.text.startswith(_FOR_ITS_VENDOR)


def _read_thinking(body: Json) -> Json:
    thinking = optional_object(body, "thinking") or {}
    if thinking and thinking.get("type") not in _THINKING:
        raise wrong_type("thinking.type", ", ".join(_THINKING))
    return thinking


def _read_effort(thinking: Json, config: Json) -> str | None:
    effort = optional_text(config, "effort", "output_config")
    return "none" if thinking.get("type") == "disabled" else effort


def _read_limit(body: Json) -> int | None:
    limit = optional_integer(body, "max_tokens")
    if limit is not None and limit < 1:
        raise wrong_type("max_tokens", "at least 1 for this model")
    return limit


def _read_stops(body: Json) -> tuple[str, ...]:
    stops = as_list(body.get("stop_sequences") or [], "stop_sequences")
    return tuple(as_text(stop, f"stop_sequences[{i}]") for i, stop in enumerate(stops))


def _read_format(config: Json, body: Json) -> OutputFormat | None:
    """Read ``output_config.format``, or ``output_format``, its name while it was a beta."""
    path = "output_config.format"
    raw = optional_object(config, "format", "output_config")
    if raw is None:
        path, raw = "output_format", optional_object(body, "output_format")
    if raw is None:
        return None
    if raw.get("type") != "json_schema":
        raise wrong_type(f"{path}.type", "json_schema")
    schema = as_object(raw.get("schema"), f"{path}.schema")
    return OutputFormat("json_schema", "output", schema, strict=_is_strict(schema) or None)


def _is_strict(schema: Any) -> bool:
    """Tell whether a schema is one that strict mode of OpenAI's dialects takes."""
    if isinstance(schema, list):
        return all(map(_is_strict, schema))
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object" and not _is_closed(schema):
        return False
    return all(map(_is_strict, schema.values()))


def _is_closed(schema: Json) -> bool:
    """Tell whether an object has all fields that its schema names, and no others."""
    fields, required = schema.get("properties") or {}, schema.get("required") or []
    if not isinstance(fields, dict) or not isinstance(required, list):
        return False
    names_all = len(required) == len(fields) and all(name in required for name in fields)
    return names_all and schema.get("additionalProperties") is False


def _read_hints(body: Json) -> Hints:
    metadata = optional_object(body, "metadata") or {}
    tier = optional_text(body, "service_tier")
    return Hints(
        user=optional_text(metadata, "user_id", "metadata"),
        service_tier=_TIERS.get(tier, tier) if tier else None,
        cache=optional_object(body, "cache_control"),
    )
