"""A Chat Completions request, read into the neutral request.

Shapes: OpenAI API reference, "Create chat completion" (seen 2026-11-22). Flat tools, the Responses
names of content parts and plain-string image URLs are read too, because clients send them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.chat.foreign_forms import (
    CALL,
    RESULT,
    SYSTEM,
    read_call,
    read_result,
)
from airelays_app.dialects.chat.reasoning import SHOWN, read_reasoning
from airelays_app.dialects.chat.tools_in import read_functions, read_tool_choice, read_tools
from airelays_app.dialects.completion_family import (
    includes_usage,
    read_sampling,
)
from airelays_app.dialects.fields import (
    as_object,
    as_text,
    objects,
    optional_bool,
    optional_integer,
    optional_object,
    optional_text,
    text_field,
    wrong_type,
)
from airelays_app.dialects.file_parts import read_file
from airelays_app.dialects.openai_fields import read_audio, read_hints, read_refusal, read_text
from airelays_app.dialects.unread import unread_fields, unread_losses, unread_of_parts
from airelays_app.errors import Unprocessable
from airelays_app.neutral.losses import Loss
from airelays_app.neutral.request import (
    File,
    Image,
    Message,
    OutputFormat,
    Part,
    Refusal,
    Request,
    Role,
    Text,
    ToolCall,
    ToolResult,
)

ReadPart = Callable[[str, Json], Part]

_READ = frozenset(
    "model messages system instructions stream stream_options tools tool_choice functions "
    "function_call parallel_tool_calls response_format verbosity reasoning_effort "
    "max_completion_tokens max_tokens temperature top_p presence_penalty frequency_penalty seed "
    "stop logit_bias user safety_identifier metadata service_tier prompt_cache_key "
    "prompt_cache_retention n conversation modalities audio prediction logprobs".split()
)
_READ_OF_MESSAGES = frozenset(
    "role content refusal tool_calls function_call tool_call_id reasoning_details".split()
)
_READ_OF_TEXT = frozenset({"type", "text", "cache_control"})
_READ_OF_IMAGES = frozenset({"type", "image_url", "detail", "cache_control"})
_READ_OF_FILES = frozenset("type file filename file_data file_url cache_control".split())
_READ_OF_PARTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "text": _READ_OF_TEXT,
        "input_text": _READ_OF_TEXT,
        "image_url": _READ_OF_IMAGES,
        "input_image": _READ_OF_IMAGES,
        "file": _READ_OF_FILES,
        "input_file": _READ_OF_FILES,
        "input_audio": frozenset({"type", "input_audio"}),
        CALL: frozenset({"type", "id", "name", "input", "cache_control"}),
        RESULT: frozenset({"type", "tool_use_id", "content", "is_error", "cache_control"}),
    }
)
REFUSED: dict[str, tuple[tuple[Any, ...], str]] = {
    "input": ((), "send either messages or input"),
    "n": ((1,), "only one choice can be made"),
    "audio": ((), "no audio can be made"),
    "prediction": ((), "predicted output cannot be carried"),
    "modalities": ((["text"],), "only text can be made"),
}
_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}


def decode_request(body: Json) -> tuple[Request, tuple[Loss, ...]]:
    """Return the neutral request and what could not be carried; raises Unprocessable."""
    _refuse_what_changes_the_meaning(body)
    limit = optional_integer(body, "max_completion_tokens")
    choice = body.get("tool_choice")
    thinks = body.get("reasoning_effort") not in (None, "none")
    request = Request(
        model=text_field(body, "model", ""),
        messages=(*_read_system(body.get(SYSTEM)), *read_messages(body.get("messages"))),
        instructions=optional_text(body, "instructions"),
        stream=optional_bool(body, "stream") or False,
        include_usage=includes_usage(body),
        tools=(*read_tools(body.get("tools")), *read_functions(body.get("functions"))),
        tool_choice=read_tool_choice(body.get("function_call") if choice is None else choice),
        parallel_tool_calls=_read_parallel(body),
        format=_read_format(optional_object(body, "response_format")),
        verbosity=optional_text(body, "verbosity"),
        reasoning_effort=optional_text(body, "reasoning_effort"),
        reasoning_summary="auto" if thinks else None,
        wants_seals=thinks,
        max_output_tokens=optional_integer(body, "max_tokens") if limit is None else limit,
        sampling=read_sampling(body),
        hints=read_hints(body),
    )
    return request, unread_losses(_unread(body))


def _unread(body: Json) -> Iterator[str]:
    yield from unread_fields(body, _READ)
    if body.get("logprobs"):
        yield "logprobs"
    yield from unread_of_parts(body.get(SYSTEM), _READ_OF_PARTS, SYSTEM)
    for path, message in objects(body.get("messages"), "messages"):
        for name, value in message.items():
            if value and name not in _READ_OF_MESSAGES and not _is_read_too(message, name):
                yield f"{path}.{name}"
        yield from unread_of_parts(message.get("content"), _READ_OF_PARTS, f"{path}.content")


def _is_read_too(message: Json, name: str) -> bool:
    """Some fields are read in some messages only.

    The older interface tells by name which function a result is of; what was shown of reasoning
    goes with its seal.
    """
    if name == SHOWN:
        return any(read_reasoning(message))
    return name == "name" and message.get("role") == "function"


def _read_system(value: Any) -> Iterator[Message]:
    if parts := tuple(read_content(value, SYSTEM)):
        yield Message("system", parts)


def read_messages(value: Any) -> Iterator[Message]:
    """Yield the messages; raises Unprocessable."""
    pending_calls: list[str] = []
    for path, raw in objects(value, "messages"):
        role = raw.get("role")
        if not isinstance(role, str) or role not in _ROLES:
            raise wrong_type(f"{path}.role", "one of " + ", ".join(_ROLES))
        yield _READERS[_ROLES[role]](path, raw, pending_calls)


def _refuse_what_changes_the_meaning(body: Json) -> None:
    for name, (harmless, why) in REFUSED.items():
        value = body.get(name)
        if value is not None and value not in harmless:
            raise Unprocessable(f"{name} is not supported for this model: {why}.", param=name)


def _read_parallel(body: Json) -> bool | None:
    """``functions`` is the older interface, which knows one call at a time."""
    if body.get("functions"):
        return False
    return optional_bool(body, "parallel_tool_calls")


def _read_steering(path: str, raw: Json, pending_calls: list[str]) -> Message:  # noqa: ARG001
    parts = tuple(read_content(raw.get("content"), f"{path}.content"))
    return Message(_ROLES[raw["role"]], parts)


def _read_user(path: str, raw: Json, pending_calls: list[str]) -> Message:  # noqa: ARG001
    parts = tuple(read_content(raw.get("content"), f"{path}.content", further=_USERS_PARTS))
    return Message("user", parts)


def _read_assistant(path: str, raw: Json, pending_calls: list[str]) -> Message:
    content = read_content(raw.get("content"), f"{path}.content", further=_ASSISTANTS_PARTS)
    parts: list[Part] = list(content)
    if refusal := optional_text(raw, "refusal", path):
        parts.append(Refusal(refusal))
    calls = list(_read_calls(path, raw))
    pending_calls[:] = [call.call_id for call in calls]
    return Message("assistant", (*read_reasoning(raw), *parts, *calls))


def _read_calls(path: str, raw: Json) -> Iterator[ToolCall]:
    for call_path, call in objects(raw.get("tool_calls") or [], f"{path}.tool_calls"):
        call_id = optional_text(call, "id", call_path)
        kind = "custom" if call.get("type") == "custom" else "function"
        source = call.get(kind)
        inner = as_object(source if source is not None else call, f"{call_path}.{kind}")
        field = "input" if kind == "custom" else "arguments"
        yield ToolCall(
            call_id=call_id or f"call_{call_path.rpartition('[')[2].rstrip(']')}",
            name=text_field(inner, "name", f"{call_path}.{kind}"),
            arguments=optional_text(inner, field, f"{call_path}.{kind}") or "",
            custom=kind == "custom",
        )
    if function_call := optional_object(raw, "function_call", path):
        call_path = f"{path}.function_call"
        name = text_field(function_call, "name", call_path)
        arguments = optional_text(function_call, "arguments", call_path) or ""
        yield ToolCall(call_id=f"call_{name}", name=name, arguments=arguments)


def _read_result(path: str, raw: Json, pending_calls: list[str]) -> Message:
    """A tool message without an id answers the oldest call that is still open."""
    call_id = optional_text(raw, "tool_call_id", path)
    if call_id is None and raw["role"] == "function":
        call_id = f"call_{text_field(raw, 'name', path)}"
    if call_id is None and pending_calls:
        call_id = pending_calls.pop(0)
    if call_id is None:
        raise wrong_type(f"{path}.tool_call_id", "the id of the call that it answers")
    parts = tuple(read_content(raw.get("content"), f"{path}.content"))
    return Message("tool", (ToolResult(call_id, parts),))


_READERS: dict[Role, Callable[[str, Json, list[str]], Message]] = {
    "system": _read_steering,
    "developer": _read_steering,
    "user": _read_user,
    "assistant": _read_assistant,
    "tool": _read_result,
}


def read_content(
    content: Any, path: str, *, further: Mapping[str, ReadPart] = MappingProxyType({})
) -> Iterator[Part]:
    """Yield the parts of a message's content, ``further`` kinds included; null is no part."""
    if content is None:
        return
    if isinstance(content, str):
        yield Text(content)
        return
    if not isinstance(content, list):
        raise wrong_type(path, "a string, null or an array of parts")
    for part_path, part in objects(content, path):
        kind = str(part.get("type"))
        reader = _PART_READERS.get(kind) or further.get(kind)
        if reader is None:
            raise wrong_type(f"{part_path}.type", "one of " + ", ".join(_PART_READERS))
        yield _with_cache_hint(reader(part_path, part), part_path, part)


def _with_cache_hint(read: Part, path: str, part: Json) -> Part:
    """Read a hint as clients give it to OpenRouter (its SDK's documentation, seen 2026-11-25)."""
    cache = optional_object(part, "cache_control", path)
    return replace(read, cache=cache) if cache and isinstance(read, Text | Image | File) else read


def _read_image(path: str, part: Json) -> Part:
    source = part.get("image_url")
    if isinstance(source, str):
        return Image(source, optional_text(part, "detail", path))
    source = as_object(source, f"{path}.image_url")
    url = as_text(source.get("url"), f"{path}.image_url.url")
    return Image(url, optional_text(source, "detail", f"{path}.image_url"))


def _read_file(path: str, part: Json) -> Part:
    if part.get("file") is None:
        return read_file(path, part)
    return read_file(f"{path}.file", as_object(part["file"], f"{path}.file"))


_PART_READERS: dict[str, ReadPart] = {
    "text": read_text,
    "input_text": read_text,
    "output_text": read_text,
    "refusal": read_refusal,
    "image_url": _read_image,
    "input_image": _read_image,
    "file": _read_file,
    "input_file": _read_file,
    "input_audio": read_audio,
}
_ASSISTANTS_PARTS: Mapping[str, ReadPart] = MappingProxyType({CALL: read_call})
_USERS_PARTS: Mapping[str, ReadPart] = MappingProxyType(
    {RESULT: lambda path, block: read_result(path, block, read_content)}
)


def _read_format(raw: Json | None) -> OutputFormat | None:
    if raw is None:
        return None
    kind = raw.get("type")
    if kind == "json_schema":
        schema = as_object(raw.get("json_schema"), "response_format.json_schema")
        path = "response_format.json_schema"
        return OutputFormat(
            "json_schema",
            name=text_field(schema, "name", path),
            schema=as_object(schema.get("schema"), f"{path}.schema"),
            strict=optional_bool(schema, "strict", path),
            description=optional_text(schema, "description", path),
        )
    if kind not in ("text", "json_object"):
        raise wrong_type("response_format.type", "text, json_object or json_schema")
    return OutputFormat(kind)
