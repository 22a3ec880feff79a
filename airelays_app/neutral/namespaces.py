"""Tools that a client groups in namespaces, on an upstream where every name stands alone.

A tool keeps its name; only where another has the same one its namespace is put in front. What the
model then calls is told to the client by namespace and name, without which it knows no such tool
(Codex CLI 0.169, seen 2026-11-25). Both directions live here, so that no dialect needs to know.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from airelays_app.neutral.events import Event, PartOpened
from airelays_app.neutral.request import HostedTool, Message, Part, Request, Tool, ToolCall


@dataclass(frozen=True, slots=True)
class GroupedName:
    """How the client knows a tool."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class FlatNames:
    """The names by which an upstream knows the tools that have a namespace."""

    by_group: Mapping[GroupedName, str] = field(default_factory=dict)

    def flattened(self, request: Request) -> Request:
        """Return the request without namespaces.

        Calls of earlier turns are renamed even if their tool is no longer offered.
        """
        return replace(
            request,
            tools=tuple(self._tool(tool) for tool in request.tools),
            messages=tuple(self._message(message) for message in request.messages),
        )

    def restorer(self) -> "GroupedCalls | None":
        """Return what undoes it in the reply; None where no tool has a namespace."""
        return GroupedCalls(self.by_group) if self.by_group else None

    def _tool(self, tool: Tool | HostedTool) -> Tool | HostedTool:
        if isinstance(tool, HostedTool) or tool.namespace is None:
            return tool
        return replace(tool, name=self._name(tool.namespace, tool.name), namespace=None)

    def _message(self, message: Message) -> Message:
        if not any(isinstance(p, ToolCall) and p.namespace is not None for p in message.parts):
            return message  # nearly all of them, and a history may have thousands
        return replace(message, parts=tuple(self._part(part) for part in message.parts))

    def _part(self, part: Part) -> Part:
        if isinstance(part, ToolCall) and part.namespace is not None:
            return replace(part, name=self._name(part.namespace, part.name), namespace=None)
        return part

    def _name(self, namespace: str, name: str) -> str:
        return self.by_group.get(GroupedName(namespace, name), name)


def flat_names(request: Request) -> FlatNames:
    """Return a name of its own for each of the request's tools that has a namespace."""
    tools = [tool for tool in request.tools if isinstance(tool, Tool)]
    shared = Counter(tool.name for tool in tools)
    return FlatNames(
        {
            GroupedName(tool.namespace, tool.name): (
                tool.name if shared[tool.name] == 1 else f"{tool.namespace}__{tool.name}"
            )
            for tool in tools
            if tool.namespace is not None
        }
    )


class GroupedCalls:
    """Gives the calls of a reply their namespaces back."""

    def __init__(self, by_group: Mapping[GroupedName, str]) -> None:
        self._groups = {flat: group for group, flat in by_group.items()}

    def feed(self, events: Iterable[Event]) -> list[Event]:
        """Return the events, with the names that the client knows."""
        return [self._restored(event) if type(event) is PartOpened else event for event in events]

    def _restored(self, event: PartOpened) -> PartOpened:
        group = self._groups.get(event.name or "")
        if group is None:
            return event
        native = {**(event.native or {}), "namespace": group.namespace}
        return replace(event, name=group.name, native=native)
