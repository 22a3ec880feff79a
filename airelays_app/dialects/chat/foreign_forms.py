"""What clients put into Chat Completions in the words of Responses or Messages.

Cursor writes tools flat. For models that are called Claude it sends results of tools in user
messages, calls in the content of assistant messages, tools with ``input_schema``, choices of tools
as objects, and the system prompt beside the messages (automazeio/vibeproxy 411,
OhadBaehr/cursor-openrouter-proxy, BerriAI/litellm's litellm/utils.py, seen 2026-11-26). It reads
the calls of the reply as Chat Completions has them.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import (
    as_object,
    optional_bool,
    optional_object,
    optional_text,
    text_field,
)
from airelays_app.framing.jsontext import dumps
from airelays_app.neutral.request import CacheHint, Part, Tool, ToolCall, ToolResult

CALL = "tool_use"
RESULT = "tool_result"
SCHEMA = "input_schema"
SYSTEM = "system"

ReadContent = Callable[[object, str], Iterable[Part]]
Mode = Literal["auto", "none", "required"]
_MODES: Mapping[str, Mode] = MappingProxyType(
    {"auto": "auto", "none": "none", "required": "required", "any": "required"}
)


def is_plain(body: Json) -> bool:
    """Tell whether a server of this API understands a body as it is."""
    if body.get(SYSTEM) or mode_of(body.get("tool_choice")):
        return False
    has_flat = any(map(_is_flat, _objects(body.get("tools"))))
    return not has_flat and not any(map(_has_blocks, _objects(body.get("messages"))))


def _objects(value: Any) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _is_flat(tool: Json) -> bool:
    return "name" in tool and str(tool.get("type")) not in tool


def _has_blocks(message: Json) -> bool:
    return any(part.get("type") in (CALL, RESULT) for part in _objects(message.get("content")))


def mode_of(choice: Any) -> Mode | None:
    """Return what an object says of tools that is a word in this API."""
    return _MODES.get(str(choice.get("type"))) if isinstance(choice, dict) else None


def read_tool(path: str, tool: Json) -> Tool:
    """Return a tool; raises Unprocessable."""
    return Tool(
        name=text_field(tool, "name", path),
        description=optional_text(tool, "description", path),
        parameters=optional_object(tool, SCHEMA, path),
        cache=_cache_of(path, tool),
    )


def read_call(path: str, block: Json) -> ToolCall:
    """Return a call; raises Unprocessable."""
    given = as_object(block.get("input") or {}, f"{path}.input")
    return ToolCall(
        call_id=text_field(block, "id", path),
        name=text_field(block, "name", path),
        arguments=dumps(given).decode(),
        cache=_cache_of(path, block),
    )


def read_result(path: str, block: Json, read_content: ReadContent) -> ToolResult:
    """Return a result, whose content ``read_content`` reads; raises Unprocessable."""
    return ToolResult(
        text_field(block, "tool_use_id", path),
        tuple(read_content(block.get("content"), f"{path}.content")),
        is_error=optional_bool(block, "is_error", path) or False,
        cache=_cache_of(path, block),
    )


def _cache_of(path: str, block: Json) -> CacheHint | None:
    return optional_object(block, "cache_control", path)
