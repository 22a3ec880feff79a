"""Tools and tool choice of a Messages request."""

from collections.abc import Iterator
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import (
    objects,
    optional_bool,
    optional_object,
    optional_text,
    text_field,
    wrong_type,
)
from airelays_app.dialects.messages.thinking import DIALECT
from airelays_app.neutral.request import HostedTool, Tool, ToolChoice

READ_OF_TOOLS = frozenset("type name description input_schema strict cache_control".split())


def read_tools(value: Any) -> Iterator[Tool | HostedTool]:
    """Yield the tools."""
    if value is None:
        return
    for path, tool in objects(value, "tools"):
        yield _read_tool(path, tool) if is_own(tool) else HostedTool(DIALECT, tool, path)


def is_own(tool: Json) -> bool:
    """Tell whether it is the client's own tool: one with another type is the vendor's."""
    return tool.get("type", "custom") in ("custom", None)


def _read_tool(path: str, tool: Json) -> Tool:
    return Tool(
        name=text_field(tool, "name", path),
        description=optional_text(tool, "description", path),
        parameters=optional_object(tool, "input_schema", path),
        strict=optional_bool(tool, "strict", path),
        cache=optional_object(tool, "cache_control", path),
    )


def read_tool_choice(value: Json | None) -> tuple[ToolChoice | None, bool | None]:
    """Return the neutral tool choice and ``parallel_tool_calls``; raises Unprocessable."""
    if value is None:
        return None, None
    disabled = optional_bool(value, "disable_parallel_tool_use", "tool_choice")
    parallel = None if disabled is None else not disabled
    match value.get("type"):
        case "auto":
            return ToolChoice("auto"), parallel
        case "any":
            return ToolChoice("required"), parallel
        case "none":
            return ToolChoice("none"), parallel
        case "tool":
            return ToolChoice("named", (text_field(value, "name", "tool_choice"),)), parallel
    raise wrong_type("tool_choice.type", "auto, any, tool or none")
