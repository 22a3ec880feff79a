"""Sealed reasoning in Chat Completions: ``reasoning_details``, an extension.

OpenRouter made it up and clients that know it send it back as it came (its documentation, seen
2026-11-22); openai-python 3.57 keeps it in the message that it parsed. What is shown of the
reasoning goes as ``reasoning_content``.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.neutral.request import Reasoning
from airelays_app.neutral.seals import Seal, is_packed, opened, pack

FIELD = "reasoning_details"
SHOWN = "reasoning_content"
_NOTHING = Seal("chat", "")


def detail_out(seal: Seal, index: int, *, provider: str) -> Json:
    """Return the entry number ``index`` of a message."""
    return {
        "type": "reasoning.encrypted",
        "id": seal.id,
        "format": "airelays-v1",
        "index": index,
        "data": pack(seal, provider=provider),
    }


def read_reasoning(message: Json) -> Iterator[Reasoning]:
    """Yield what the packed entries of an assistant message seal; others are another's.

    What was shown is one text for all of them here, so the first one has it.
    """
    shown = message.get(SHOWN)
    for entry in _entries(message):
        if _is_ours(entry) and (seal := opened(entry["data"], native=_NOTHING)):
            yield Reasoning(seal.text or (shown if isinstance(shown, str) else ""), seal)
            shown = ""


def without_packed_seals(body: Json) -> Json:
    """Return the body without packed entries; the same object if it has none."""
    messages = body.get("messages")
    if not isinstance(messages, list):
        return body
    kept = [_without_ours(message) for message in messages]
    if all(new is old for new, old in zip(kept, messages, strict=True)):
        return body
    return {**body, "messages": kept}


def _without_ours(message: Any) -> Any:
    if not isinstance(message, dict) or not any(map(_is_ours, _entries(message))):
        return message
    rest = [entry for entry in _entries(message) if not _is_ours(entry)]
    others = {name: value for name, value in message.items() if name != FIELD}
    return {**others, FIELD: rest} if rest else others


def _entries(message: Json) -> Iterable[Any]:
    entries = message.get(FIELD)
    return entries if isinstance(entries, list) else ()


def _is_ours(entry: Any) -> bool:
    return isinstance(entry, dict) and is_packed(entry.get("data"))
