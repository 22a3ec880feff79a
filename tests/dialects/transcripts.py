"""The recorded streams in ``goldens/`` and what each of them means.

``<dialect>/<case>.sse`` is a stream as a server sent it, ``<case>.reply.json`` the reply it makes.
``AIRELAYS_WRITE_GOLDENS=1`` writes the latter anew; read the difference before keeping it.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from airelays_app.dialects import DIALECTS
from airelays_app.framing.sse import SseSplitter
from airelays_app.neutral.events import Event, PartDelta
from airelays_app.neutral.failure import Failure
from airelays_app.neutral.fold import Reply
from airelays_app.upstream.failures import FailureRules, classify_event

GOLDENS = Path(__file__).parent / "goldens"
CASES = [
    (path.parent.name, path.stem) for path in sorted(GOLDENS.glob("*/*.sse"), key=lambda p: p.parts)
]
RULES = FailureRules(
    limit=frozenset({"rate_limit_exceeded", "usage_limit_reached", "resource_exhausted"}),
    client=frozenset({"context_length_exceeded", "exceed_context_size_error"}),
)


def classify(error: Mapping[str, Any]) -> Failure:
    """Classify as the providers do."""
    return classify_event(error, RULES)


def wire_of(dialect: str, case: str) -> bytes:
    """Return the recorded bytes."""
    return (GOLDENS / dialect / f"{case}.sse").read_bytes()


def decode(dialect: str, pieces: list[bytes]) -> list[Event]:
    """Return the events of a whole stream that arrives in ``pieces``."""
    make = DIALECTS[dialect].decoder
    assert make is not None
    decoder, splitter = make(classify), SseSplitter()
    events: list[Event] = []
    for piece in pieces:
        events += decoder.feed(splitter.feed(piece))
    rest = splitter.close()
    return [*events, *decoder.feed([rest] if rest else []), *decoder.close()]


def joined(events: list[Event]) -> list[Event]:
    """Return the events with neighbouring deltas of one part joined."""
    out: list[Event] = []
    for event in events:
        before = out[-1] if out else None
        if (
            isinstance(event, PartDelta)
            and isinstance(before, PartDelta)
            and event.part == before.part
        ):
            out[-1] = PartDelta(event.part, before.text + event.text)
        else:
            out.append(event)
    return out


def summary(reply: Reply) -> dict[str, Any]:
    """Return what matters of a reply, as a JSON reader would see it (half emojis put together)."""
    meaning: dict[str, Any] = json.loads(json.dumps(_summary(reply)))
    return meaning


def _summary(reply: Reply) -> dict[str, Any]:
    return {
        "id": reply.id,
        "model": reply.model,
        "reason": reply.reason,
        "usage": asdict(reply.usage) if reply.usage else None,
        "failure": [reply.failure.kind, reply.failure.code, reply.failure.message]
        if reply.failure
        else None,
        "parts": [
            {
                "kind": part.kind,
                "text": part.text,
                **({"id": part.id} if part.id else {}),
                **({"name": part.name} if part.name else {}),
                **({"seal": part.seal.payload} if part.seal else {}),
                **({"annotations": part.annotations} if part.annotations else {}),
            }
            for part in reply.parts
        ],
    }


def expected(dialect: str, case: str, actual: Reply) -> dict[str, Any]:
    """Return the recorded meaning of a case."""
    path = GOLDENS / dialect / f"{case}.reply.json"
    if os.environ.get("AIRELAYS_WRITE_GOLDENS"):
        path.write_text(json.dumps(summary(actual), indent=1) + "\n")
    meaning: dict[str, Any] = json.loads(path.read_text())
    return meaning
