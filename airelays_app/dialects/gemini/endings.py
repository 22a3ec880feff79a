"""Why a reply ends: ``finishReason``, and ``blockReason`` where none was begun.

Words: API reference, "FinishReason" and "BlockReason", and google-genai 3.6 (seen 2026-11-25).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.neutral.events import FinishReason
from airelays_app.neutral.failure import Failure

_REASONS: Mapping[str, FinishReason] = MappingProxyType(
    {
        "STOP": "end",
        "MAX_TOKENS": "length",
        "CONTINUATION": "pause",
        **dict.fromkeys(
            "SAFETY RECITATION LANGUAGE BLOCKLIST PROHIBITED_CONTENT SPII OTHER IMAGE_SAFETY "
            "IMAGE_PROHIBITED_CONTENT IMAGE_RECITATION IMAGE_OTHER NO_IMAGE MODEL_ARMOR "
            "ESCALATION".split(),
            "content_filter",
        ),
    }
)
_BROKEN = frozenset(
    "MALFORMED_FUNCTION_CALL UNEXPECTED_TOOL_CALL TOO_MANY_TOOL_CALLS MALFORMED_RESPONSE "
    "MISSING_THOUGHT_SIGNATURE".split()
)
"""The model made nothing that can be used; asked again, it mostly does."""

_WORDS: Mapping[FinishReason, str] = MappingProxyType(
    {
        "end": "STOP",
        "length": "MAX_TOKENS",
        "tool_use": "STOP",
        "content_filter": "SAFETY",
        "stop_sequence": "STOP",
        "pause": "OTHER",
    }
)


def reason_in(word: Any, *, called: bool) -> FinishReason:
    """Return the reason that ``finishReason`` gives; a call ends a turn like anything else."""
    reason = _REASONS.get(word, "end") if isinstance(word, str) else "end"
    return "tool_use" if called and reason == "end" else reason


def reason_out(reason: FinishReason, *, refused: bool) -> str:
    """Return ``finishReason``; what the model refuses in words of its own is ``SAFETY`` too."""
    return "SAFETY" if refused and reason == "end" else _WORDS[reason]


def broken(candidate: Json) -> Failure | None:
    """Return the failure that a candidate's end is; None for any other end."""
    word = candidate.get("finishReason")
    if word not in _BROKEN:
        return None
    said = candidate.get("finishMessage") or "The upstream's model made something unusable."
    return Failure("other", 502, "upstream_error", f"{word}: {said}", code=word.lower())


def block_in(feedback: Json) -> str | None:
    """Return what to say of a prompt that was blocked; None for one that was not."""
    word = feedback.get("blockReason")
    if not isinstance(word, str) or not word:
        return None
    said = feedback.get("blockReasonMessage")
    return str(said) if said else f"The upstream blocked the prompt: {word}."
