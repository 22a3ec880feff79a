"""What a wire is to the load: how it is asked, what the upstream says, what is right."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

ANSWER = (
    "Twenty words are a short answer but they are enough to measure "
    "what one small reply costs in this relay."
)
"""The text of every whole reply."""

MODEL = "burst"
CREATED = 1_795_305_600


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a conversation; ``role`` is ``system``, ``user`` or ``assistant``."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Stream:
    """One streamed reply as SSE blocks; ``first`` is the position of the first delta."""

    blocks: tuple[bytes, ...]
    first: int


@dataclass(frozen=True, slots=True)
class Wire:
    """One dialect.

    ``path`` and ``stream_path`` are where it is spoken, with ``{model}`` where the model stands in
    the path. ``body`` makes a request of a model, of what was said, and of whether a stream is
    wanted. ``stream`` makes the reply that has these deltas, ``whole`` is the one without a stream,
    and ``text_of`` reads that. ``delta`` finds the text of every delta in a stream, ``end`` is what
    the last event of a whole one has in it, and no other.
    """

    path: str
    stream_path: str
    body: Callable[[str, Sequence[Said], bool], Json]
    stream: Callable[[tuple[str, ...]], Stream]
    whole: Json
    text_of: Callable[[Json], str]
    delta: re.Pattern[bytes]
    end: bytes


def deltas(count: int) -> tuple[str, ...]:
    """Return the text of each delta; every one is different, so that order can be checked."""
    return tuple(f" word{number:03d}" for number in range(count))


def encoded(value: Json) -> bytes:
    """Return ``value`` as vendors write JSON: without spaces."""
    return json.dumps(value, separators=(",", ":")).encode()


def named_block(event: Json) -> bytes:
    """Return an event that says its type twice, as Responses and Messages have them."""
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), encoded(event))
