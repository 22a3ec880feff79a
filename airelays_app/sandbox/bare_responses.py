"""Responses as llama.cpp's server writes them: without all that tells events and items apart.

Seen 2026-11-25 (xllamacpp 2026.10): no event and no item is numbered, a call's arguments have no
event of their own at their end, all items end together, the response repeats nothing of the
request, and an answer that the token limit has cut is ``completed`` like any other.
"""

from collections.abc import Iterable, Iterator
from typing import Any

Event = dict[str, Any]

_NUMBERS = frozenset({"sequence_number", "output_index", "content_index", "summary_index"})
_IN_PROGRESS = ("id", "object", "status")
_KEPT = (*_IN_PROGRESS, "created_at", "completed_at", "model", "output", "usage", "error")


def bare_events(events: Iterable[Event]) -> Iterator[Event]:
    """Yield what is left of a stream."""
    ended: list[Event] = []
    for event in events:
        bare = {name: value for name, value in event.items() if name not in _NUMBERS}
        if event["type"] == "response.output_item.done":
            ended.append(bare)
        elif event["type"] in ("response.completed", "response.incomplete"):
            yield from ended
            yield {"type": "response.completed", "response": bare_response(event["response"])}
        elif event["type"] in ("response.created", "response.in_progress"):
            yield {**bare, "response": _only(event["response"], _IN_PROGRESS)}
        elif event["type"] != "response.function_call_arguments.done":
            yield bare


def bare_response(response: Event) -> Event:
    """Return what is left of a whole response."""
    usage = dict(response.get("usage") or {})
    usage.pop("output_tokens_details", None)
    status = "completed" if response["status"] == "incomplete" else response["status"]
    return {**_only(response, _KEPT), "status": status, "usage": usage}


def _only(response: Event, names: Iterable[str]) -> Event:
    return {name: response[name] for name in names if response.get(name) is not None}
