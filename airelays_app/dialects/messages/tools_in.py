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


def read_tools(value: Any) -> Iterator[Tool | HostedTool]:
    """Yield the tools; one with a type of its own is the vendor's, and so is its schema."""
    if value is None:
        return
    for path, tool in objects(value, "tools"):
        if tool.get("type", "custom") in ("custom", None):
            yield _read_tool(path, tool)
        else:
            yield HostedTool(DIALECT, tool, path)


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
