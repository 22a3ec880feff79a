"""A ``chat.completion`` object, written from neutral values."""

from typing import Any

from airelays_app.dialects.base import Json, ReplyContext
from airelays_app.dialects.completion_family import write_usage
from airelays_app.dialects.openai_error import error_body
from airelays_app.neutral.events import FinishReason
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
        "logprobs": _logprobs(reply),
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
    reasoning = _text(reply, "reasoning") or _text(reply, "reasoning_text")
    if reasoning:
        message["reasoning_content"] = reasoning
    if annotations := [a for part in reply.parts for a in part.annotations]:
        message["annotations"] = [annotation(raw) for raw in annotations]
    calls = [part for part in reply.parts if part.kind in ("tool_call", "custom_call")]
    if calls and context.legacy_functions:
        message["function_call"] = {"name": calls[0].name or "", "arguments": calls[0].text}
    elif calls:
        message["tool_calls"] = [tool_call(part) for part in calls]
    return message


def _text(reply: Reply, kind: str) -> str | None:
    texts = [part.text for part in reply.parts if part.kind == kind]
    return "".join(texts) if texts else None


def tool_call(part: ReplyPart) -> Json:
    """Return one entry of ``tool_calls``."""
    if part.kind == "custom_call":
        custom = {"name": part.name or "", "input": part.text}
        return {"id": part.id or "", "type": "custom", "custom": custom}
    function = {"name": part.name or "", "arguments": part.text}
    return {"id": part.id or "", "type": "function", "function": function}


def annotation(raw: Any) -> Any:
    """Return an annotation in this dialect's nesting."""
    if not isinstance(raw, dict) or raw.get("type") != "url_citation" or "url_citation" in raw:
        return raw
    citation = {name: value for name, value in raw.items() if name != "type"}
    return {"type": "url_citation", "url_citation": citation}


def _logprobs(reply: Reply) -> Any:
    for part in reply.parts:
        if part.logprobs and isinstance(part.logprobs[0], dict):
            return part.logprobs[0]
    return None
