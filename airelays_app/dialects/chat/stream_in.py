"""A Chat Completions stream, read into neutral events.

Chunks name no parts, so a part opens when its first text comes and text, reasoning and calls take
turns. Reasoning comes as ``reasoning_content`` or ``reasoning`` (llama.cpp, vLLM, OpenRouter; seen
2026-11-22), tool calls are told apart by ``index``, else by ``id``.
"""

from collections.abc import Iterable
from typing import Any

from airelays_app.dialects.base import Classify, Json
from airelays_app.dialects.completion_family import read_usage
from airelays_app.dialects.openai_error import incomplete
from airelays_app.framing.jsontext import JsonTextError, dumps, loads
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
    Started,
    UsageSeen,
)

FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "end",
    "length": "length",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "content_filter",
}
_TEXT_FIELDS: tuple[tuple[str, PartKind], ...] = (
    ("reasoning_content", "reasoning"),
    ("reasoning", "reasoning"),
    ("content", "text"),
    ("refusal", "refusal"),
)


class ChatDecoder:
    """Reads one stream; only the first choice, since the relay asks for one."""

    def __init__(self, classify: Classify) -> None:
        self._classify = classify
        self._out: list[Event] = []
        self._count = 0
        self._current: tuple[PartKind, int] | None = None
        self._calls: dict[Any, int] = {}
        self._reason: FinishReason | None = None
        self._started = False
        self._ended = False

    def feed(self, blocks: Iterable[bytes]) -> list[Event]:
        """Return what the next SSE blocks mean."""
        self._out = []
        for block in blocks:
            data = parse_block(block).data
            if data is None or self._ended:
                continue
            if data.strip() == b"[DONE]":
                self._finish()
            else:
                self._chunk(_parse(data))
        return self._out

    def read_body(self, body: Json) -> list[Event]:
        """Return the events of a whole ``chat.completion``."""
        self._out = []
        choices = body.get("choices") or [{}]
        choice = {**choices[0], "delta": choices[0].get("message") or {}}
        self._chunk({**body, "choices": [choice]})
        self._finish()
        return self._out

    def close(self) -> list[Event]:
        """Return the terminal event that is still owed."""
        self._out = []
        if not self._ended:
            self._finish()
        return self._out

    def _chunk(self, chunk: Json) -> None:
        if chunk.get("error"):
            self._ended = True
            self._out.append(Failed(self._classify(chunk)))
            return
        if not self._started:
            self._started = True
            self._out.append(Started(str(chunk.get("id", "")), str(chunk.get("model", ""))))
        for choice in (chunk.get("choices") or [])[:1]:
            self._choice(choice)
        if usage := read_usage(chunk.get("usage")):
            self._out.append(UsageSeen(usage))

    def _choice(self, choice: Json) -> None:
        delta = choice.get("delta") or {}
        for field, kind in _TEXT_FIELDS:
            text = delta.get(field)
            if text and isinstance(text, str):
                self._text(kind, text)
        for annotation in delta.get("annotations") or ():
            self._note("annotation", annotation)
        if choice.get("logprobs"):
            self._note("logprobs", choice["logprobs"])
        for position, call in enumerate(delta.get("tool_calls") or ()):
            self._call(position, call)
        if call := delta.get("function_call"):
            self._call(0, {"function": call})
        if reason := choice.get("finish_reason"):
            self._reason = FINISH_REASONS.get(reason, "end")

    def _text(self, kind: PartKind, text: str) -> None:
        if self._current is None or self._current[0] != kind:
            self._close_current()
            self._current = kind, self._open(kind)
        self._out.append(PartDelta(self._current[1], text))

    def _note(self, kind: Any, native: Any) -> None:
        if self._current is not None:
            self._out.append(Noted(kind, native, self._current[1]))

    def _call(self, position: int, call: Json) -> None:
        index = call.get("index")
        key = index if isinstance(index, int) else call.get("id") or position
        function = call.get("function") or {}
        part = self._calls.get(key)
        if part is None:
            self._close_current()
            id_, name = call.get("id"), function.get("name")
            part = self._calls[key] = self._open("tool_call", id_=id_, name=name)
        if arguments := function.get("arguments"):
            text = arguments if isinstance(arguments, str) else dumps(arguments).decode()
            self._out.append(PartDelta(part, text))

    def _open(self, kind: PartKind, *, id_: str | None = None, name: str | None = None) -> int:
        part = self._count
        self._count += 1
        if kind == "tool_call" and not id_:
            id_ = f"call_{part}"
        self._out.append(PartOpened(part, kind, id_, name))
        return part

    def _close_current(self) -> None:
        if self._current is not None:
            self._out.append(PartClosed(self._current[1]))
            self._current = None

    def _finish(self) -> None:
        self._ended = True
        if self._reason is None:
            self._out.append(Failed(incomplete()))
            return
        self._close_current()
        self._out += [PartClosed(part) for part in self._calls.values()]
        # Some servers say "stop" after a tool call (seen 2026-11-22).
        called = self._calls and self._reason == "end"
        self._out.append(Finished("tool_use" if called else self._reason))


def _parse(data: bytes) -> Json:
    try:
        chunk = loads(data)
    except JsonTextError:
        return {}
    return chunk if isinstance(chunk, dict) else {}


def decode_reply(body: Json, classify: Classify) -> list[Event]:
    """Return the events of a buffered ``chat.completion``."""
    return ChatDecoder(classify).read_body(body)
