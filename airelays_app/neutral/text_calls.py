"""Free-text tools of a client that reads every call as one of a function.

Cursor 3.14 declares them flat, as no API of Chat Completions has them, and looks for
``function.name`` in each call; the text stands where the arguments would (icebear0828/codex-proxy
707 and 708, seen 2026-11-26). Both directions live here, so that no dialect needs to know.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from airelays_app.neutral.events import Event, PartOpened
from airelays_app.neutral.request import (
    Message,
    Part,
    Request,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)


@dataclass(frozen=True, slots=True)
class TextTools:
    """The names of such tools."""

    names: frozenset[str]

    @classmethod
    def of(cls, request: Request) -> "TextTools":
        """Return those of a request."""
        tools = (tool for tool in request.tools if isinstance(tool, Tool))
        return cls(frozenset(tool.name for tool in tools if tool.called_as_function))

    def recognised(self, request: Request) -> Request:
        """Return the request with these tools' calls, and a choice of one, as of free text."""
        if not self.names:
            return request
        calls = frozenset(
            part.call_id
            for message in request.messages
            for part in message.parts
            if isinstance(part, ToolCall) and part.name in self.names
        )
        return replace(
            request,
            messages=tuple(_told(each, calls) for each in request.messages),
            tool_choice=self._chosen(request.tool_choice),
        )

    def feed(self, events: Iterable[Event]) -> list[Event]:
        """Return the events of a reply with free-text calls of these tools as functions'."""
        return [self._as_function(event) for event in events]

    def _chosen(self, choice: ToolChoice | None) -> ToolChoice | None:
        if choice and choice.mode == "named" and choice.names[0] in self.names:
            return replace(choice, custom=True)
        return choice

    def _as_function(self, event: Event) -> Event:
        if isinstance(event, PartOpened) and event.kind == "custom_call":
            return replace(event, kind="tool_call") if event.name in self.names else event
        return event


def _told(message: Message, calls: frozenset[str]) -> Message:
    return replace(message, parts=tuple(_part(part, calls) for part in message.parts))


def _part(part: Part, calls: frozenset[str]) -> Part:
    if isinstance(part, ToolCall | ToolResult) and part.call_id in calls:
        return replace(part, custom=True)
    return part
