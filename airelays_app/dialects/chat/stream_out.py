"""Neutral events, written as Chat Completions chunks.

The role comes with the first chunk that carries something, ``usage`` in a chunk of its own with
``choices: []`` and only when it was asked for, ``[DONE]`` only after success (which client needs
which was measured on 2026-11-22).
"""

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from airelays_app.dialects.base import Json, ReplyContext
from airelays_app.dialects.chat.annotations import annotations_out
from airelays_app.dialects.chat.reasoning import FIELD, detail_out
from airelays_app.dialects.chat.reply import finish_reason
from airelays_app.dialects.completion_family import DONE, write_usage
from airelays_app.dialects.openai_error import error_body
from airelays_app.framing.jsontext import dumps
from airelays_app.framing.sse import data_block
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
from airelays_app.neutral.seals import Seal
from airelays_app.neutral.sequence import Turns
from airelays_app.neutral.usage import Usage

_TEXT_FIELDS: dict[PartKind, str] = {
    "text": "content",
    "refusal": "refusal",
    "reasoning": "reasoning_content",
    "reasoning_text": "reasoning_content",
}
_CALL_FIELDS: dict[PartKind, tuple[str, str]] = {
    "tool_call": ("function", "arguments"),
    "custom_call": ("custom", "input"),
}
_Wire = tuple[bytes, bytes]


class ChatEncoder:
    """Writes one stream.

    The chunks of one part differ in their text only, so what surrounds it is written once.
    """

    def __init__(self, context: ReplyContext) -> None:
        self._context = context
        self._out: list[bytes] = []
        self._role_sent = False
        self._turns = Turns()
        self._fields: dict[int, str] = {}
        self._wires: dict[int, _Wire] = {}
        self._calls = 0
        self._seals: dict[int, Seal] = {}
        self._sealed = 0
        self._usage: Usage | None = None
        head = {
            "id": context.id,
            "object": "chat.completion.chunk",
            "created": context.created,
            "model": context.model,
        }
        self._head = dumps(head)[:-1]
        usage = b',"usage":null' if context.include_usage else b""
        self._tail = b'},"logprobs":null,"finish_reason":null}]%b}\n\n' % usage

    def feed(self, events: Iterable[Event]) -> bytes:
        """Return the next events as bytes, in one piece."""
        self._out = []
        for event in events:
            if event.__class__ is PartDelta:
                self._delta(event.part, event.text)
            else:
                _HANDLERS[event.__class__](self, event)
        return b"".join(self._out)

    def _delta(self, part: int, text: str) -> None:
        wire = self._wires.get(part)
        if wire is None:
            self._first_delta(part, text)
            return
        try:
            written = orjson.dumps(text)
        except TypeError:
            written = dumps(text)
        self._out.append(b"%b%b%b" % (wire[0], written, wire[1]))

    def _first_delta(self, part: int, text: str) -> None:
        """The first text of a part, or one before its turn; other parts have no text here."""
        field = self._fields.get(part)
        if field is None:
            return
        if not self._turns.may_speak(part):
            self._turns.hold(part, text)
            return
        self._send({field: text})
        self._wires[part] = self._wire(b'"%b":' % field.encode(), b"")

    def _wire(self, before: bytes, after: bytes) -> _Wire:
        start = b'data: %b,"choices":[{"index":0,"delta":{' % self._head
        return start + before, after + self._tail

    def _send(self, delta: Json) -> None:
        if not self._role_sent:
            self._role_sent = True
            delta = {"role": "assistant", **delta}
            delta.setdefault("content", None)
        self._send_choice({"index": 0, "delta": delta, "logprobs": None, "finish_reason": None})

    def _send_choice(self, choice: Json) -> None:
        usage = b',"usage":null' if self._context.include_usage else b""
        chunk = b'%b,"choices":[%b]%b}' % (self._head, dumps(choice), usage)
        self._out.append(data_block(chunk))

    def _open(self, event: PartOpened) -> None:
        if field := _TEXT_FIELDS.get(event.kind):
            self._fields[event.part] = field
            self._turns.open(event.part, field)
        elif event.kind in _CALL_FIELDS:
            self._open_call(event)

    def _open_call(self, event: PartOpened) -> None:
        index = self._calls
        self._calls += 1
        if self._context.legacy_functions:
            self._open_function(event, index)
            return
        kind, field = _CALL_FIELDS[event.kind]
        inner = {"name": event.name or "", field: ""}
        call = {"index": index, "id": event.id or "", "type": kind, kind: inner}
        self._send({"tool_calls": [call]})
        before = b'"tool_calls":[{"index":%d,"%b":{"%b":' % (index, kind.encode(), field.encode())
        self._wires[event.part] = self._wire(before, b"}}]")

    def _open_function(self, event: PartOpened, index: int) -> None:
        """The older interface knows one call."""
        if index == 0:
            self._send({"function_call": {"name": event.name or "", "arguments": ""}})
            self._wires[event.part] = self._wire(b'"function_call":{"arguments":', b"}")

    def _close(self, event: PartClosed) -> None:
        self._say(self._turns.close(event.part))
        if seal := self._seals.pop(event.part, None):
            detail = detail_out(seal, self._sealed, provider=self._context.provider)
            self._sealed += 1
            self._send({FIELD: [detail]})

    def _say(self, held: list[tuple[int, str]]) -> None:
        for part, text in held:
            self._send({self._fields[part]: text})

    def _seal(self, event: PartSealed) -> None:
        self._seals[event.part] = event.seal

    def _note(self, event: Noted) -> None:
        if annotations := annotations_out([event.native]):
            self._send({"annotations": annotations})

    def _take_usage(self, event: UsageSeen) -> None:
        self._usage = event.usage

    def _finish(self, event: Finished) -> None:
        if not self._role_sent:
            self._send({"content": ""})
        reason = finish_reason(event.reason, self._context)
        self._send_choice({"index": 0, "delta": {}, "logprobs": None, "finish_reason": reason})
        if self._context.include_usage:
            usage = dumps(write_usage(self._usage or Usage()))
            self._out.append(data_block(b'%b,"choices":[],"usage":%b}' % (self._head, usage)))
        self._out.append(DONE)

    def _fail(self, event: Failed) -> None:
        self._say(self._turns.give_up())
        self._out.append(data_block(dumps(error_body(event.failure))))

    def _nothing(self, event: Event) -> None:
        """Chat has no place for the event."""


_HANDLERS: dict[type, Callable[[ChatEncoder, Any], None]] = {
    Started: ChatEncoder._nothing,
    PartOpened: ChatEncoder._open,
    PartSealed: ChatEncoder._seal,
    PartClosed: ChatEncoder._close,
    Noted: ChatEncoder._note,
    UsageSeen: ChatEncoder._take_usage,
    Finished: ChatEncoder._finish,
    Failed: ChatEncoder._fail,
}
