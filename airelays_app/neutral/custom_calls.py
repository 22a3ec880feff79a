"""Free-text (custom) tools on an upstream that knows only functions.

The tool is offered as a function with one string, ``input``; what the model then calls is turned
back into a free-text call. Both directions live here, so that no dialect needs to know.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from airelays_app.framing.jsontext import JsonTextError, dumps, loads
from airelays_app.neutral.events import Event, PartClosed, PartDelta, PartOpened
from airelays_app.neutral.request import Message, Part, Request, Tool, ToolCall, ToolResult

_INPUT = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
    "additionalProperties": False,
}


def custom_names(request: Request) -> frozenset[str]:
    """Return the names of the request's free-text tools."""
    return frozenset(tool.name for tool in request.tools if isinstance(tool, Tool) and tool.custom)


def as_functions(request: Request) -> Request:
    """Return the request with each free-text tool and call written as a function.

    Calls of earlier turns are rewritten even if their tool is no longer offered.
    """
    choice = request.tool_choice
    return replace(
        request,
        tools=tuple(_tool(t) if isinstance(t, Tool) else t for t in request.tools),
        messages=tuple(_message(message) for message in request.messages),
        tool_choice=replace(choice, custom=False) if choice else None,
    )


def _tool(tool: Tool) -> Tool:
    if not tool.custom:
        return tool
    description = tool.description or ""
    if tool.format and tool.format.get("type") == "grammar":
        description = f"{description}\n{_grammar_rule(tool.format)}".strip()
    return Tool(tool.name, description, _INPUT, strict=True)


def _grammar_rule(format_: dict[str, Any]) -> str:
    syntax, definition = format_.get("syntax", "formal"), format_.get("definition", "")
    return f"The input must follow this {syntax} grammar:\n{definition}"


def _message(message: Message) -> Message:
    return replace(message, parts=tuple(_part(part) for part in message.parts))


def _part(part: Part) -> Part:
    if isinstance(part, ToolCall) and part.custom:
        arguments = dumps({"input": part.arguments}).decode()
        return ToolCall(part.call_id, part.name, arguments)
    if isinstance(part, ToolResult) and part.custom:
        return replace(part, custom=False)
    return part


class CustomCalls:
    """Turns function calls of the named tools back into free-text calls.

    The text is known only when the arguments are whole, so it comes in one delta.
    """

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._texts: dict[int, list[str]] = {}

    def feed(self, events: Iterable[Event]) -> list[Event]:
        """Return the events, with the named calls rewritten."""
        out: list[Event] = []
        for event in events:
            out += self._rewrite(event)
        return out

    def _rewrite(self, event: Event) -> list[Event]:
        match event:
            case PartOpened(part=part, kind="tool_call", name=name) if name in self._names:
                self._texts[part] = []
                return [PartOpened(part, "custom_call", event.id, name, event.native)]
            case PartDelta(part=part, text=text) if part in self._texts:
                self._texts[part].append(text)
                return []
            case PartClosed(part=part) if part in self._texts:
                text = _input_of("".join(self._texts.pop(part)))
                return [PartDelta(part, text), event] if text else [event]
        return [event]


def _input_of(arguments: str) -> str:
    try:
        value: Any = loads(arguments.encode("utf-8", "surrogatepass"))
    except JsonTextError:
        return arguments
    text = value.get("input") if isinstance(value, dict) else None
    return text if isinstance(text, str) else arguments
