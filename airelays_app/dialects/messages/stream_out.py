"""Neutral events, written as a Messages stream.

Every event has its ``event:`` line and every block its start and stop: without them Claude Code
2.1 asks again without a stream, or ends its turn (measured 2026-11-22). One block is open at a
time, and ``message_delta`` has all the counts, because most upstreams tell them at the end only.
A seal that shows nothing waits for the block that follows it, and is lost if none does: no message
ends in thinking, and Claude Code 2.1 takes the last block for the answer (seen 2026-11-25).
"""

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from airelays_app.dialects.base import Json, ReplyContext
from airelays_app.dialects.messages.citations import citation_out
from airelays_app.dialects.messages.errors import error_body
from airelays_app.dialects.messages.reply import (
    THINKING,
    is_shown,
    message_object,
    shows_nothing,
    stop_reason,
    tool_use_block,
)
from airelays_app.dialects.messages.thinking import REDACTED, is_redacted, signature_of
from airelays_app.dialects.messages.usage import write_usage
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
from airelays_app.neutral.fold import ReplyPart, part_of
from airelays_app.neutral.sequence import OneAtATime
from airelays_app.neutral.usage import Usage

PING = event_block(b"ping", b'{"type": "ping"}')

_DELTAS: dict[PartKind, tuple[str, str]] = {
    "text": ("text_delta", "text"),
    "refusal": ("text_delta", "text"),
    "reasoning": ("thinking_delta", "thinking"),
    "reasoning_text": ("thinking_delta", "thinking"),
    "tool_call": ("input_json_delta", "partial_json"),
    "custom_call": ("input_json_delta", "partial_json"),
}


class MessagesEncoder:
    """Writes one stream.

    The deltas of one block differ in their text only, so what surrounds it is written once.
    """

    def __init__(self, context: ReplyContext) -> None:
        self._context = context
        self._sequence = OneAtATime()
        self._out: list[bytes] = []
        self._index = -1
        self._block: _Block | None = None
        self._waiting: list[_Block] = []
        self._refused = False
        self._usage: Usage | None = None

    def feed(self, events: Iterable[Event]) -> bytes:
        """Return the next events as bytes, in one piece."""
        self._out = []
        for event in self._sequence.feed(events):
            if event.__class__ is PartDelta:
                self._delta(event.text)
            else:
                _HANDLERS[event.__class__](self, event)
        return b"".join(self._out)

    def _delta(self, text: str) -> None:
        block = self._block
        if block is None or block.names is None:
            return
        if not block.start:
            if not text:
                return
            block.part.text = text
            self._begin(block)
        try:
            written = orjson.dumps(text)
        except TypeError:
            written = dumps(text)
        self._out.append(b"%b%b}}\n\n" % (block.prefix, written))

    def _send(self, kind: str, /, **fields: Any) -> None:
        self._out.append(event_block(kind.encode(), dumps({"type": kind, **fields})))

    def _start(self, event: Started) -> None:  # noqa: ARG002
        self._send("message_start", message=message_object(self._context, []))

    def _open(self, event: PartOpened) -> None:
        self._refused = self._refused or event.kind == "refusal"
        part = part_of(event)
        self._block = _Block(part) if is_shown(part, self._context) else None
        if self._block and event.kind not in (*THINKING, "opaque"):
            self._begin(self._block)

    def _begin(self, block: "_Block") -> None:
        """Start the block; that of reasoning waits, because its seal may make it another one."""
        waiting, self._waiting = self._waiting, []
        for seal in waiting:
            self._write_whole(seal)
        self._index += 1
        block.begin(self._index)
        self._send("content_block_start", index=self._index, content_block=block.start)

    def _seal(self, event: PartSealed) -> None:
        if self._block:
            self._block.part.seal = event.seal

    def _note(self, event: Noted) -> None:
        citation = citation_out(event.native)
        if self._block and self._block.part.kind == "text" and citation:
            self._send_delta({"type": "citations_delta", "citation": citation})

    def _send_delta(self, delta: Json) -> None:
        self._send("content_block_delta", index=self._index, delta=delta)

    def _close(self, event: PartClosed) -> None:
        block, self._block = self._block, None
        if block is None:
            return
        block.part.native = event.native or block.part.native
        if self._index >= 0 and shows_nothing(block.part):
            self._waiting.append(block)
        else:
            self._write_whole(block)

    def _write_whole(self, block: "_Block") -> None:
        """Write what the block still lacks, its start included."""
        if not block.start:
            self._begin(block)
        if block.start["type"] == "thinking":
            signature = signature_of(block.part.seal, provider=self._context.provider)
            self._send_delta({"type": "signature_delta", "signature": signature})
        self._send("content_block_stop", index=self._index)

    def _take_usage(self, event: UsageSeen) -> None:
        self._usage = event.usage

    def _finish(self, event: Finished) -> None:
        reason = stop_reason(event.reason, refused=self._refused)
        self._send(
            "message_delta",
            delta={"stop_reason": reason, "stop_sequence": event.stop},
            usage=write_usage(self._usage or Usage()),
        )
        self._send("message_stop")

    def _fail(self, event: Failed) -> None:
        body = error_body(event.failure, self._context.request_id)
        self._out.append(event_block(b"error", dumps(body)))


class _Block:
    """The open block.

    ``names`` are the type and the field of its deltas, if it has any. Once it has begun, ``start``
    is what it began as, and ``prefix`` begins each of its delta events.
    """

    def __init__(self, part: ReplyPart) -> None:
        self.part = part
        self.names = _DELTAS.get(part.kind)
        self.start: Json = {}
        self.prefix = b""

    def begin(self, index: int) -> None:
        """The block has its place now."""
        self.start = _start_of(self.part)
        if self.names:
            kind, field = self.names
            head = {"type": "content_block_delta", "index": index, "delta": {"type": kind}}
            place = orjson.dumps(head)[:-2]
            self.prefix = b'event: content_block_delta\ndata: %b,"%b":' % (place, field.encode())


def _start_of(part: ReplyPart) -> Json:
    match part.kind:
        case "text" | "refusal":
            return {"type": "text", "text": "", "citations": None}
        case "reasoning" | "reasoning_text":
            return _thinking_start(part)
        case "tool_call" | "custom_call":
            return tool_use_block(part, {})
    return dict(part.native or {})


def _thinking_start(part: ReplyPart) -> Json:
    if part.seal is not None and is_redacted(part.seal) and not part.text:
        return {"type": REDACTED, "data": part.seal.payload}
    return {"type": "thinking", "thinking": "", "signature": ""}


_HANDLERS: dict[type, Callable[[MessagesEncoder, Any], None]] = {
    Started: MessagesEncoder._start,
    PartOpened: MessagesEncoder._open,
    PartSealed: MessagesEncoder._seal,
    PartClosed: MessagesEncoder._close,
    Noted: MessagesEncoder._note,
    UsageSeen: MessagesEncoder._take_usage,
    Finished: MessagesEncoder._finish,
    Failed: MessagesEncoder._fail,
}
