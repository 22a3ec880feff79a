"""A ``text_completion`` object and its stream, written from neutral values.

Only text has a place here: reasoning and tool calls are left out (no tool is ever offered), and a
refusal ends as ``content_filter``.
"""

from collections.abc import Iterable

from airelays_app.dialects.base import Json, ReplyContext
from airelays_app.dialects.completion_family import DONE, write_usage
from airelays_app.dialects.openai_error import error_body
from airelays_app.framing.jsontext import dumps
from airelays_app.framing.sse import data_block
from airelays_app.neutral.events import (
    Event,
    Failed,
    Finished,
    FinishReason,
    PartClosed,
    PartDelta,
    PartOpened,
    UsageSeen,
)
from airelays_app.neutral.fold import Reply
from airelays_app.neutral.sequence import Turns
from airelays_app.neutral.usage import Usage

_SHOWN = frozenset({"text", "refusal"})


def _finish_reason(reason: FinishReason, *, refused: bool) -> str:
    if refused or reason == "content_filter":
        return "content_filter"
    return "length" if reason == "length" else "stop"


def _object(context: ReplyContext, text: str, finish: str | None) -> Json:
    choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}
    return {
        "id": context.id,
        "object": "text_completion",
        "created": context.created,
        "model": context.model,
        "choices": [choice],
    }


def encode_reply(reply: Reply, context: ReplyContext) -> Json:
    """Return the ``text_completion`` of a whole reply, or the error it broke off with."""
    if reply.failure:
        return error_body(reply.failure)
    text = "".join(part.text for part in reply.parts if part.kind in _SHOWN)
    refused = any(part.kind == "refusal" for part in reply.parts)
    finish = _finish_reason(reply.reason or "end", refused=refused)
    usage = write_usage(reply.usage or Usage())
    return {**_object(context, text, finish), "usage": usage, **context.echo}


def echo(body: Json) -> Json:
    """Return ``metadata``, which this dialect repeats when it was sent."""
    metadata = body.get("metadata")
    return {"metadata": metadata} if metadata is not None else {}


class CompletionsEncoder:
    """Writes one stream."""

    def __init__(self, context: ReplyContext) -> None:
        self._context = context
        self._shown: set[int] = set()
        self._turns = Turns()
        self._refused = False
        self._usage: Usage | None = None

    def feed(self, events: Iterable[Event]) -> bytes:
        """Return the next events as bytes, in one piece."""
        return b"".join([self._encode(event) for event in events])

    def _encode(self, event: Event) -> bytes:
        match event:
            case PartDelta(part=part, text=text) if part in self._shown:
                return self._text(part, text)
            case PartOpened(part=part, kind=kind) if kind in _SHOWN:
                self._shown.add(part)
                self._turns.open(part, "text")
                self._refused = self._refused or kind == "refusal"
            case PartClosed(part=part):
                return self._said(self._turns.close(part))
            case UsageSeen(usage=usage):
                self._usage = usage
            case Finished(reason=reason):
                return self._end(reason)
            case Failed(failure=failure):
                held = self._said(self._turns.give_up())
                return held + data_block(dumps(error_body(failure)))
        return b""

    def _text(self, part: int, text: str) -> bytes:
        if self._turns.may_speak(part):
            return self._chunk(text, None)
        self._turns.hold(part, text)
        return b""

    def _said(self, held: list[tuple[int, str]]) -> bytes:
        return b"".join([self._chunk(text, None) for _, text in held])

    def _chunk(self, text: str, finish: str | None) -> bytes:
        """Return a chunk; the last one repeats what a whole reply would."""
        usage = {"usage": None} if self._context.include_usage else {}
        echo = self._context.echo if finish else {}
        return data_block(dumps({**_object(self._context, text, finish), **usage, **echo}))

    def _end(self, reason: FinishReason) -> bytes:
        last = self._chunk("", _finish_reason(reason, refused=self._refused))
        if not self._context.include_usage:
            return last + DONE
        usage = {"choices": [], "usage": write_usage(self._usage or Usage())}
        return last + data_block(dumps({**_object(self._context, "", None), **usage})) + DONE
