"""A Messages stream, read into neutral events.

Blocks are told apart by their ``index`` and may be interleaved. Counts are cumulative: those of
``message_start`` hold until ``message_delta`` says otherwise (Anthropic's documentation,
"Streaming messages", seen 2026-11-22). ``ping`` and events of another name mean nothing.
"""

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from airelays_app.dialects.base import Classify, Json
from airelays_app.dialects.call_arguments import NO_ARGUMENTS
from airelays_app.dialects.event_data import named_event
from airelays_app.dialects.messages.citations import annotation_in
from airelays_app.dialects.messages.thinking import DIALECT, REDACTED, native_seal
from airelays_app.dialects.messages.usage import read_usage
from airelays_app.dialects.openai_error import incomplete
from airelays_app.framing.jsontext import JsonTextError, dumps, loads
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

_FINISH_REASONS: dict[str, FinishReason] = {
    "end_turn": "end",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_use",
    "pause_turn": "pause",
    "compaction": "pause",
    "refusal": "content_filter",
}
_KINDS: dict[str, PartKind] = {
    "text": "text",
    "thinking": "reasoning",
    REDACTED: "reasoning",
    "tool_use": "tool_call",
}
_DELTA = b"event: content_block_delta\ndata: "
_TEXTS = {"text": "text", "thinking": "thinking"}
"""Where a block that is whole, or begins with some text, has it."""


class _Block:
    """A block that is being read; ``texts`` is kept only where it is needed at the end."""

    def __init__(self, part: int, start: Json) -> None:
        self.part = part
        self.start = start
        self.kind = str(start.get("type"))
        self.keeps = self.kind not in ("text", "tool_use")
        self.texts: list[str] = []
        self.length = 0
        self.signature: str | None = None


class MessagesDecoder:
    """Reads one stream; ``feed`` raises ValueError, TypeError or their like for nonsense."""

    def __init__(self, classify: Classify) -> None:
        self._classify = classify
        self._out: list[Event] = []
        self._blocks: dict[Any, _Block] = {}
        self._id = ""
        self._count = 0
        self._usage: Json = {}
        self._end: Finished | None = None
        self._refusal = ""
        self._called = False
        self._started = False
        self._ended = False

    def feed(self, blocks: Iterable[bytes]) -> list[Event]:
        """Return what the next SSE blocks mean."""
        self._out = []
        for block in blocks:
            if not (block.startswith(_DELTA) and self._usual_delta(block)):
                self._read(block)
        return self._out

    def _usual_delta(self, block: bytes) -> bool:
        """Take what nearly every block of a stream is, more text of a block that is open.

        The parser ignores the line ends behind the object. Anything else is left for later.
        """
        try:
            event = orjson.loads(block[len(_DELTA) :])
            delta = event["delta"]
            text = delta["text"]
            open_block = self._blocks[event["index"]]
            is_usual = event["type"] == "content_block_delta" and delta["type"] == "text_delta"
        except (LookupError, TypeError, ValueError):
            return False
        if not is_usual or self._ended or open_block.kind != "text":
            return False
        if text.__class__ is not str or not text:
            return False
        open_block.length += len(text)
        self._out.append(PartDelta(open_block.part, text))
        return True

    def _read(self, block: bytes) -> None:
        if self._ended:
            return
        kind, event = named_event(block)
        if handler := _HANDLERS.get(kind):
            handler(self, event)

    def read_body(self, message: Json) -> list[Event]:
        """Return the events of a whole message, or of the error that came in its place."""
        self._out = []
        if message.get("type") == "error":
            self._fail(message)
            return self._out
        self._start({"message": message})
        for index, block in enumerate(message.get("content") or ()):
            self._open({"index": index, "content_block": block})
            self._close({"index": index})
        self._delta_of_message({"delta": {"stop_reason": "end", **message}})
        self._stop(message)
        return self._out

    def close(self) -> list[Event]:
        """Return the failure that is owed if no terminal event came."""
        if self._ended:
            return []
        self._ended = True
        return [Failed(incomplete())]

    def _start(self, event: Json) -> None:
        if self._started:
            return
        self._started = True
        message = event.get("message") or {}
        self._id = str(message.get("id") or "")
        self._out.append(Started(self._id, str(message.get("model") or "")))
        self._see_usage(message.get("usage"))

    def _see_usage(self, usage: Any) -> None:
        if not isinstance(usage, dict):
            return
        self._usage |= {name: value for name, value in usage.items() if value is not None}
        if seen := read_usage(self._usage):
            self._out.append(UsageSeen(seen))

    def _open(self, event: Json) -> None:
        index, start = event.get("index"), event.get("content_block") or {}
        if index in self._blocks:
            return
        self._start({})
        block = self._blocks[index] = _Block(self._count, start)
        self._count += 1
        kind = _KINDS.get(block.kind, "opaque")
        self._called = self._called or kind == "tool_call"
        dialect = DIALECT if kind == "opaque" else None
        id_, name = start.get("id"), start.get("name")
        if kind == "tool_call" and not id_:
            id_ = f"toolu_{self._id}_{block.part}"
        self._out.append(PartOpened(block.part, kind, id_, name, start, dialect))
        self._begin_with(block, start)

    def _begin_with(self, block: _Block, start: Json) -> None:
        """Take what a block brings along at its start: that of a whole message is all there."""
        self._text(block, start.get(_TEXTS.get(block.kind, "")))
        for citation in start.get("citations") or ():
            self._cite(block, citation)
        block.signature = start.get("data" if block.kind == REDACTED else "signature")

    def _delta(self, event: Json) -> None:
        block, delta = self._blocks.get(event.get("index")), event.get("delta") or {}
        if block is None:
            return
        match delta.get("type"):
            case "text_delta":
                self._text(block, delta.get("text"))
            case "thinking_delta":
                self._text(block, delta.get("thinking"))
            case "input_json_delta":
                self._text(block, delta.get("partial_json"))
            case "signature_delta":
                block.signature = delta.get("signature")
            case "citations_delta":
                self._cite(block, delta.get("citation"))

    def _text(self, block: _Block, text: Any) -> None:
        if not text or not isinstance(text, str):
            return
        block.length += len(text)
        if block.keeps:
            block.texts.append(text)
        if block.kind in _KINDS:
            self._out.append(PartDelta(block.part, text))

    def _cite(self, block: _Block, citation: Any) -> None:
        if block.kind == "text" and isinstance(citation, dict):
            annotation = annotation_in(citation, length=block.length)
            self._out.append(Noted(block.part, "annotation", annotation))

    def _close(self, event: Json) -> None:
        block = self._blocks.pop(event.get("index"), None)
        if block is None:
            return
        if block.kind == "tool_use" and not block.length:
            given = block.start.get("input")
            self._text(block, dumps(given).decode() if given else NO_ARGUMENTS)
        if block.kind in ("thinking", REDACTED) and block.signature:
            text = None if block.kind == REDACTED else "".join(block.texts)
            seal = native_seal(str(block.signature), text=text)
            self._out.append(PartSealed(block.part, seal))
        self._out.append(PartClosed(block.part, _whole(block)))

    def _delta_of_message(self, event: Json) -> None:
        delta = event.get("delta") or {}
        self._start({})
        self._see_usage(event.get("usage"))
        reason = delta.get("stop_reason")
        if not reason:
            return
        stop = delta.get("stop_sequence")
        stop = stop if isinstance(stop, str) and stop else None
        self._end = Finished(self._reason(reason, stop), stop)
        details = delta.get("stop_details") or {}
        self._refusal = str(details.get("explanation") or "") if reason == "refusal" else ""

    def _reason(self, reason: Any, stop: str | None) -> FinishReason:
        if stop and reason == "end_turn":  # llama.cpp at a stop sequence (seen 2026-11-25)
            return "stop_sequence"
        return _FINISH_REASONS.get(reason, "tool_use" if self._called else "end")

    def _stop(self, event: Json) -> None:  # noqa: ARG002
        """End the reply; one that never said why it stops is not whole."""
        self._start({})
        self._ended = True
        if self._end is None:
            self._out.append(Failed(incomplete()))
            return
        for index in list(self._blocks):
            self._close({"index": index})
        self._explain_refusal()
        self._out.append(self._end)

    def _explain_refusal(self) -> None:
        """Say why the vendor stopped the model, where all other dialects have a place for it."""
        if self._refusal:
            part = self._count
            self._out += [
                PartOpened(part, "refusal"),
                PartDelta(part, self._refusal),
                PartClosed(part),
            ]

    def _fail(self, event: Json) -> None:
        self._ended = True
        self._out.append(Failed(self._classify(event)))


def _whole(block: _Block) -> Json | None:
    """Return the whole item of an opaque block; its input may have come in pieces."""
    if block.kind in _KINDS:
        return None
    try:
        given = loads("".join(block.texts).encode("utf-8", "surrogatepass"))
    except JsonTextError:  # no piece, or cut off by the token limit
        return block.start
    return {**block.start, "input": given}


_HANDLERS: dict[str, Callable[[MessagesDecoder, Json], None]] = {
    "content_block_delta": MessagesDecoder._delta,
    "content_block_start": MessagesDecoder._open,
    "content_block_stop": MessagesDecoder._close,
    "message_start": MessagesDecoder._start,
    "message_delta": MessagesDecoder._delta_of_message,
    "message_stop": MessagesDecoder._stop,
    "error": MessagesDecoder._fail,
}


def decode_reply(body: Json, classify: Classify) -> list[Event]:
    """Return the events of a buffered message."""
    return MessagesDecoder(classify).read_body(body)
