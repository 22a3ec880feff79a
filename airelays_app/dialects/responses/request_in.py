"""A Responses request, read into the neutral request.

Shapes: OpenAI API reference, "Create a model response" (seen 2026-11-22); what Codex CLI 0.169
sends beside it (``namespace`` and ``custom`` tools, ``additional_tools`` items) was recorded on
2026-11-22.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
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
from airelays_app.dialects.file_parts import read_file
from airelays_app.dialects.openai_fields import read_audio, read_hints, read_refusal, read_text
from airelays_app.dialects.responses.tools_in import read_tool_choice, read_tools
from airelays_app.dialects.unread import unread_fields, unread_losses, unread_of_parts
from airelays_app.neutral.losses import Loss
from airelays_app.neutral.request import (
    Hints,
    HostedTool,
    Image,
    Message,
    Opaque,
    OutputFormat,
    Part,
    Reasoning,
    Request,
    Role,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from airelays_app.neutral.seals import Seal, is_packed, opened

DIALECT = "responses"
SEALS = "reasoning.encrypted_content"
"""The entry of ``include`` that asks for reasoning with its seal."""

_ROLES: dict[str, Role] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "developer",
}

_READ = frozenset(
    "model input instructions stream tools tool_choice parallel_tool_calls text reasoning "
    "max_output_tokens temperature top_p user safety_identifier metadata service_tier "
    "prompt_cache_key prompt_cache_retention include conversation store".split()
)
_READ_WITHIN = {
    "reasoning": ("effort", "summary"),
    "text": ("format", "verbosity"),
}
_READ_OF_PARTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "input_text": frozenset({"type", "text"}),
        "input_image": frozenset({"type", "image_url", "detail"}),
        "input_file": frozenset({"type", "filename", "file_data", "file_url"}),
        "input_audio": frozenset({"type", "input_audio"}),
    }
)
_COMPACTION = "compaction"
"""An item that stands for all that was said before it."""

CHANGES_THE_MEANING = {
    "prompt": "this model's upstream keeps no prompt templates; send instructions and input",
}


def decode_request(body: Json) -> tuple[Request, tuple[Loss, ...]]:
    """Return the neutral request and what could not be carried; raises Unprocessable."""
    _refuse_what_changes_the_meaning(body)
    items = list(input_items(body.get("input")))
    tools = (*read_tools(body.get("tools"), "tools"), *_tools_of_items(items))
    reasoning = optional_object(body, "reasoning") or {}
    request = Request(
        model=text_field(body, "model", ""),
        messages=tuple(read_items(items)),
        instructions=optional_text(body, "instructions"),
        stream=optional_bool(body, "stream") or False,
        include_usage=True,
        tools=tools,
        tool_choice=read_tool_choice(body.get("tool_choice")),
        parallel_tool_calls=optional_bool(body, "parallel_tool_calls"),
        format=_read_format(optional_object(body, "text") or {}),
        verbosity=optional_text(optional_object(body, "text") or {}, "verbosity", "text"),
        reasoning_effort=optional_text(reasoning, "effort", "reasoning"),
        reasoning_summary=optional_text(reasoning, "summary", "reasoning"),
        wants_seals=SEALS in (body.get("include") or ()),
        max_output_tokens=optional_integer(body, "max_output_tokens"),
        sampling=Sampling(
            temperature=optional_number(body, "temperature"),
            top_p=optional_number(body, "top_p"),
        ),
        hints=_read_hints(body),
    )
    return request, unread_losses(_unread(body, items))


def _unread(body: Json, items: list[tuple[str, Json]]) -> Iterator[str]:
    yield from unread_fields(body, _READ)
    for name, read in _READ_WITHIN.items():
        if isinstance(body.get(name), dict):
            yield from unread_fields(body[name], read, name)
    for path, item in items:
        for name in ("content", "output"):
            yield from unread_of_parts(item.get(name), _READ_OF_PARTS, f"{path}.{name}")


def input_items(value: Any) -> Iterator[tuple[str, Json]]:
    """Yield the path and the object of each input item, whichever form ``input`` has."""
    if isinstance(value, str):
        yield "input", {"type": "message", "role": "user", "content": value}
    elif isinstance(value, dict):
        yield "input", value
    elif isinstance(value, list):
        yield from objects(value, "input")
    else:
        raise wrong_type("input", "a string, an object or an array of objects")


def read_items(items: list[tuple[str, Json]]) -> Iterator[Message]:
    """Yield the messages that ``items`` (paths and objects) make."""
    for path, item in items:
        kind = item.get("type", "message")
        reader = _ITEM_READERS.get(kind) if isinstance(kind, str) else None
        yield reader(path, item) if reader else _read_unknown_item(path, item)


def without_packed_seals(body: Json) -> Json:
    """Return the body without reasoning items whose seal is packed; the same if it has none."""
    items = body.get("input")
    if not isinstance(items, list) or not any(map(_has_packed_seal, items)):
        return body
    return {**body, "input": [item for item in items if not _has_packed_seal(item)]}


def _has_packed_seal(item: Any) -> bool:
    return isinstance(item, dict) and is_packed(item.get("encrypted_content"))


def _refuse_what_changes_the_meaning(body: Json) -> None:
    for name, why in CHANGES_THE_MEANING.items():
        if body.get(name):
            raise wrong_type(name, f"left out: {why}")


def _tools_of_items(items: list[tuple[str, Json]]) -> tuple[Tool | HostedTool, ...]:
    return tuple(
        tool
        for path, item in items
        if item.get("type") == "additional_tools"
        for tool in read_tools(item.get("tools"), f"{path}.tools")
    )


def _read_message(path: str, item: Json) -> Message:
    role = item.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise wrong_type(f"{path}.role", "one of " + ", ".join(_ROLES))
    return Message(_ROLES[role], tuple(read_content(item.get("content"), f"{path}.content")))


def read_content(content: Any, path: str) -> Iterator[Part]:
    """Yield the parts of a message's or tool result's content."""
    if isinstance(content, str):
        yield Text(content)
        return
    if content is None:
        return
    for part_path, part in objects(content, path):
        kind = part.get("type")
        reader = _PART_READERS.get(kind) if isinstance(kind, str) else None
        yield reader(part_path, part) if reader else Opaque(DIALECT, part, part_path)


def _read_image(path: str, part: Json) -> Part:
    url = part.get("image_url")
    if isinstance(url, dict):
        url = url.get("url")
    return Image(as_text(url, f"{path}.image_url"), optional_text(part, "detail", path))


def _read_reasoning(path: str, item: Json) -> Message:
    summary = item.get("summary") or []
    texts = [text_field(part, "text", part_path) for part_path, part in objects(summary, path)]
    payload = optional_text(item, "encrypted_content", path)
    native = Seal(DIALECT, payload or "", optional_text(item, "id", path))
    seal = opened(payload, native=native) if payload else None
    return Message("assistant", (Reasoning("\n\n".join(texts), seal, item),))


def _read_call(path: str, item: Json) -> Message:
    custom = item["type"] == "custom_tool_call"
    call = ToolCall(
        call_id=text_field(item, "call_id", path),
        name=text_field(item, "name", path),
        arguments=text_field(item, "input" if custom else "arguments", path),
        custom=custom,
        native=item,
        namespace=optional_text(item, "namespace", path),
    )
    return Message("assistant", (call,))


def _read_result(path: str, item: Json) -> Message:
    result = ToolResult(
        call_id=text_field(item, "call_id", path),
        parts=tuple(read_content(item.get("output"), f"{path}.output")),
        custom=item["type"] == "custom_tool_call_output",
        native=item,
    )
    return Message("tool", (result,))


def _read_unknown_item(path: str, item: Json) -> Message:
    essential = item.get("type") == _COMPACTION
    return Message("assistant", (Opaque(DIALECT, item, path, essential=essential),))


def _read_nothing(path: str, item: Json) -> Message:  # noqa: ARG001
    return Message("developer", ())


def _read_format(text: Json) -> OutputFormat | None:
    raw = optional_object(text, "format", "text")
    if raw is None:
        return None
    kind = raw.get("type")
    if kind == "json_schema":
        return OutputFormat(
            "json_schema",
            name=text_field(raw, "name", "text.format"),
            schema=as_object(raw.get("schema"), "text.format.schema"),
            strict=optional_bool(raw, "strict", "text.format"),
            description=optional_text(raw, "description", "text.format"),
        )
    if kind not in ("text", "json_object"):
        raise wrong_type("text.format.type", "text, json_object or json_schema")
    return OutputFormat(kind)


def _read_hints(body: Json) -> Hints:
    include = [as_text(i, "include") for i in as_list(body.get("include") or [], "include")]
    return replace(read_hints(body), include=tuple(include))


_PART_READERS: dict[str, Callable[[str, Json], Part]] = {
    "input_text": read_text,
    "output_text": read_text,
    "text": read_text,
    "refusal": read_refusal,
    "input_image": _read_image,
    "input_file": read_file,
    "input_audio": read_audio,
}
_ITEM_READERS: dict[str, Callable[[str, Json], Message]] = {
    "message": _read_message,
    "reasoning": _read_reasoning,
    "function_call": _read_call,
    "custom_tool_call": _read_call,
    "function_call_output": _read_result,
    "custom_tool_call_output": _read_result,
    "additional_tools": _read_nothing,
}
