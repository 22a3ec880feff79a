"""Neutral events, written as a Responses stream: the complete sequence that every client needs.

Which client needs which event was measured on 2026-11-22: the OpenAI SDKs build their answer from
``response.created``, ``*.added`` and ``response.completed``, Codex CLI from
``response.output_item.done`` alone, the Vercel AI SDK from item ids and usage.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from airelays_app.dialects.base import Json, ReplyContext
from airelays_app.dialects.responses.reply import (
    ITEM_PREFIX,
    failed_object,
    finished_object,
    has_item,
    output_item,
    response_object,
    text_content,
)
from airelays_app.framing.jsontext import dumps
from airelays_app.framing.sse import event_block
from airelays_app.neutral.events import (
    Event,
    Failed,
    Finished,
    Noted,
    PartClosed,
    PartDelta,
    PartKind,
    PartOpened,
    PartSealed,
    Started,
    UsageSeen,
)
from airelays_app.neutral.failure import Failure
from airelays_app.neutral.fold import ReplyPart, part_of
from airelays_app.neutral.usage import Usage

_DELTA_EVENTS: dict[PartKind, str] = {
    "text": "response.output_text.delta",
    "refusal": "response.refusal.delta",
    "reasoning": "response.reasoning_summary_text.delta",
    "reasoning_text": "response.reasoning_text.delta",
    "tool_call": "response.function_call_arguments.delta",
    "custom_call": "response.custom_tool_call_input.delta",
}
_IN_CONTENT: dict[PartKind, str] = {
    "text": "output_text",
    "refusal": "refusal",
    "reasoning_text": "reasoning_text",
}


@dataclass(slots=True)
class _OpenItem:
    """An output item that is being streamed; ``prefix`` begins each of its delta events.

    Without a ``prefix`` its text has no place in a stream. ``begun`` turns true when the content
    or summary part that holds its text is announced.
    """

    index: int
    id: str
    part: ReplyPart
    prefix: bytes
    begun: bool = False
    texts: list[str] = field(default_factory=list)


class ResponsesEncoder:
    """Writes one stream; ``response`` is the whole reply once it has ended."""

    def __init__(self, context: ReplyContext) -> None:
        self.response: Json = {}
        self._context = context
        self._sequence = 0
        self._open: dict[int, _OpenItem] = {}
        self._items = 0
        self._output: dict[int, Json] = {}
        self._usage: Usage | None = None
        self._started = False
        self._out: list[bytes] = []

    def feed(self, events: Iterable[Event]) -> bytes:
        """Return the next events as bytes, in one piece."""
        self._out = []
        for event in events:
            if event.__class__ is PartDelta:
                self._delta(event)
            else:
                _HANDLERS[event.__class__](self, event)
        return b"".join(self._out)

    def _delta(self, event: PartDelta) -> None:
        item = self._open.get(event.part)
        if item is None:
            return
        if not item.begun:
            self._begin_text(item)
        item.texts.append(event.text)
        if not item.prefix:
            return
        try:
            text = orjson.dumps(event.text)
        except TypeError:
            text = dumps(event.text)
        self._out.append(b'%b%b,"sequence_number":%d}\n\n' % (item.prefix, text, self._sequence))
        self._sequence += 1

    def _send(self, kind: str, /, **fields: Any) -> None:
        data = {"type": kind, **fields, "sequence_number": self._sequence}
        self._sequence += 1
        self._out.append(event_block(kind.encode(), dumps(data)))

    def _start(self, event: Started) -> None:  # noqa: ARG002
        self._started = True
        response = response_object(self._context, status="in_progress", output=[])
        self._send("response.created", response=response)
        self._send("response.in_progress", response=response)

    def _open_part(self, event: PartOpened) -> None:
        part = part_of(event)
        if not has_item(part):
            return
        item_id = self._context.fresh_id(ITEM_PREFIX[event.kind])
        index = self._items
        self._items += 1
        item = _OpenItem(index, item_id, part, _delta_prefix(event.kind, item_id, index))
        self._open[event.part] = item
        shown = output_item(part, item_id, self._context, status="in_progress")
        if event.kind in _IN_CONTENT:
            shown["content"] = []
        self._send("response.output_item.added", output_index=index, item=shown)
        if event.kind != "reasoning":
            self._begin_text(item)

    def _begin_text(self, item: _OpenItem) -> None:
        """Announce the part that holds the text; reasoning may have no summary at all."""
        item.begun = True
        if item.part.kind in _IN_CONTENT:
            self._send("response.content_part.added", **_place(item), part=_content(item.part, ""))
        elif item.part.kind == "reasoning":
            self._send(
                "response.reasoning_summary_part.added",
                **_place(item, "summary_index"),
                part={"type": "summary_text", "text": ""},
            )

    def _seal(self, event: PartSealed) -> None:
        if item := self._open.get(event.part):
            item.part.seal = event.seal

    def _note(self, event: Noted) -> None:
        item = self._open.get(event.part)
        if item is None or item.part.kind != "text":
            return
        item.part.annotations.append(event.native)
        self._send(
            "response.output_text.annotation.added",
            **_place(item),
            annotation_index=len(item.part.annotations) - 1,
            annotation=event.native,
        )

    def _close_part(self, event: PartClosed) -> None:
        item = self._open.pop(event.part, None)
        if item is None:
            return
        part = item.part
        part.text = "".join(item.texts)
        if part.kind == "opaque":
            part.native = event.native or part.native
        if item.begun:
            for name, fields in _DONE_EVENTS.get(part.kind, _no_done_events)(item):
                self._send(name, **fields)
        done = output_item(part, item.id, self._context)
        self._output[item.index] = done
        self._send("response.output_item.done", output_index=item.index, item=done)

    def _take_usage(self, event: UsageSeen) -> None:
        self._usage = event.usage

    def _finish(self, event: Finished) -> None:
        self.response = finished_object(
            self._context, output=self._whole_output(), reason=event.reason, usage=self._usage
        )
        self._send(f"response.{self.response['status']}", response=self.response)

    def _fail(self, event: Failed) -> None:
        if not self._started:
            self._start(Started(self._context.id, self._context.model))
        self._send("error", **error_fields(event.failure))
        self.response = failed_object(
            self._context, output=self._whole_output(), failure=event.failure, usage=self._usage
        )
        self._send("response.failed", response=self.response)

    def _whole_output(self) -> list[Json]:
        return [self._output[index] for index in sorted(self._output)]


def error_fields(failure: Failure) -> Json:
    """Return the fields of an ``error`` event.

    The flat fields are the documented ones; the nested object is what makes the SDKs raise
    instead of ending quietly (openai-python 3.54 and openai-node 6.49, seen 2026-11-22).
    """
    flat = {"code": failure.code, "message": failure.message, "param": failure.param}
    return {**flat, "error": {**failure.extra, "type": failure.type, **flat}}


def _place(item: _OpenItem, index_name: str = "content_index") -> Json:
    return {"item_id": item.id, "output_index": item.index, index_name: 0}


def _delta_prefix(kind: PartKind, item_id: str, index: int) -> bytes:
    name = _DELTA_EVENTS.get(kind)
    if name is None:
        return b""
    place: Json = {"type": name, "item_id": item_id, "output_index": index}
    if kind in _IN_CONTENT:
        place["content_index"] = 0
    elif kind == "reasoning":
        place["summary_index"] = 0
    if kind == "text":
        place["logprobs"] = []
    return b'event: %b\ndata: %b,"delta":' % (name.encode(), orjson.dumps(place)[:-1])


def _content(part: ReplyPart, text: str) -> Json:
    if part.kind == "text":
        return text_content(text, part.annotations, [])
    return {"type": _IN_CONTENT[part.kind], _text_field(part.kind): text}


def _text_field(kind: PartKind) -> str:
    return "refusal" if kind == "refusal" else "text"


_Done = Iterable[tuple[str, Json]]


def _no_done_events(item: _OpenItem) -> _Done:  # noqa: ARG001
    return ()


def _content_done(item: _OpenItem) -> _Done:
    part = item.part
    name = _DELTA_EVENTS[part.kind].replace(".delta", ".done")
    extra: Json = {"logprobs": []} if part.kind == "text" else {}
    yield name, {**_place(item), _text_field(part.kind): part.text, **extra}
    content = _content(part, part.text)
    yield "response.content_part.done", {**_place(item), "part": content}


def _summary_done(item: _OpenItem) -> _Done:
    place = _place(item, "summary_index")
    text = item.part.text
    yield "response.reasoning_summary_text.done", {**place, "text": text}
    part = {"type": "summary_text", "text": text}
    yield "response.reasoning_summary_part.done", {**place, "part": part}


def _call_done(item: _OpenItem) -> _Done:
    place = {"item_id": item.id, "output_index": item.index}
    if item.part.kind == "custom_call":
        yield "response.custom_tool_call_input.done", {**place, "input": item.part.text}
    else:
        fields = {**place, "name": item.part.name or "", "arguments": item.part.text}
        yield "response.function_call_arguments.done", fields


_DONE_EVENTS: dict[PartKind, Callable[[_OpenItem], _Done]] = {
    "text": _content_done,
    "refusal": _content_done,
    "reasoning_text": _content_done,
    "reasoning": _summary_done,
    "tool_call": _call_done,
    "custom_call": _call_done,
}
_HANDLERS: dict[type, Callable[[ResponsesEncoder, Any], None]] = {
    Started: ResponsesEncoder._start,
    PartOpened: ResponsesEncoder._open_part,
    PartSealed: ResponsesEncoder._seal,
    PartClosed: ResponsesEncoder._close_part,
    Noted: ResponsesEncoder._note,
    UsageSeen: ResponsesEncoder._take_usage,
    Finished: ResponsesEncoder._finish,
    Failed: ResponsesEncoder._fail,
}
