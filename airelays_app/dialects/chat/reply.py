"""A ``chat.completion`` object, written from neutral values."""

from airelays_app.dialects.base import Json, ReplyContext
from airelays_app.dialects.chat.annotations import annotations_out
from airelays_app.dialects.chat.reasoning import FIELD, detail_out
from airelays_app.dialects.completion_family import write_usage
from airelays_app.dialects.openai_error import error_body
from airelays_app.neutral.events import FinishReason, PartKind
from airelays_app.neutral.fold import Reply, ReplyPart
from airelays_app.neutral.usage import Usage

_FINISH_REASONS: dict[FinishReason, str] = {
    "end": "stop",
    "stop_sequence": "stop",
    "pause": "stop",
    "length": "length",
    "tool_use": "tool_calls",
    "content_filter": "content_filter",
}


def finish_reason(reason: FinishReason, context: ReplyContext) -> str:
    """Return ``finish_reason``; the older interface says ``function_call``."""
    if reason == "tool_use" and context.legacy_functions:
        return "function_call"
    return _FINISH_REASONS[reason]


def encode_reply(reply: Reply, context: ReplyContext) -> Json:
    """Return the ``chat.completion`` of a whole reply, or the error it broke off with."""
    if reply.failure:
        return error_body(reply.failure)
    choice = {
        "index": 0,
        "message": _message(reply, context),
        "logprobs": None,
        "finish_reason": finish_reason(reply.reason or "end", context),
    }
    return {
        "id": context.id,
        "object": "chat.completion",
        "created": context.created,
        "model": context.model,
        "choices": [choice],
        "usage": write_usage(reply.usage or Usage()),
    }


def _message(reply: Reply, context: ReplyContext) -> Json:
    message: Json = {
        "role": "assistant",
        "content": _text(reply, "text"),
        "refusal": _text(reply, "refusal"),
    }
    if reasoning := _text(reply, "reasoning", "reasoning_text"):
        message["reasoning_content"] = reasoning
    if details := _details(reply, context):
        message[FIELD] = details
    if annotations := annotations_out([a for part in reply.parts for a in part.annotations]):
        message["annotations"] = annotations
    calls = [part for part in reply.parts if part.kind in ("tool_call", "custom_call")]
    if calls and context.legacy_functions:
        message["function_call"] = {"name": calls[0].name or "", "arguments": calls[0].text}
    elif calls:
        message["tool_calls"] = [tool_call(part) for part in calls]
    return message


def _details(reply: Reply, context: ReplyContext) -> list[Json]:
    seals = [part.seal for part in reply.parts if part.seal]
    return [detail_out(seal, i, provider=context.provider) for i, seal in enumerate(seals)]


def _text(reply: Reply, *kinds: PartKind) -> str | None:
    texts = [part.text for part in reply.parts if part.kind in kinds]
    return "".join(texts) if texts else None


def tool_call(part: ReplyPart) -> Json:
    """Return one entry of ``tool_calls``."""
    if part.kind == "custom_call":
        custom = {"name": part.name or "", "input": part.text}
        return {"id": part.id or "", "type": "custom", "custom": custom}
    function = {"name": part.name or "", "arguments": part.text}
    return {"id": part.id or "", "type": "function", "function": function}
