"""A Responses stream, read into neutral events.

The stream is trusted for nothing but its order within one part: deltas, ``*.added``, ``*.done``
and the items of the final ``response`` may each be missing, and whatever was not seen before is
taken from what comes last (some servers send ``output: []`` there, others no deltas; seen
2026-11-22). Where events do not say which item they belong to by its index, its id does:
llama.cpp's have no index at all, and end their items only when all of them are whole (seen
2026-11-25).
"""

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from airelays_app.dialects.base import Classify, Json
from airelays_app.dialects.call_arguments import NO_ARGUMENTS
from airelays_app.dialects.event_data import named_event
from airelays_app.dialects.openai_error import incomplete
from airelays_app.dialects.responses.usage import read_usage
from airelays_app.framing.jsontext import dumps
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
_STATUS_BY_EVENT = {"response.incomplete": "incomplete"}
_TEXT_DELTA = b"event: response.output_text.delta\ndata: "
_WHOLE = -1
"""The content index of a part that is a whole item."""

_PartKey = tuple[int, int]


class ResponsesDecoder:
    """Reads one stream; ``feed`` raises ValueError, TypeError or their like for nonsense."""

    def __init__(self, classify: Classify) -> None:
        self._classify = classify
        self._out: list[Event] = []
        self._parts: dict[_PartKey, int] = {}
        self._texted: set[int] = set()
        self._summaries: dict[int, Any] = {}
        self._done: set[Any] = set()
        self._indexes: dict[Any, int] = {}
        self._count = 0
        self._called = False
        self._started = False
        self._ended = False

    def feed(self, blocks: Iterable[bytes]) -> list[Event]:
        """Return what the next SSE blocks mean."""
        self._out = []
        for block in blocks:
            if not (block.startswith(_TEXT_DELTA) and self._usual_delta(block)):
                self._read(block)
        return self._out

    def _usual_delta(self, block: bytes) -> bool:
        """Take what nearly every block of a stream is, more text of a part that has some already.

        The parser ignores the line ends behind the object. Anything else is left for later.
        """
        try:
            event = orjson.loads(block[len(_TEXT_DELTA) :])
            kind, text = event["type"], event["delta"]
            part = self._parts.get((event["output_index"], event["content_index"]))
        except (LookupError, TypeError, ValueError):
            return False
        if part not in self._texted or self._ended or kind != "response.output_text.delta":
            return False
        if text.__class__ is not str or not text:
            return False
        self._out.append(PartDelta(part, text))
        return True

    def _read(self, block: bytes) -> None:
        if self._ended:
            return
        kind, event = named_event(block)
        if handler := _HANDLERS.get(kind):
            handler(self, event)

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
            id_, model = response.get("id") or "", response.get("model") or ""
            self._out.append(Started(str(id_), str(model)))

    def _add_item(self, event: Json) -> None:
        item = event.get("item") or {}
        kind = item.get("type")
        if kind in _CALLS:
            self._open((self._index(event), _WHOLE), _CALLS[kind][0], item)

    def _add_content(self, event: Json) -> None:
        part = event.get("part") or {}
        if part.get("type") in _CONTENT:
            self._open(self._content_key(event), _CONTENT[part["type"]][0], part)

    def _index(self, event: Json) -> int:
        """Return the place of an event's item in the output."""
        index = event.get("output_index")
        if index is not None:
            return int(index)
        id_ = event.get("item_id") or (event.get("item") or {}).get("id")
        return self._indexes.setdefault(id_, len(self._indexes)) if id_ else 0

    def _content_key(self, event: Json) -> _PartKey:
        return self._index(event), event.get("content_index") or 0

    def _open(self, key: _PartKey, kind: PartKind, item: Json) -> int:
        if key in self._parts:
            return self._parts[key]
        self._start({})
        part = self._parts[key] = self._count
        self._count += 1
        is_call = kind in ("tool_call", "custom_call")
        self._called = self._called or is_call
        id_ = item.get("call_id") if is_call else item.get("id")
        dialect = "responses" if kind == "opaque" else None
        self._out.append(PartOpened(part, kind, id_, item.get("name"), item, dialect))
        return part

    def _text_delta(self, event: Json) -> None:
        self._content_delta(event, "text")

    def _refusal_delta(self, event: Json) -> None:
        self._content_delta(event, "refusal")

    def _reasoning_text_delta(self, event: Json) -> None:
        self._content_delta(event, "reasoning_text")

    def _content_delta(self, event: Json, kind: PartKind) -> None:
        key = self._content_key(event)
        part = self._parts.get(key)
        if part is None:
            part = self._open(key, kind, {})
        self._delta(part, event.get("delta"))

    def _call_delta(self, event: Json) -> None:
        part = self._parts.get((self._index(event), _WHOLE))
        if part is not None:
            self._delta(part, event.get("delta"))

    def _summary_part(self, event: Json) -> None:
        """Begin a piece of the summary; a blank line parts it from the one before."""
        part = self._open((self._index(event), _WHOLE), "reasoning", {})
        number = event.get("summary_index") or 0
        if self._summaries.setdefault(part, number) != number:
            self._summaries[part] = number
            if part in self._texted:
                self._delta(part, "\n\n")

    def _summary_delta(self, event: Json) -> None:
        self._summary_part(event)
        self._delta(self._parts[self._index(event), _WHOLE], event.get("delta"))

    def _delta(self, part: int, text: Any) -> None:
        if text and isinstance(text, str):
            self._texted.add(part)
            self._out.append(PartDelta(part, text))

    def _annotate(self, event: Json) -> None:
        part = self._parts.get(self._content_key(event))
        if part is not None:
            self._note(part, event.get("annotation"))

    def _note(self, part: int, annotation: Any) -> None:
        if isinstance(annotation, dict):
            self._out.append(Noted(part, "annotation", annotation))

    def _item_done(self, event: Json) -> None:
        index, item = self._index(event), event.get("item") or {}
        id_ = item.get("id")
        if (id_ or index) not in self._done:
            self._finish_item(index, item)

    def _finish_item(self, index: int, item: Json) -> None:
        self._done |= {index, item.get("id") or index}
        kind = item.get("type") or ""
        if kind == "message":
            self._finish_contents(index, item)
        elif kind in _CALLS:
            self._finish_call(index, item)
        elif kind == "reasoning":
            self._finish_reasoning(index, item)
        else:
            self._finish_part((index, _WHOLE), "opaque", item, "")
        self._close_rest(index)

    def _finish_call(self, index: int, item: Json) -> None:
        kind, field = _CALLS[item["type"]]
        text = _text_of(item.get(field))
        if kind == "tool_call" and item.get("status") != "incomplete":
            text = text or NO_ARGUMENTS
        self._finish_part((index, _WHOLE), kind, item, text)

    def _finish_contents(self, index: int, item: Json) -> None:
        for content_index, content in enumerate(item.get("content") or []):
            if content.get("type") in _CONTENT:
                self._finish_content((index, content_index), content)

    def _finish_content(self, key: _PartKey, content: Json) -> None:
        kind, field = _CONTENT[content["type"]]
        text = _text_of(content.get(field))
        if key not in self._parts:
            part = self._open(key, kind, content)
            self._delta(part, text)
            for annotation in content.get("annotations") or []:
                self._note(part, annotation)
        self._finish_part(key, kind, content, text)

    def _finish_reasoning(self, index: int, item: Json) -> None:
        self._finish_contents(index, item)
        key = (index, _WHOLE)
        pieces = [_text_of(piece.get("text")) for piece in item.get("summary") or []]
        payload = item.get("encrypted_content")
        if not (key in self._parts or pieces or payload):
            return
        part = self._open(key, "reasoning", item)
        if payload:
            self._out.append(PartSealed(part, Seal("responses", str(payload), item.get("id"))))
        self._finish_part(key, "reasoning", item, "\n\n".join(pieces))

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
            if index not in self._done and item.get("id") not in self._done:
                self._finish_item(index, item)
        for index in sorted({index for index, _ in self._parts}):
            self._close_rest(index)
        self._see_usage(response)
        self._ended = True
        self._out.append(self._terminal(event, response))

    def _terminal(self, event: Json, response: Json) -> Event:
        status = response.get("status") or _STATUS_BY_EVENT.get(event.get("type", ""), "completed")
        match status:
            case "failed":
                return Failed(self._classify(event))
            case "incomplete":
                return Finished(_incomplete_reason(response))
            case "completed":
                return Finished("tool_use" if self._called else "end")
        return Failed(incomplete())

    def _fail(self, event: Json) -> None:
        self._start(event)
        self._see_usage(event.get("response") or {})
        self._ended = True
        self._out.append(Failed(self._classify(event)))

    def _see_usage(self, response: Json) -> None:
        if usage := read_usage(response.get("usage")):
            self._out.append(UsageSeen(usage))


def _text_of(value: Any) -> str:
    """Return a text as it is; some servers send a call's arguments as an object."""
    if value is None or isinstance(value, str):
        return value or ""
    return dumps(value).decode()


def _incomplete_reason(response: Json) -> FinishReason:
    details = response.get("incomplete_details") or {}
    return "content_filter" if details.get("reason") == "content_filter" else "length"


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
