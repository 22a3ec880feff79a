"""The call that the JSON text of a constrained answer stands for, read while it comes."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from airelays_app.ids import fresh_id
from airelays_app.neutral.events import Event, Finished, PartClosed, PartDelta, PartOpened


@dataclass(frozen=True, slots=True)
class CallConstraint:
    """The answer will be the JSON of one call of one of the functions ``names``."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class CallDelta:
    """A piece of the call: ``name`` in the first one only; ``arguments`` is raw JSON text."""

    name: str | None
    arguments: str


class ToolCallStream:
    """Turns the text deltas of a constrained answer into the pieces of the call.

    ``name`` is None until it is known; ``complete`` is true once the arguments have ended.
    """

    _HEAD = re.compile(r'\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*(?=\{)')

    def __init__(self, constraint: CallConstraint) -> None:
        self._constraint = constraint
        self._head = ""
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self.name: str | None = None
        self.complete = False

    def feed(self, delta: str) -> list[CallDelta]:
        """Return the pieces that ``delta`` completes; none, or one."""
        if self.name is not None:
            arguments = self._arguments_in(delta)
            return [CallDelta(None, arguments)] if arguments else []
        self._head += delta
        match = self._HEAD.match(self._head)
        if match is None:
            return []
        name = json.loads(match[1])
        if name not in self._constraint.names:
            return []
        self.name = name
        return [CallDelta(name, self._arguments_in(self._head[match.end() :]))]

    def _arguments_in(self, text: str) -> str:
        """Return the part of ``text`` that belongs to the arguments: up to their last brace."""
        if self.complete:
            return ""
        for position, character in enumerate(text):
            if self._ends_with(character):
                self.complete = True
                return text[: position + 1]
        return text

    def _ends_with(self, character: str) -> bool:
        if self._escaped:
            self._escaped = False
        elif self._in_string:
            self._escaped = character == "\\"
            self._in_string = character != '"'
        elif character == '"':
            self._in_string = True
        elif character in "{[":
            self._depth += 1
        elif character in "}]":
            self._depth -= 1
            return self._depth == 0
        return False


class CallsFromText:
    """Turns the JSON text of a constrained answer into the tool call that it stands for."""

    def __init__(self, constraint: CallConstraint) -> None:
        self._stream = ToolCallStream(constraint)
        self._text_part: int | None = None

    def feed(self, events: Iterable[Event]) -> list[Event]:
        """Return the events with the text part replaced by a call."""
        return [rewritten for event in events for rewritten in self._rewrite(event)]

    def _rewrite(self, event: Event) -> list[Event]:
        match event:
            case PartOpened(kind="text", part=part):
                self._text_part = part
                return []
            case PartDelta(part=part, text=text) if part == self._text_part:
                return self._called(part, text)
            case PartClosed(part=part) if part == self._text_part:
                return [event] if self._stream.name else []
            case Finished(reason="end") if self._stream.name:
                return [Finished("tool_use")]
        return [event]

    def _called(self, part: int, text: str) -> list[Event]:
        out: list[Event] = []
        for delta in self._stream.feed(text):
            if delta.name:
                out.append(PartOpened(part, "tool_call", fresh_id("call"), delta.name))
            if delta.arguments:
                out.append(PartDelta(part, delta.arguments))
        return out
