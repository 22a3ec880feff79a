"""A reply before it takes the shape of a dialect: parts in order, usage, and how it ends."""

import re
from dataclasses import dataclass
from typing import Any, Literal

_WORDS = re.compile(r"\s*\S+|\s+$")

Ending = Literal["completed", "incomplete", "failed", "error"]


@dataclass(frozen=True, slots=True)
class Text:
    """Visible text, cut into the deltas it is sent in; ``urls`` become citations."""

    deltas: tuple[str, ...]
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal in the model's own words."""

    deltas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A reasoning item and the summary of it; ``redacted``: only its seal may be shown."""

    deltas: tuple[str, ...]
    redacted: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; ``arguments`` is JSON text."""

    name: str
    arguments: str
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class CustomCall:
    """A call of a custom (free text) tool."""

    name: str
    text: str
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Foreign:
    """An item of a type that no client knows yet."""

    item: dict[str, Any]


Part = Text | Refusal | Reasoning | Call | CustomCall | Foreign


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts; ``cached`` are input tokens, ``reasoning`` are output tokens."""

    input_tokens: int
    output_tokens: int
    cached: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the reply ends.

    ``incomplete``: ``code`` is the reason (``max_output_tokens``, ``content_filter``).
    ``failed`` and ``error``: the stream breaks off after ``after`` deltas, for the reason that
    ``code`` and ``message`` give. ``stop`` is the stop sequence that was met.
    """

    ending: Ending = "completed"
    code: str = ""
    message: str = ""
    after: int | None = None
    stop: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply. ``usage`` None is left out; ``noise`` adds events that no client knows."""

    parts: tuple[Part, ...]
    usage: Usage | None
    outcome: Outcome = Outcome()
    noise: Literal["", "after", "before"] = ""


def words(text: str) -> tuple[str, ...]:
    """Cut ``text`` into deltas at words; joined they give the text back.

    >>> words("one two  three")
    ('one', ' two', '  three')
    """
    return tuple(_WORDS.findall(text))


def pieces(text: str, size: int = 12) -> tuple[str, ...]:
    """Cut ``text`` into deltas of ``size`` characters (how arguments and tool input are sent)."""
    return tuple(text[start : start + size] for start in range(0, len(text), size))
