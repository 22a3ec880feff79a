"""Tools and tool choice, written as a Messages request has them."""

from airelays_app.dialects.base import Json
from airelays_app.dialects.messages.thinking import DIALECT
from airelays_app.neutral.losses import Loss
from airelays_app.neutral.request import HostedTool, Request, Tool, ToolChoice

_NO_PARAMETERS: Json = {"type": "object", "properties": {}}


def encode_tools(request: Request, body: Json, losses: list[Loss]) -> None:
    """Write ``tools`` and ``tool_choice`` into the body."""
    tools = [tool for tool in request.tools if _is_offered(tool, request.tool_choice)]
    losses += [
        Loss(tool.path, "only its own vendor can run it")
        for tool in tools
        if isinstance(tool, HostedTool) and tool.dialect != DIALECT
    ]
    encoded = [block for tool in tools if (block := _encode_tool(tool))]
    if not encoded:
        return
    body["tools"] = encoded
    if choice := _encode_choice(request):
        body["tool_choice"] = choice


def _is_offered(tool: Tool | HostedTool, choice: ToolChoice | None) -> bool:
    """An allowed set is honoured by offering nothing else."""
    if choice is None or choice.mode != "allowed" or isinstance(tool, HostedTool):
        return True
    return tool.name in choice.names


def _encode_tool(tool: Tool | HostedTool) -> Json | None:
    if isinstance(tool, HostedTool):
        return tool.payload if tool.dialect == DIALECT else None
    encoded: Json = {"name": tool.name}
    if tool.description is not None:
        encoded["description"] = tool.description
    encoded["input_schema"] = {"type": "object", **(tool.parameters or _NO_PARAMETERS)}
    if tool.strict:
        encoded["strict"] = True
    if tool.cache:
        encoded["cache_control"] = tool.cache
    return encoded


def _encode_choice(request: Request) -> Json | None:
    """Return the choice; one call at a time is a property of it here."""
    single = request.parallel_tool_calls is False
    choice = request.tool_choice or (ToolChoice("auto") if single else None)
    if choice is None:
        return None
    match choice.mode:
        case "none":
            return {"type": "none"}
        case "named":
            encoded: Json = {"type": "tool", "name": choice.names[0]}
        case "required":
            encoded = {"type": "any"}
        case "allowed":
            encoded = {"type": "any" if choice.required else "auto"}
        case _:
            encoded = {"type": "auto"}
    return {**encoded, "disable_parallel_tool_use": True} if single else encoded


def forces_a_call(request: Request) -> bool:
    """Tell whether the model has no choice but to call a tool."""
    choice = request.tool_choice
    return choice is not None and (choice.mode in ("required", "named") or choice.required)
