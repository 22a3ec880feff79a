"""A whole reply from events: buffered is folded stream."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from airelays_app.neutral.events import (
    Event,
    Failed,
    Finished,
    FinishReason,
    Noted,
    PartClosed,
    PartDelta,
    PartKind,
    PartOpened,
    PartSealed,
    Started,
    UsageSeen,
)
from airelays_app.neutral.failure import Failure
from airelays_app.neutral.seals import Seal
from airelays_app.neutral.usage import Usage


@dataclass(slots=True)
class ReplyPart:
    """One part of a reply with all of its text."""

    kind: PartKind
    text: str = ""
    id: str | None = None
    name: str | None = None
    seal: Seal | None = None
    native: dict[str, Any] | None = None
    dialect: str | None = None
    annotations: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Reply:
    """A whole reply; ``failure`` is set when it broke off."""

    id: str = ""
    model: str = ""
    parts: list[ReplyPart] = field(default_factory=list)
    usage: Usage | None = None
    reason: FinishReason | None = None
    stop: str | None = None
    failure: Failure | None = None


class Fold:
    """Collects events into a reply; text is joined once, at the end."""

    def __init__(self) -> None:
        self._reply = Reply()
        self._texts: list[list[str]] = []

    def feed(self, events: Iterable[Event]) -> None:
        """Take the next events."""
        for event in events:
            self._take(event)

    def reply(self) -> Reply:
        """Return what has come so far."""
        for part, texts in zip(self._reply.parts, self._texts, strict=True):
            part.text = "".join(texts)
        return self._reply

    def _take(self, event: Event) -> None:
        reply = self._reply
        match event:
            case PartDelta(part=part, text=text):
                self._texts[part].append(text)
            case PartOpened():
                reply.parts.append(part_of(event))
                self._texts.append([])
            case PartSealed(part=part, seal=seal):
                reply.parts[part].seal = seal
            case PartClosed(part=part, native=native):
                reply.parts[part].native = native or reply.parts[part].native
            case Noted(part=part, native=native):
                reply.parts[part].annotations.append(native)
            case Started(id=id_, model=model):
                reply.id, reply.model = id_, model
            case UsageSeen(usage=usage):
                reply.usage = usage
            case Finished(reason=reason, stop=stop):
                reply.reason, reply.stop = reason, stop
            case Failed(failure=failure):
                reply.failure = failure


def part_of(event: PartOpened) -> ReplyPart:
    """Return the part that ``event`` opens, still without text."""
    return ReplyPart(
        event.kind, id=event.id, name=event.name, native=event.native, dialect=event.dialect
    )
