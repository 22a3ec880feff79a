"""Events as SSE frames."""

from collections.abc import Iterable, Iterator
from typing import Any

from airelays_app.sandbox import wire_json
from airelays_app.sandbox.plan import Frame

DONE = Frame("terminal", b"data: [DONE]\n\n")

_TERMINAL_TYPES = frozenset(
    {"response.completed", "response.incomplete", "response.failed", "error"}
)


def responses_frames(events: Iterable[dict[str, Any]], *, event_lines: bool) -> Iterator[Frame]:
    """Frame Responses events, with or without ``event:`` lines."""
    for event in events:
        kind = event["type"]
        name = b"event: " + kind.encode() + b"\n" if event_lines else b""
        data = name + b"data: " + wire_json.dumps(event) + b"\n\n"
        if kind.endswith(".delta"):
            yield Frame("delta", data)
        else:
            yield Frame("terminal" if kind in _TERMINAL_TYPES else "other", data)


def chunk_frame(chunk: dict[str, Any]) -> Frame:
    """Frame a chat or completions chunk: terminal once it has a finish reason, or no choices."""
    data = b"data: " + wire_json.dumps(chunk) + b"\n\n"
    choices = chunk.get("choices")
    if not choices or any(choice.get("finish_reason") for choice in choices):
        return Frame("terminal", data)
    speaks = any(choice.get("text") or _says(choice.get("delta") or {}) for choice in choices)
    return Frame("delta" if speaks else "other", data)


def _says(delta: dict[str, Any]) -> bool:
    return any(value for key, value in delta.items() if key != "role")
