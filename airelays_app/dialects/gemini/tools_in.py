"""Tools and tool choice of a Gemini request."""

from collections.abc import Iterator
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import (
    as_list,
    as_text,
    objects,
    optional_object,
    optional_text,
    text_field,
    wrong_type,
)
from airelays_app.dialects.gemini.schemas_in import json_schema_of
from airelays_app.dialects.gemini.seals import DIALECT
from airelays_app.neutral.request import HostedTool, Tool, ToolChoice

_MODES = ("AUTO", "ANY", "NONE", "VALIDATED")


def read_tools(value: Any) -> Iterator[Tool | HostedTool]:
    """Yield the functions, and what else is offered as tools of the vendor's."""
    if value is None:
        return
    for path, tool in objects(value, "tools"):
        declarations = tool.get("functionDeclarations") or []
        for place, declaration in objects(declarations, f"{path}.functionDeclarations"):
            yield _read_function(place, declaration)
        for name, given in tool.items():
            if name != "functionDeclarations" and given is not None:
                yield HostedTool(DIALECT, {name: given}, f"{path}.{name}")


def _read_function(path: str, declaration: Json) -> Tool:
    """``parametersJsonSchema`` is a JSON schema, ``parameters`` the API's own form of one."""
    parameters = optional_object(declaration, "parametersJsonSchema", path)
    schema = optional_object(declaration, "parameters", path)
    if parameters is None and schema is not None:
        parameters = json_schema_of(schema, f"{path}.parameters")
    return Tool(
        name=text_field(declaration, "name", path),
        description=optional_text(declaration, "description", path),
        parameters=parameters,
    )


def read_tool_choice(tool_config: Json | None) -> ToolChoice | None:
    """Return the neutral tool choice; raises Unprocessable."""
    path = "toolConfig.functionCallingConfig"
    config = optional_object(tool_config or {}, "functionCallingConfig", "toolConfig") or {}
    mode = config.get("mode") or "MODE_UNSPECIFIED"
    names = _read_names(config, f"{path}.allowedFunctionNames")
    match mode:
        case "MODE_UNSPECIFIED":
            return None
        case "AUTO":
            return ToolChoice("auto")
        case "NONE":
            return ToolChoice("none")
        case "ANY" if not names:
            return ToolChoice("required")
        case "ANY" if len(names) == 1:
            return ToolChoice("named", names)
        case "ANY":
            return ToolChoice("allowed", names, required=True)
        case "VALIDATED":
            return ToolChoice("allowed", names) if names else ToolChoice("auto")
    raise wrong_type(f"{path}.mode", " or ".join(_MODES))


def _read_names(config: Json, path: str) -> tuple[str, ...]:
    names = as_list(config.get("allowedFunctionNames") or [], path)
    return tuple(as_text(name, f"{path}[{index}]") for index, name in enumerate(names))
