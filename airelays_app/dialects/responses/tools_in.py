"""Tools and tool choice of a Responses request."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import (
    objects,
    optional_object,
    optional_text,
    text_field,
    wrong_type,
)
from airelays_app.dialects.openai_fields import read_function
from airelays_app.neutral.request import HostedTool, Tool, ToolChoice

_PLAIN_NAMESPACE = "functions"
"""The group whose tools are called by their names alone (Codex CLI 0.169, seen 2026-11-22)."""


def read_tools(value: Any, path: str, namespace: str | None = None) -> Iterator[Tool | HostedTool]:
    """Yield the tools; the tools inside a ``namespace`` come one by one."""
    if value is None:
        return
    for tool_path, tool in objects(value, path):
        kind = tool.get("type")
        if kind == "namespace":
            name = text_field(tool, "name", tool_path)
            group = None if name == _PLAIN_NAMESPACE else name
            yield from read_tools(tool.get("tools"), f"{tool_path}.tools", group)
        elif kind == "function":
            yield replace(read_function(tool_path, tool), namespace=namespace)
        elif kind == "custom":
            yield replace(_read_custom(tool_path, tool), namespace=namespace)
        else:
            yield HostedTool("responses", tool, tool_path)


def _read_custom(path: str, tool: Json) -> Tool:
    return Tool(
        name=text_field(tool, "name", path),
        description=optional_text(tool, "description", path),
        custom=True,
        format=optional_object(tool, "format", path),
    )


def read_tool_choice(value: Any) -> ToolChoice | None:
    """Return the neutral tool choice; raises Unprocessable for an unknown word."""
    if value is None:
        return None
    if value in ("auto", "none", "required"):
        return ToolChoice(value)
    if not isinstance(value, dict):
        raise wrong_type("tool_choice", "auto, none, required or an object")
    if value.get("type") in ("function", "custom"):
        name = text_field(value, "name", "tool_choice")
        return ToolChoice("named", (name,), custom=value["type"] == "custom", native=value)
    if value.get("type") == "allowed_tools":
        return _read_allowed(value)
    return ToolChoice("auto", native=value)


def _read_allowed(value: Json) -> ToolChoice:
    tools = objects(value.get("tools"), "tool_choice.tools")
    names = tuple(text_field(tool, "name", path) for path, tool in tools)
    return ToolChoice("allowed", names, required=value.get("mode") == "required", native=value)
