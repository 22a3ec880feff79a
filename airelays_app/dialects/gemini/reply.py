"""A response object, written from neutral values."""

from collections.abc import Iterator

from airelays_app.dialects.base import Json, ReplyContext
from airelays_app.dialects.call_arguments import arguments_object
from airelays_app.dialects.gemini.endings import reason_out
from airelays_app.dialects.gemini.errors import error_body
from airelays_app.dialects.gemini.grounding import grounding_out
from airelays_app.dialects.gemini.seals import DIALECT, Signing
from airelays_app.dialects.gemini.usage import FIELD, write_usage
from airelays_app.neutral.fold import Reply, ReplyPart
from airelays_app.neutral.usage import Usage

CALLS = ("tool_call", "custom_call")
THOUGHTS = ("reasoning", "reasoning_text")
TEXTS = ("text", "refusal", *THOUGHTS)
"""The kinds of parts whose text goes to the client as it comes."""

SHOWS_THOUGHTS = "includeThoughts"
"""The field of a context's ``echo`` that says whether the client asked to see thoughts."""


def is_shown(part: ReplyPart, context: ReplyContext) -> bool:
    """Tell whether a part is for the client: thoughts if it asked for them, nothing foreign."""
    if part.kind in THOUGHTS:
        return bool(context.echo.get(SHOWS_THOUGHTS))
    return part.kind != "opaque" or part.dialect == DIALECT


def makes_part(part: ReplyPart, context: ReplyContext) -> bool:
    """Tell whether a whole part is one of the answer: an empty text says nothing."""
    return is_shown(part, context) and (bool(part.text) or part.kind not in TEXTS)


def response_object(context: ReplyContext, candidate: Json, usage: Usage | None) -> Json:
    """Return a response with one candidate."""
    counts = {FIELD: write_usage(usage)} if usage else {}
    return {
        "candidates": [{**candidate, "index": 0}],
        **counts,
        "modelVersion": context.model,
        "responseId": context.id,
    }


def content(parts: list[Json]) -> Json:
    """Return a candidate's content."""
    return {"content": {"parts": parts, "role": "model"}}


def encode_reply(reply: Reply, context: ReplyContext) -> Json:
    """Return the response of a whole reply, or the error it broke off with."""
    if reply.failure:
        return error_body(reply.failure)
    parts = list(_parts(reply.parts, context))
    candidate = {**content(parts or [{"text": ""}]), **_sources(reply.parts, context)}
    refused = any(part.kind == "refusal" for part in reply.parts)
    candidate["finishReason"] = reason_out(reply.reason or "end", refused=refused)
    return response_object(context, candidate, reply.usage or Usage())


def written_part(part: ReplyPart) -> Json:
    """Return a whole part."""
    if part.kind in CALLS:
        call: Json = {"id": part.id} if part.id else {}
        call |= {"name": part.name or "", "args": arguments_object(part.text)}
        return {"functionCall": call}
    if part.kind == "opaque":
        return dict(part.native or {})
    return {"text": part.text, "thought": True} if part.kind in THOUGHTS else {"text": part.text}


def _parts(parts: list[ReplyPart], context: ReplyContext) -> Iterator[Json]:
    """Yield the parts, each sealed by what was thought before it."""
    signing = Signing(provider=context.provider)
    for part in parts:
        if part.seal:
            signing.take(part.seal)
        if not makes_part(part, context):
            continue
        if part.kind in THOUGHTS:
            yield written_part(part)
        else:
            yield {**written_part(part), **signing.beside(is_call=part.kind in CALLS)}
    if last := signing.beside():
        yield {"text": "", **last}


def _sources(parts: list[ReplyPart], context: ReplyContext) -> Json:
    shown = [part for part in parts if makes_part(part, context)]
    return grounding_out(
        (number, part.text, annotation)
        for number, part in enumerate(shown)
        for annotation in part.annotations
    )
