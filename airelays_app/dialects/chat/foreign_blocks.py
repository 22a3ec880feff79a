"""Blocks of Messages that clients put into Chat Completions.

Cursor does so for models that are called Claude: results of tools in user messages, calls in the
content of assistant messages, tools with ``input_schema`` (automazeio/vibeproxy 411, seen
2026-11-26). It reads the calls of the reply as Chat Completions has them.
"""

from collections.abc import Callable, Iterable

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import (
    as_object,
    optional_bool,
    optional_object,
    optional_text,
    text_field,
)
from airelays_app.framing.jsontext import dumps
from airelays_app.neutral.request import Part, Tool, ToolCall, ToolResult

CALL = "tool_use"
RESULT = "tool_result"
SCHEMA = "input_schema"

ReadContent = Callable[[object, str], Iterable[Part]]


def read_tool(path: str, tool: Json) -> Tool:
    """Return a tool; raises Unprocessable."""
    return Tool(
        name=text_field(tool, "name", path),
        description=optional_text(tool, "description", path),
        parameters=optional_object(tool, SCHEMA, path),
    )


def read_call(path: str, block: Json) -> ToolCall:
    """Return a call; raises Unprocessable."""
    given = as_object(block.get("input") or {}, f"{path}.input")
    return ToolCall(
        call_id=text_field(block, "id", path),
        name=text_field(block, "name", path),
        arguments=dumps(given).decode(),
    )


def read_result(path: str, block: Json, read_content: ReadContent) -> ToolResult:
    """Return a result, whose content ``read_content`` reads; raises Unprocessable."""
    return ToolResult(
        text_field(block, "tool_use_id", path),
        tuple(read_content(block.get("content"), f"{path}.content")),
        is_error=optional_bool(block, "is_error", path) or False,
    )
