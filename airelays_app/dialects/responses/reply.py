"""The Responses object and its output items, written from neutral values."""

from typing import Any

from airelays_app.dialects.base import Json, ReplyContext
from airelays_app.dialects.responses.usage import read_usage, write_usage
from airelays_app.errors import FailureKind
from airelays_app.neutral.events import FinishReason, PartKind
from airelays_app.neutral.failure import Failure
from airelays_app.neutral.fold import Reply, ReplyPart
from airelays_app.neutral.seals import pack
from airelays_app.neutral.usage import Usage

ITEM_PREFIX: dict[PartKind, str] = {
    "text": "msg",
    "refusal": "msg",
    "reasoning": "rs",
    "reasoning_text": "rs",
    "tool_call": "fc",
    "custom_call": "ctc",
    "opaque": "item",
}

_INCOMPLETE: dict[FinishReason, str] = {
    "length": "max_output_tokens",
    "content_filter": "content_filter",
}
_ERROR_CODES: dict[FailureKind, str] = {
    "limit": "rate_limit_exceeded",
    "client": "invalid_prompt",
    "auth": "server_error",
    "other": "server_error",
}

_ECHOED: dict[str, Any] = {
    "instructions": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "temperature": None,
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "max_output_tokens": None,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "service_tier": "default",
    "text": {"format": {"type": "text"}},
    "truncation": "disabled",
    "user": None,
}
_REPEATED_ALWAYS = ("parallel_tool_calls", "tool_choice", "tools")
"""Those without which openai-python's models of a response are incomplete (3.57)."""


def echo(body: Json) -> Json:
    """Return the fields of the client's request that a response repeats."""
    return {
        name: default if body.get(name) is None else body[name] for name, default in _ECHOED.items()
    }


def response_object(context: ReplyContext, *, status: str, output: list[Json]) -> Json:
    """Return a response object without usage, error or details."""
    return {
        "id": context.id,
        "object": "response",
        "created_at": context.created,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": context.model,
        "output": output,
        "store": False,
        "usage": None,
        **context.echo,
    }


def finished_object(
    context: ReplyContext, *, output: list[Json], reason: FinishReason, usage: Usage | None
) -> Json:
    """Return the response object of a reply that ended; ``usage`` is always there."""
    why = _INCOMPLETE.get(reason)
    response = response_object(context, status="incomplete" if why else "completed", output=output)
    response["incomplete_details"] = {"reason": why} if why else None
    response["usage"] = write_usage(usage or Usage())
    return response


def completed(response: Json, context: ReplyContext) -> Json:
    """Return a server's whole response with the fields that clients need but it left out.

    It is the same object if it has them. llama.cpp repeats nothing of the request, and tells no
    details of the output's tokens (seen 2026-11-25).
    """
    if all(name in response for name in _REPEATED_ALWAYS):
        return response
    usage = read_usage(response.get("usage"))
    return {
        **response_object(context, status="completed", output=[]),
        **response,
        "usage": write_usage(usage) if usage else None,
    }


def failed_object(
    context: ReplyContext, *, output: list[Json], failure: Failure, usage: Usage | None = None
) -> Json:
    """Return the response object of a reply that broke off; ``usage`` as far as it is known."""
    response = response_object(context, status="failed", output=output)
    response["error"] = response_error(failure)
    response["usage"] = write_usage(usage) if usage else None
    return response


def response_error(failure: Failure) -> Json:
    """Return ``response.error``; its codes are a closed list, so the class decides."""
    return {"code": _ERROR_CODES[failure.kind], "message": failure.message}


def text_content(text: str, annotations: list[Any], logprobs: list[Any]) -> Json:
    """Return an ``output_text`` part."""
    return {
        "type": "output_text",
        "text": text,
        "annotations": annotations,
        "logprobs": logprobs,
    }


def has_item(part: ReplyPart) -> bool:
    """Tell whether this dialect has an item for ``part``: no opaque one of another dialect has."""
    return part.kind != "opaque" or part.dialect == "responses"


def output_item(
    part: ReplyPart, item_id: str, context: ReplyContext, *, status: str = "completed"
) -> Json:
    """Return the output item that ``part`` makes."""
    match part.kind:
        case "text":
            content = text_content(part.text, part.annotations, [])
        case "refusal":
            content = {"type": "refusal", "refusal": part.text}
        case "reasoning" | "reasoning_text":
            return _reasoning_item(part, item_id, context)
        case "tool_call" | "custom_call":
            return _call_item(part, item_id, status)
        case _:
            return {"id": item_id, **(part.native or {"type": "opaque"})}
    return {
        "id": item_id,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": [content],
    }


def _call_item(part: ReplyPart, item_id: str, status: str) -> Json:
    custom = part.kind == "custom_call"
    namespace = (part.native or {}).get("namespace")
    return {
        "id": item_id,
        "type": "custom_tool_call" if custom else "function_call",
        "status": status,
        "call_id": part.id or item_id,
        "name": part.name or "",
        "input" if custom else "arguments": part.text,
        **({"namespace": namespace} if namespace else {}),
    }


def _reasoning_item(part: ReplyPart, item_id: str, context: ReplyContext) -> Json:
    item: Json = {"id": item_id, "type": "reasoning", "summary": []}
    if part.text and part.kind == "reasoning":
        item["summary"] = [{"type": "summary_text", "text": part.text}]
    elif part.kind == "reasoning_text":
        item["content"] = [{"type": "reasoning_text", "text": part.text}]
    if seal := part.seal:
        native = seal.dialect == "responses"
        item["encrypted_content"] = (
            seal.payload if native else pack(seal, provider=context.provider)
        )
    return item


def output_items(reply: Reply, context: ReplyContext) -> list[Json]:
    """Return the output items of a whole reply."""
    return [
        output_item(part, context.fresh_id(ITEM_PREFIX[part.kind]), context)
        for part in reply.parts
        if has_item(part)
    ]


def encode_reply(reply: Reply, context: ReplyContext) -> Json:
    """Return the response object of a whole reply."""
    output = output_items(reply, context)
    if reply.failure:
        return failed_object(context, output=output, failure=reply.failure, usage=reply.usage)
    return finished_object(context, output=output, reason=reply.reason or "end", usage=reply.usage)
