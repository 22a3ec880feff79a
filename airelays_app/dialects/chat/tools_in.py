"""Tools and tool choice of a Chat Completions request, the older ``functions`` included."""

from collections.abc import Iterator
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.chat.foreign_forms import SCHEMA, mode_of, read_tool
from airelays_app.dialects.fields import (
    as_object,
    objects,
    optional_object,
    optional_text,
    text_field,
    wrong_type,
)
from airelays_app.dialects.openai_fields import read_function
from airelays_app.neutral.request import HostedTool, Tool, ToolChoice


def read_tools(value: Any) -> Iterator[Tool | HostedTool]:
    """Yield the tools, nested (``{"function": {...}}``), flat, or as Messages has them."""
    if value is None:
        return
    for path, tool in objects(value, "tools"):
        kind = tool.get("type", "function")
        if SCHEMA in tool:
            yield read_tool(path, tool)
        elif kind == "function":
            nested = tool.get("function")
            inner_path = f"{path}.function" if nested is not None else path
            yield read_function(inner_path, as_object(nested or tool, inner_path))
        elif kind == "custom":
            yield _read_custom(path, tool)
        else:
            raise wrong_type(f"{path}.type", "function or custom")


def read_functions(value: Any) -> Iterator[Tool]:
    """Yield the tools of the older ``functions`` field."""
    for path, function in objects(value or [], "functions"):
        yield read_function(path, function)


def _read_custom(path: str, tool: Json) -> Tool:
    """One that is flat is called as a function: see :mod:`airelays_app.neutral.text_calls`."""
    nested = tool.get("custom")
    path = path if nested is None else f"{path}.custom"
    custom = as_object(nested or tool, path)
    format_ = optional_object(custom, "format", path)
    if format_ and isinstance(format_.get("grammar"), dict):
        format_ = {"type": "grammar", **format_["grammar"]}
    return Tool(
        name=text_field(custom, "name", path),
        description=optional_text(custom, "description", path),
        custom=True,
        format=format_,
        called_as_function=nested is None,
    )


def read_tool_choice(value: Any) -> ToolChoice | None:
    """Return the neutral tool choice; raises Unprocessable for an unknown word."""
    if value is None:
        return None
    if value in ("auto", "none", "required"):
        return ToolChoice(value)
    if not isinstance(value, dict):
        raise wrong_type("tool_choice", "auto, none, required or an object")
    if mode := mode_of(value):
        return ToolChoice(mode)
    if value.get("type") == "allowed_tools":
        return _read_allowed(as_object(value.get("allowed_tools"), "tool_choice.allowed_tools"))
    custom = value.get("type") == "custom"
    inner = value.get("custom" if custom else "function", value)
    name = text_field(as_object(inner, "tool_choice"), "name", "tool_choice")
    return ToolChoice("named", (name,), custom=custom)


def _read_allowed(value: Json) -> ToolChoice:
    path = "tool_choice.allowed_tools.tools"
    names = tuple(
        text_field(as_object(tool.get("function", tool), tool_path), "name", tool_path)
        for tool_path, tool in objects(value.get("tools"), path)
    )
    return ToolChoice("allowed", names, required=value.get("mode") == "required")
