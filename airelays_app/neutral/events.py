"""The vocabulary of a reply while it is being made.

Every upstream stream is decoded into these events and every client stream is encoded from them.
The order is ``Started``, then parts, notes and usage, then exactly one of ``Finished`` and
``Failed``; :mod:`airelays_app.neutral.grammar` states it exactly. Parts are numbered from 0 in
the order in which they open, and several may be open at once.
"""

from dataclasses import dataclass
from typing import Any, Literal

from airelays_app.neutral.failure import Failure
from airelays_app.neutral.seals import Seal
from airelays_app.neutral.usage import Usage

PartKind = Literal[
    "text",
    "refusal",
    "reasoning",
    "reasoning_text",
    "tool_call",
    "custom_call",
    "opaque",
]
FinishReason = Literal["end", "length", "tool_use", "content_filter", "stop_sequence", "pause"]


@dataclass(slots=True)
class Started:
    """The upstream has begun; its id and the model that answers."""

    id: str
    model: str


@dataclass(slots=True)
class PartOpened:
    """A part of the reply begins.

    ``id`` is the ``call_id`` of a call, else the vendor's item id. ``name`` is the tool's name.
    ``native`` is the whole item for an ``opaque`` part, else what its own dialect may want back.
    ``dialect`` is that of an opaque item: no other has a word for it.
    """

    part: int
    kind: PartKind
    id: str | None = None
    name: str | None = None
    native: dict[str, Any] | None = None
    dialect: str | None = None


@dataclass(slots=True)
class PartDelta:
    """More text of a part: visible text, reasoning, or a fragment of a call's raw arguments.

    There is one of these per token, so it is as cheap as a class can be.
    """

    part: int
    text: str


@dataclass(slots=True)
class PartSealed:
    """Opaque state that belongs to a part; the last one wins."""

    part: int
    seal: Seal


@dataclass(slots=True)
class PartClosed:
    """A part is complete; ``native`` is its final form in its own dialect."""

    part: int
    native: dict[str, Any] | None = None


@dataclass(slots=True)
class Noted:
    """Something about an open part that a dialect may show or drop.

    ``native`` of an ``annotation`` is an annotation of the Responses API, which is flat.
    """

    part: int
    kind: Literal["annotation"]
    native: dict[str, Any]


@dataclass(slots=True)
class UsageSeen:
    """Token counts so far; the last one wins."""

    usage: Usage


@dataclass(slots=True)
class Finished:
    """The reply is complete. ``stop`` is the stop sequence that was met, if any."""

    reason: FinishReason
    stop: str | None = None


@dataclass(slots=True)
class Failed:
    """The reply broke off; nothing follows."""

    failure: Failure


Event = (
    Started
    | PartOpened
    | PartDelta
    | PartSealed
    | PartClosed
    | Noted
    | UsageSeen
    | Finished
    | Failed
)
