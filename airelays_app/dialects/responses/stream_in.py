"""A Responses stream, read into neutral events.

The stream is trusted for nothing but its order within one part: deltas, ``*.added``, ``*.done``
and the items of the final ``response`` may each be missing, and whatever was not seen before is
taken from what comes last (some servers send ``output: []`` there, others no deltas; seen
2026-11-22).
"""

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from airelays_app.dialects.base import Classify, Json
from airelays_app.dialects.openai_error import incomplete
from airelays_app.dialects.responses.usage import read_usage
from airelays_app.framing.jsontext import JsonTextError, loads
from airelays_app.framing.sse import parse_block
from airelays_app.neutral.events import (
    Event,
    Failed,
    Finished,
    FinishReason,
    Noted,
    PartClosed,
    PartDelta,
    PartKind,
    PartOpened,
    PartSealed,
    Started,
    UsageSeen,
)
from airelays_app.neutral.seals import Seal

_CALLS: dict[str, tuple[PartKind, str]] = {
    "function_call": ("tool_call", "arguments"),
    "custom_tool_call": ("custom_call", "input"),
}
_CONTENT: dict[str, tuple[PartKind, str]] = {
    "output_text": ("text", "text"),
    "refusal": ("refusal", "refusal"),
    "reasoning_text": ("reasoning_text", "text"),
}
_WHOLE = -1
"""The content index of a part that is a whole item."""

_PartKey = tuple[int, int]


class ResponsesDecoder:
    """Reads one stream."""

    def __init__(self, classify: Classify) -> None:
        self._classify = classify
        self._out: list[Event] = []
        self._parts: dict[_PartKey, int] = {}
        self._texted: set[int] = set()
        self._done_items: set[int] = set()
        self._count = 0
        self._summary_index = 0
        self._called = False
        self._started = False
        self._ended = False

    def feed(self, blocks: Iterable[bytes]) -> list[Event]:
        """Return what the next SSE blocks mean."""
        self._out = []
        for block in blocks:
            data = parse_block(block).data
            if data is None or self._ended:
                continue
            event = parse_event(data)
            handler = _HANDLERS.get(event.get("type", ""))
            if handler:
                handler(self, event)
        return self._out

    def read_body(self, response: Json) -> list[Event]:
        """Return the events of a whole response object."""
        self._out = []
        self._start({"response": response})
        self._end({"response": response})
        return self._out

    def close(self) -> list[Event]:
        """Return the failure that is owed if no terminal event came."""
        if self._ended:
            return []
        self._ended = True
        return [Failed(incomplete())]

    def _start(self, event: Json) -> None:
        if not self._started:
            self._started = True
            response = event.get("response") or {}
            self._out.append(Started(str(response.get("id", "")), str(response.get("model", ""))))

    def _add_item(self, event: Json) -> None:
        item, index = event.get("item") or {}, event.get("output_index", 0)
        kind = item.get("type")
        if kind in _CALLS:
            self._open((index, _WHOLE), _CALLS[kind][0], item)
        elif kind == "reasoning":
            self._open((index, _WHOLE), "reasoning", item)

    def _add_content(self, event: Json) -> None:
        part = event.get("part") or {}
        if part.get("type") in _CONTENT:
            key = (event.get("output_index", 0), event.get("content_index", 0))
            self._open(key, _CONTENT[part["type"]][0], part)

    def _open(self, key: _PartKey, kind: PartKind, item: Json) -> int:
        if key in self._parts:
            return self._parts[key]
        self._start({})
        part = self._parts[key] = self._count
        self._count += 1
        is_call = kind in ("tool_call", "custom_call")
        self._called = self._called or is_call
        id_ = item.get("call_id") if is_call else item.get("id")
        self._out.append(PartOpened(part, kind, id_, item.get("name"), item))
        return part

    def _text_delta(self, event: Json) -> None:
        self._content_delta(event, "text")
        if event.get("logprobs"):
            part = self._parts[event.get("output_index", 0), event.get("content_index", 0)]
            self._out.append(Noted("logprobs", event["logprobs"], part))

    def _refusal_delta(self, event: Json) -> None:
        self._content_delta(event, "refusal")

    def _reasoning_text_delta(self, event: Json) -> None:
        self._content_delta(event, "reasoning_text")

    def _content_delta(self, event: Json, kind: PartKind) -> None:
        key = (event.get("output_index", 0), event.get("content_index", 0))
        part = self._parts.get(key)
        if part is None:
            part = self._open(key, kind, {})
        self._delta(part, event.get("delta"))

    def _call_delta(self, event: Json) -> None:
        part = self._parts.get((event.get("output_index", 0), _WHOLE))
        if part is not None:
            self._delta(part, event.get("delta"))

    def _summary_part(self, event: Json) -> None:
        part = self._open((event.get("output_index", 0), _WHOLE), "reasoning", {})
        if part in self._texted:
            self._delta(part, "\n\n")

    def _summary_delta(self, event: Json) -> None:
        part = self._open((event.get("output_index", 0), _WHOLE), "reasoning", {})
        self._delta(part, event.get("delta"))

    def _delta(self, part: int, text: Any) -> None:
        if text and isinstance(text, str):
            self._texted.add(part)
            self._out.append(PartDelta(part, text))

    def _annotate(self, event: Json) -> None:
        key = (event.get("output_index", 0), event.get("content_index", 0))
        if key in self._parts and event.get("annotation"):
            self._out.append(Noted("annotation", event["annotation"], self._parts[key]))

    def _item_done(self, event: Json) -> None:
        self._finish_item(event.get("output_index", 0), event.get("item") or {})

    def _finish_item(self, index: int, item: Json) -> None:
        if index in self._done_items:
            return
        self._done_items.add(index)
        kind = item.get("type", "")
        if kind == "message":
            self._finish_contents(index, item)
        elif kind in _CALLS:
            part_kind, field = _CALLS[kind]
            self._finish_part((index, _WHOLE), part_kind, item, str(item.get(field) or ""))
        elif kind == "reasoning":
            self._finish_reasoning(index, item)
        else:
            self._finish_part((index, _WHOLE), "opaque", item, "")

    def _finish_contents(self, index: int, item: Json) -> None:
        for content_index, content in enumerate(item.get("content") or []):
            if content.get("type") in _CONTENT:
                self._finish_content((index, content_index), content)
        self._close_rest(index)

    def _finish_content(self, key: _PartKey, content: Json) -> None:
        kind, field = _CONTENT[content["type"]]
        text = str(content.get(field) or "")
        if key not in self._parts:
            part = self._open(key, kind, content)
            self._delta(part, text)
            for annotation in content.get("annotations") or []:
                self._out.append(Noted("annotation", annotation, part))
        self._finish_part(key, kind, content, text)

    def _finish_reasoning(self, index: int, item: Json) -> None:
        summary = item.get("summary") or []
        text = "\n\n".join(str(part.get("text", "")) for part in summary)
        part = self._open((index, _WHOLE), "reasoning", item)
        if payload := item.get("encrypted_content"):
            self._out.append(PartSealed(part, Seal("responses", str(payload), item.get("id"))))
        self._finish_part((index, _WHOLE), "reasoning", item, text)
        self._close_rest(index)

    def _finish_part(self, key: _PartKey, kind: PartKind, item: Json, text: str) -> None:
        part = self._open(key, kind, item)
        if part not in self._texted:
            self._delta(part, text)
        self._out.append(PartClosed(part, item))
        del self._parts[key]

    def _close_rest(self, index: int) -> None:
        for key in [key for key in self._parts if key[0] == index]:
            self._out.append(PartClosed(self._parts.pop(key)))

    def _end(self, event: Json) -> None:
        response = event.get("response") or {}
        self._start(event)
        for index, item in enumerate(response.get("output") or []):
            self._finish_item(index, item)
        for index in sorted({index for index, _ in self._parts}):
            self._close_rest(index)
        if usage := read_usage(response.get("usage")):
            self._out.append(UsageSeen(usage))
        self._ended = True
        if response.get("status") == "failed":
            self._out.append(Failed(self._classify(event)))
        else:
            self._out.append(Finished(finish_reason(response, called=self._called)))

    def _fail(self, event: Json) -> None:
        self._ended = True
        self._out.append(Failed(self._classify(event)))


def finish_reason(response: Json, *, called: bool) -> FinishReason:
    """Return why the response ended; ``called`` says whether it holds a tool call."""
    if response.get("status") == "incomplete":
        details = response.get("incomplete_details") or {}
        return "content_filter" if details.get("reason") == "content_filter" else "length"
    return "tool_use" if called else "end"


def parse_event(data: bytes) -> Json:
    """Return the object in an event's data; empty if it is none."""
    try:
        event = orjson.loads(data)
    except orjson.JSONDecodeError:
        try:
            event = loads(data)
        except JsonTextError:
            return {}
    return event if isinstance(event, dict) else {}


_HANDLERS: dict[str, Callable[[ResponsesDecoder, Json], None]] = {
    "response.output_text.delta": ResponsesDecoder._text_delta,
    "response.function_call_arguments.delta": ResponsesDecoder._call_delta,
    "response.custom_tool_call_input.delta": ResponsesDecoder._call_delta,
    "response.reasoning_summary_text.delta": ResponsesDecoder._summary_delta,
    "response.reasoning_text.delta": ResponsesDecoder._reasoning_text_delta,
    "response.refusal.delta": ResponsesDecoder._refusal_delta,
    "response.created": ResponsesDecoder._start,
    "response.in_progress": ResponsesDecoder._start,
    "response.output_item.added": ResponsesDecoder._add_item,
    "response.content_part.added": ResponsesDecoder._add_content,
    "response.reasoning_summary_part.added": ResponsesDecoder._summary_part,
    "response.output_text.annotation.added": ResponsesDecoder._annotate,
    "response.output_item.done": ResponsesDecoder._item_done,
    "response.completed": ResponsesDecoder._end,
    "response.incomplete": ResponsesDecoder._end,
    "response.failed": ResponsesDecoder._fail,
    "error": ResponsesDecoder._fail,
}


def decode_reply(body: Json, classify: Classify) -> list[Event]:
    """Return the events of a buffered response object."""
    return ResponsesDecoder(classify).read_body(body)
