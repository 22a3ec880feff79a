"""Tools and tool choice, written as a Gemini request has them."""

from airelays_app.dialects.base import Json
from airelays_app.dialects.gemini.seals import DIALECT
from airelays_app.neutral.losses import Loss
from airelays_app.neutral.request import HostedTool, Request, Tool, ToolChoice


def encode_tools(request: Request, body: Json, losses: list[Loss]) -> None:
    """Write ``tools`` and ``toolConfig`` into the body."""
    choice = request.tool_choice
    functions = [
        _encode_function(tool)
        for tool in request.tools
        if isinstance(tool, Tool) and (choice is None or choice.allows(tool.name))
    ]
    hosted = [tool for tool in request.tools if isinstance(tool, HostedTool)]
    losses += [
        Loss(tool.path, "only its own vendor can run it")
        for tool in hosted
        if tool.dialect != DIALECT
    ]
    tools: list[Json] = [tool.payload for tool in hosted if tool.dialect == DIALECT]
    if functions:
        tools.insert(0, {"functionDeclarations": functions})
    if tools:
        body["tools"] = tools
    if choice and choice.is_native:
        losses.append(Loss("tool_choice", "only its own vendor can run that tool"))
    elif choice and functions:
        body["toolConfig"] = {"functionCallingConfig": _encode_choice(choice)}
    if functions and request.parallel_tool_calls is False:
        losses.append(Loss("parallel_tool_calls", "this upstream decides it itself"))


def _encode_function(tool: Tool) -> Json:
    encoded: Json = {"name": tool.name}
    if tool.description is not None:
        encoded["description"] = tool.description
    if tool.parameters:
        encoded["parametersJsonSchema"] = tool.parameters
    return encoded


def _encode_choice(choice: ToolChoice) -> Json:
    """Return the choice; an allowed set is all that is offered, so only its mode is left to say."""
    match choice.mode:
        case "none":
            return {"mode": "NONE"}
        case "named":
            return {"mode": "ANY", "allowedFunctionNames": list(choice.names)}
        case "required":
            return {"mode": "ANY"}
        case "allowed":
            return {"mode": "ANY" if choice.required else "AUTO"}
    return {"mode": "AUTO"}
