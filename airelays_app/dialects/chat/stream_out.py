"""Neutral events, written as Chat Completions chunks.

The role comes with the first chunk that carries something, ``usage`` in a chunk of its own with
``choices: []`` and only when it was asked for, ``[DONE]`` only after success (which client needs
which was measured on 2026-11-22).
"""

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from airelays_app.dialects.base import Json, ReplyContext
from airelays_app.dialects.chat.reply import annotation, finish_reason
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
from airelays_app.neutral.usage import Usage

_TEXT_FIELDS: dict[PartKind, str] = {
    "text": "content",
    "refusal": "refusal",
    "reasoning": "reasoning_content",
    "reasoning_text": "reasoning_content",
}
_FUNCTION = ("function", "arguments")


class ChatEncoder:
    """Writes one stream."""

    def __init__(self, context: ReplyContext) -> None:
        self._context = context
        self._out: list[bytes] = []
        self._role_sent = False
        self._fields: dict[int, str] = {}
        self._prefixes: dict[int, bytes] = {}
        self._calls: dict[int, int] = {}
        self._customs: set[int] = set()
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
                self._delta(event)
            else:
                _HANDLERS[event.__class__](self, event)
        return b"".join(self._out)

    def _delta(self, event: PartDelta) -> None:
        prefix = self._prefixes.get(event.part)
        if prefix is None:
            self._other_delta(event)
            return
        try:
            text = orjson.dumps(event.text)
        except TypeError:
            text = dumps(event.text)
        self._out.append(b"%b%b%b" % (prefix, text, self._tail))

    def _other_delta(self, event: PartDelta) -> None:
        """The first text of a part, or a fragment of a call's arguments."""
        if event.part in self._calls:
            self._send_call_delta(event)
            return
        field = self._fields.pop(event.part, None)
        if field is None:
            return
        self._send({field: event.text})
        start = b'data: %b,"choices":[{"index":0,"delta":{"%b":'
        self._prefixes[event.part] = start % (self._head, field.encode())

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
        if event.kind in _TEXT_FIELDS:
            self._fields[event.part] = _TEXT_FIELDS[event.kind]
        elif event.kind in ("tool_call", "custom_call"):
            self._open_call(event)

    def _open_call(self, event: PartOpened) -> None:
        index = self._calls[event.part] = len(self._calls)
        if self._context.legacy_functions:
            if index == 0:
                self._send({"function_call": {"name": event.name or "", "arguments": ""}})
            return
        if event.kind == "custom_call":
            self._customs.add(event.part)
            body: Json = {"type": "custom", "custom": {"name": event.name or "", "input": ""}}
        else:
            function = {"name": event.name or "", "arguments": ""}
            body = {"type": "function", "function": function}
        self._send({"tool_calls": [{"index": index, "id": event.id or "", **body}]})

    def _send_call_delta(self, event: PartDelta) -> None:
        index = self._calls[event.part]
        if self._context.legacy_functions:
            if index == 0:
                self._send({"function_call": {"arguments": event.text}})
            return
        kind, field = ("custom", "input") if event.part in self._customs else _FUNCTION
        self._send({"tool_calls": [{"index": index, kind: {field: event.text}}]})

    def _note(self, event: Noted) -> None:
        if event.kind == "annotation":
            self._send({"annotations": [annotation(event.native)]})

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
        self._out.append(data_block(dumps(error_body(event.failure))))

    def _nothing(self, event: Event) -> None:
        """Chat has no place for the event: starts, ends of parts, and seals."""


_HANDLERS: dict[type, Callable[[ChatEncoder, Any], None]] = {
    Started: ChatEncoder._nothing,
    PartOpened: ChatEncoder._open,
    PartSealed: ChatEncoder._nothing,
    PartClosed: ChatEncoder._nothing,
    Noted: ChatEncoder._note,
    UsageSeen: ChatEncoder._take_usage,
    Finished: ChatEncoder._finish,
    Failed: ChatEncoder._fail,
}
