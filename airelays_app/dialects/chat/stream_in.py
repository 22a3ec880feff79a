"""A Chat Completions stream, read into neutral events.

Chunks name no parts, so a part opens when its first text comes and text, reasoning and calls take
turns. Reasoning comes as ``reasoning_content`` or ``reasoning``, from some servers as both
(llama.cpp, vLLM, OpenRouter; seen 2026-11-22), from Mistral's models as a piece of ``content``,
which is an array then (its API reference and public reports, seen 2026-11-25).
"""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from airelays_app.dialects.base import Classify, Json
from airelays_app.dialects.call_arguments import NO_ARGUMENTS
from airelays_app.dialects.chat.annotations import annotation_in
from airelays_app.dialects.completion_family import read_usage
from airelays_app.dialects.event_data import read_object
from airelays_app.dialects.openai_error import incomplete
from airelays_app.framing.jsontext import dumps
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
    "model_length": "length",
}
"""OpenAI's words, and one of Mistral's (public clients of it, seen 2026-11-25)."""
_BROKEN_OFF = frozenset({"abort", "error", "insufficient_system_resource"})
"""What vLLM, Mistral and DeepSeek say of a reply that is not whole (likewise)."""
_DATA = b"data: "
_OBJECT = b"data: {"


class ChatDecoder:
    """Reads one stream; only the first choice, since the relay asks for one.

    ``feed`` raises ValueError, TypeError or their like for nonsense.
    """

    def __init__(self, classify: Classify) -> None:
        self._classify = classify
        self._out: list[Event] = []
        self._id = ""
        self._count = 0
        self._current: tuple[PartKind, int] | None = None
        self._calls = _Calls()
        self._without_arguments: set[int] = set()
        self._reason: FinishReason | None = None
        self._broken_off = ""
        self._started = False
        self._ended = False

    def feed(self, blocks: Iterable[bytes]) -> list[Event]:
        """Return what the next SSE blocks mean."""
        self._out = []
        for block in blocks:
            if not (block.startswith(_OBJECT) and self._usual_delta(block)):
                self._read(block)
        return self._out

    def read_body(self, body: Json) -> list[Event]:
        """Return the events of a whole ``chat.completion``."""
        self._out = []
        self._chunk({**body, "choices": [_as_delta(c) for c in (body.get("choices") or ())[:1]]})
        if not self._ended:
            self._finish()
        return self._out

    def close(self) -> list[Event]:
        """Return the terminal event that is still owed."""
        self._out = []
        if not self._ended:
            self._finish()
        return self._out

    def _usual_delta(self, block: bytes) -> bool:
        """Take what nearly every block of a stream is, more text and nothing else.

        The parser ignores the line ends behind the object. Anything else is left for later.
        """
        try:
            chunk = orjson.loads(block[len(_DATA) :])
            (choice,) = chunk["choices"]
            delta = choice["delta"]
            text = delta["content"]
        except (LookupError, TypeError, ValueError):
            return False
        current = self._current
        if current is None or current[0] != "text" or self._ended or len(delta) > 1:
            return False
        if text.__class__ is not str or not text or choice.get("finish_reason"):
            return False
        if chunk.get("usage") or chunk.get("error"):
            return False
        self._out.append(PartDelta(current[1], text))
        return True

    def _read(self, block: bytes) -> None:
        data = parse_block(block).data
        if data is None or self._ended:
            return
        if data.strip() == b"[DONE]":
            self._finish()
        elif chunk := read_object(data):
            self._chunk(chunk)

    def _chunk(self, chunk: Json) -> None:
        if chunk.get("error"):
            self._ended = True
            self._out.append(Failed(self._classify(chunk)))
            return
        if not self._started:
            self._started = True
            self._id = str(chunk.get("id") or "")
            self._out.append(Started(self._id, str(chunk.get("model") or "")))
        for choice in (chunk.get("choices") or ())[:1]:
            self._choice(choice)
        if usage := read_usage(chunk.get("usage")):
            self._out.append(UsageSeen(usage))

    def _choice(self, choice: Json) -> None:
        delta = choice.get("delta") or {}
        self._text("reasoning", delta.get("reasoning_content") or delta.get("reasoning"))
        for kind, text in _said_in(delta):
            self._text(kind, text)
        for annotation in delta.get("annotations") or ():
            self._note(annotation)
        for call in delta.get("tool_calls") or ():
            self._call(call)
        if call := delta.get("function_call"):
            self._call({"index": 0, "function": call})
        if reason := choice.get("finish_reason"):
            self._reason = FINISH_REASONS.get(reason, "end")
            self._broken_off = reason if reason in _BROKEN_OFF else ""

    def _text(self, kind: PartKind, text: Any) -> None:
        if not text or not isinstance(text, str):
            return
        if self._current is None or self._current[0] != kind:
            self._close_current()
            self._current = kind, self._open(kind)
        self._out.append(PartDelta(self._current[1], text))

    def _note(self, annotation: Any) -> None:
        if self._current is not None and isinstance(annotation, dict):
            self._out.append(Noted(self._current[1], "annotation", annotation_in(annotation)))

    def _call(self, call: Json) -> None:
        custom = call.get("type") == "custom" or "custom" in call
        inner = call.get("custom" if custom else "function") or {}
        part = self._calls.part_of(call, name=inner.get("name"))
        if part is None:
            self._close_current()
            kind: PartKind = "custom_call" if custom else "tool_call"
            part = self._open(kind, id_=call.get("id"), name=inner.get("name"))
            self._calls.add(call, part)
            self._without_arguments |= set() if custom else {part}
        arguments = inner.get("input" if custom else "arguments")
        if arguments is not None and arguments != "":
            text = arguments if isinstance(arguments, str) else dumps(arguments).decode()
            self._without_arguments.discard(part)
            self._out.append(PartDelta(part, text))

    def _open(self, kind: PartKind, *, id_: str | None = None, name: str | None = None) -> int:
        part = self._count
        self._count += 1
        if kind in ("tool_call", "custom_call") and not id_:
            id_ = f"call_{self._id}_{part}"
        self._out.append(PartOpened(part, kind, id_, name))
        return part

    def _close_current(self) -> None:
        if self._current is not None:
            self._out.append(PartClosed(self._current[1]))
            self._current = None

    def _finish(self) -> None:
        self._ended = True
        if self._reason is None or self._broken_off:
            self._out.append(Failed(incomplete(self._broken_off)))
            return
        self._close_current()
        if self._reason != "length":
            self._out += [PartDelta(part, NO_ARGUMENTS) for part in sorted(self._without_arguments)]
        self._out += [PartClosed(part) for part in self._calls.parts]
        # Some servers say "stop" after a tool call (seen 2026-11-22).
        called = self._calls.parts and self._reason == "end"
        self._out.append(Finished("tool_use" if called else self._reason))


def _said_in(delta: Json) -> Iterator[tuple[PartKind, Any]]:
    content = delta.get("content")
    if isinstance(content, list):
        yield from _pieces(content)
    else:
        yield "text", content
    yield "refusal", delta.get("refusal")


def _pieces(content: Iterable[Json]) -> Iterator[tuple[PartKind, Any]]:
    for piece in content:
        if piece.get("type") == "thinking":
            thought = piece.get("thinking")
            for each in thought if isinstance(thought, list) else ({"text": thought},):
                yield "reasoning", each.get("text")
        else:
            yield "text", piece.get("text")


def _as_delta(choice: Json) -> Json:
    """Return a whole choice as one chunk; a body that is whole needs no word that it ended."""
    reason = choice.get("finish_reason") or "stop"
    return {**choice, "delta": choice.get("message") or {}, "finish_reason": reason}


class _Calls:
    """Tells which call a fragment belongs to.

    By ``index``; without one by ``id``, else it goes on with the call before. A second name under
    an index, with another id, is another call: some servers number every call 0 (Gemini's
    compatible endpoint and older Ollama; public reports seen 2026-11-22).
    """

    def __init__(self) -> None:
        self.parts: list[int] = []
        self._by_key: dict[Any, int] = {}
        self._ids: dict[int, Any] = {}

    def part_of(self, call: Json, *, name: Any) -> int | None:
        """Return the part of the call that the fragment continues; None if it begins one."""
        index, id_ = call.get("index"), call.get("id")
        if isinstance(index, int):
            part = self._by_key.get(index)
            if part is not None and name and id_ and self._ids[part] not in (None, id_):
                return self._by_key.get(id_)
            return part
        if id_ in self._by_key:
            return self._by_key[id_]
        return self.parts[-1] if self.parts and not name else None

    def add(self, call: Json, part: int) -> None:
        """Remember the call that a fragment began."""
        index, id_ = call.get("index"), call.get("id")
        self.parts.append(part)
        self._ids[part] = id_
        if isinstance(index, int):
            self._by_key[index] = part
        if id_:
            self._by_key[id_] = part


def decode_reply(body: Json, classify: Classify) -> list[Event]:
    """Return the events of a buffered ``chat.completion``."""
    return ChatDecoder(classify).read_body(body)
