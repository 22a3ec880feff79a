"""Tool names that an upstream does not take, written otherwise on the way there and back."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from airelays_app.neutral.events import Event, PartOpened
from airelays_app.neutral.request import Message, Part, Request, Tool, ToolCall, ToolChoice

_DIGEST = 8
_LONGEST = 64
_FOREIGN = re.compile(r"[^A-Za-z0-9_-]")


def with_legal_names(request: Request, legal: re.Pattern[str]) -> tuple[Request, Mapping[str, str]]:
    """Return the request with names that are ``legal`` as a whole, and the real ones by those.

    The same name always becomes the same, so that the upstream's cache holds.
    """
    real = {_legal(name): name for name in _names(request) if not legal.fullmatch(name)}
    if not real:
        return request, {}

    def named(name: str) -> str:
        return name if legal.fullmatch(name) else _legal(name)

    choice = request.tool_choice
    return (
        replace(
            request,
            tools=tuple(
                replace(tool, name=named(tool.name)) if isinstance(tool, Tool) else tool
                for tool in request.tools
            ),
            messages=tuple(_message(message, named) for message in request.messages),
            tool_choice=_choice(choice, named) if choice else None,
        ),
        real,
    )


class RealNames:
    """Gives the calls of a reply their real names back."""

    def __init__(self, real: Mapping[str, str]) -> None:
        self._real = real

    def feed(self, events: Iterable[Event]) -> list[Event]:
        """Return the events, each call under its real name."""
        return [self._named(event) if type(event) is PartOpened else event for event in events]

    def _named(self, event: PartOpened) -> PartOpened:
        real = self._real.get(event.name or "")
        return replace(event, name=real) if real else event


def _names(request: Request) -> Iterable[str]:
    yield from (tool.name for tool in request.tools if isinstance(tool, Tool))
    for message in request.messages:
        yield from (part.name for part in message.parts if isinstance(part, ToolCall))


def _legal(name: str) -> str:
    """Return a name that every dialect takes: a letter or ``_``, then those, digits and ``-``."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    plain = _FOREIGN.sub("_", name)
    begun = plain if plain[:1].isalpha() or plain.startswith("_") else f"_{plain}"
    return f"{begun[: _LONGEST - _DIGEST - 1]}_{digest}"


def _message(message: Message, named: Callable[[str], str]) -> Message:
    return replace(message, parts=tuple(_part(part, named) for part in message.parts))


def _part(part: Part, named: Callable[[str], str]) -> Part:
    return replace(part, name=named(part.name)) if isinstance(part, ToolCall) else part


def _choice(choice: ToolChoice, named: Callable[[str], str]) -> ToolChoice:
    return replace(choice, names=tuple(map(named, choice.names)))
