"""A message object, written from neutral values."""

from typing import Any

from airelays_app.dialects.base import Json, ReplyContext
from airelays_app.dialects.call_arguments import arguments_object
from airelays_app.dialects.messages.citations import citation_out
from airelays_app.dialects.messages.errors import error_body
from airelays_app.dialects.messages.thinking import DIALECT, thinking_block
from airelays_app.dialects.messages.usage import write_usage
from airelays_app.neutral.events import FinishReason
from airelays_app.neutral.fold import Reply, ReplyPart
from airelays_app.neutral.usage import Usage

_STOP_REASONS: dict[FinishReason, str] = {
    "end": "end_turn",
    "length": "max_tokens",
    "tool_use": "tool_use",
    "content_filter": "refusal",
    "stop_sequence": "stop_sequence",
    "pause": "pause_turn",
}
THINKING = ("reasoning", "reasoning_text")
SHOWS_THINKING = "thinking"
"""The field of a context's ``echo`` that says whether the client asked to see thinking."""


def stop_reason(reason: FinishReason, *, refused: bool) -> str:
    """Return ``stop_reason``; what the model refuses in words of its own is a refusal too."""
    return "refusal" if refused and reason == "end" else _STOP_REASONS[reason]


def is_shown(part: ReplyPart, context: ReplyContext) -> bool:
    """Tell whether a part makes a block.

    Thinking does only if it was asked for: clients that did not ask read the first block as the
    answer. Opaque items of another dialect never do.
    """
    if part.kind in THINKING:
        return bool(context.echo.get(SHOWS_THINKING))
    return part.kind != "opaque" or part.dialect == DIALECT


def shows_nothing(part: ReplyPart) -> bool:
    """Tell whether a part is a mere seal: such a one never is the last of several blocks."""
    return part.kind in THINKING and not part.text


def message_object(context: ReplyContext, content: list[Json]) -> Json:
    """Return a message that has not stopped yet."""
    return {
        "id": context.id,
        "type": "message",
        "role": "assistant",
        "model": context.model,
        "content": content,
        "stop_reason": None,
        "stop_sequence": None,
        "usage": write_usage(Usage()),
    }


def encode_reply(reply: Reply, context: ReplyContext) -> Json:
    """Return the message of a whole reply, or the error it broke off with."""
    if reply.failure:
        return error_body(reply.failure, context.request_id)
    refused = any(part.kind == "refusal" for part in reply.parts)
    shown = [part for part in reply.parts if is_shown(part, context)]
    while len(shown) > 1 and shows_nothing(shown[-1]):
        shown.pop()
    message = message_object(context, [content_block(part, context) for part in shown])
    message["stop_reason"] = stop_reason(reply.reason or "end", refused=refused)
    message["stop_sequence"] = reply.stop
    message["usage"] = write_usage(reply.usage or Usage())
    return message


def content_block(part: ReplyPart, context: ReplyContext) -> Json:
    """Return the content block of a whole part."""
    match part.kind:
        case "text" | "refusal":
            return _text_block(part)
        case "reasoning" | "reasoning_text":
            return thinking_block(part.text, part.seal, provider=context.provider)
        case "tool_call" | "custom_call":
            return tool_use_block(part, arguments_object(part.text))
    return dict(part.native or {})


def tool_use_block(part: ReplyPart, input_: Any) -> Json:
    """Return a ``tool_use`` block."""
    return {"type": "tool_use", "id": part.id or "", "name": part.name or "", "input": input_}


def _text_block(part: ReplyPart) -> Json:
    citations = [cited for annotation in part.annotations if (cited := citation_out(annotation))]
    return {"type": "text", "text": part.text, "citations": citations or None}
