"""A reply as chat completions and legacy completions: chunks of a stream, and whole objects.

The variants differ as the servers do that people run at home (seen 2026-11-22): llama.cpp opens
with ``content: null``, Ollama repeats the role and sends a tool call whole.
"""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from airelays_app.sandbox.replies import (
    Call,
    CustomCall,
    Reasoning,
    Refusal,
    Reply,
    Text,
    Usage,
    pieces,
)

Chunk = dict[str, Any]

_FINISH_REASONS = {"max_output_tokens": "length", "content_filter": "content_filter"}


@dataclass(frozen=True, slots=True)
class Variant:
    """How one kind of compatible server writes its streams.

    opening: the delta of the first chat chunk. repeat_role: the role in every delta. whole_calls:
    a tool call's arguments in one piece. event_lines: ``event:`` lines in Responses streams.
    bare_responses: nothing in Responses is numbered or repeated. blind: images are answered with
    500. reasoning_field: the name reasoning goes by.
    """

    opening: tuple[tuple[str, Any], ...] = (("role", "assistant"), ("content", ""))
    repeat_role: bool = False
    whole_calls: bool = False
    event_lines: bool = True
    bare_responses: bool = False
    blind: bool = False
    reasoning_field: str = "reasoning_content"
    fingerprint: str = "fp_sandbox"


VARIANTS = {
    "openai": Variant(),
    "llamacpp": Variant(
        opening=(("role", "assistant"), ("content", None)),
        bare_responses=True,
        blind=True,
        fingerprint="b7123-sandbox",
    ),
    "ollama": Variant(
        repeat_role=True, whole_calls=True, reasoning_field="reasoning", fingerprint="fp_ollama"
    ),
    "eventless": Variant(event_lines=False),
}


@dataclass(slots=True)
class ChatStream:
    """Turns one reply into chat chunks; ``include_usage`` as ``stream_options`` asked for it."""

    reply: Reply
    model: str
    variant: Variant
    include_usage: bool = False
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def chunks(self) -> Iterator[Chunk]:
        """Yield every chunk up to the usage; an error chunk ends a failing stream."""
        yield self._choice(dict(self.variant.opening))
        after = self.reply.outcome.after
        for count, delta in enumerate(self._deltas()):
            if after is not None and count >= after:
                break
            yield self._choice(delta)
        if self.reply.outcome.ending in ("failed", "error"):
            yield error_chunk(self.reply)
            return
        yield self._choice({}, finish=finish_reason(self.reply))
        if self.include_usage and self.reply.usage:
            yield {**self._head(), "choices": [], "usage": chat_usage(self.reply.usage)}

    def whole(self) -> dict[str, Any]:
        """Return the buffered answer."""
        choice = {
            "index": 0,
            "message": _message(self.reply, self.variant),
            "logprobs": None,
            "finish_reason": finish_reason(self.reply),
        }
        head = {**self._head(), "object": "chat.completion"}
        usage = {"usage": chat_usage(self.reply.usage)} if self.reply.usage else {}
        return {**head, "choices": [choice], **usage}

    def _deltas(self) -> Iterator[dict[str, Any]]:
        calls = 0
        for part in self.reply.parts:
            if isinstance(part, Text):
                yield from ({"content": delta} for delta in part.deltas)
            elif isinstance(part, Refusal):
                yield from ({"refusal": delta} for delta in part.deltas)
            elif isinstance(part, Reasoning):
                yield from ({self.variant.reasoning_field: delta} for delta in part.deltas)
            elif isinstance(part, Call | CustomCall):
                yield from ({"tool_calls": [piece]} for piece in self._call(part, calls))
                calls += 1

    def _call(self, part: Call | CustomCall, index: int) -> Iterator[dict[str, Any]]:
        call = _whole_call(part)
        if self.variant.whole_calls:
            yield {"index": index, **call}
            return
        inner, key, text = _inside(part)
        yield {"index": index, **call, inner: {**call[inner], key: ""}}
        for piece in pieces(text):
            yield {"index": index, inner: {key: piece}}

    def _choice(self, delta: dict[str, Any], finish: str | None = None) -> Chunk:
        if self.variant.repeat_role:
            delta = {"role": "assistant", "content": "", **delta}
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        usage = {"usage": None} if self.include_usage else {}
        return {**self._head(), "choices": [choice], **usage}

    def _head(self) -> Chunk:
        return {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.variant.fingerprint,
        }


@dataclass(slots=True)
class CompletionStream:
    """Turns one reply into legacy completions."""

    reply: Reply
    model: str
    include_usage: bool = False
    id: str = field(default_factory=lambda: f"cmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def chunks(self) -> Iterator[Chunk]:
        """Yield every chunk up to the usage; an error chunk ends a failing stream."""
        after = self.reply.outcome.after
        for count, delta in enumerate(_visible(self.reply)):
            if after is not None and count >= after:
                break
            yield self._choice(delta)
        if self.reply.outcome.ending in ("failed", "error"):
            yield error_chunk(self.reply)
            return
        yield self._choice("", finish=finish_reason(self.reply))
        if self.include_usage and self.reply.usage:
            yield {**self._choice(""), "choices": [], "usage": chat_usage(self.reply.usage)}

    def whole(self) -> dict[str, Any]:
        """Return the buffered answer."""
        text = "".join(_visible(self.reply))
        usage = {"usage": chat_usage(self.reply.usage)} if self.reply.usage else {}
        return {**self._choice(text, finish=finish_reason(self.reply)), **usage}

    def _choice(self, text: str, finish: str | None = None) -> Chunk:
        choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}
        return {
            "id": self.id,
            "object": "text_completion",
            "created": self.created,
            "model": self.model,
            "choices": [choice],
        }


def finish_reason(reply: Reply) -> str:
    """Return why the reply ended, in the words of chat completions."""
    if reply.outcome.ending == "incomplete":
        return _FINISH_REASONS.get(reply.outcome.code, "length")
    calls = any(isinstance(part, Call | CustomCall) for part in reply.parts)
    return "tool_calls" if calls else "stop"


def chat_usage(usage: Usage) -> dict[str, Any]:
    """Return the counts as a CompletionUsage object."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


def error_chunk(reply: Reply) -> Chunk:
    """Return the ``data:`` object with which a failing stream ends."""
    fault = {"message": reply.outcome.message, "type": "server_error", "param": None}
    return {"error": {**fault, "code": reply.outcome.code}}


def _visible(reply: Reply) -> Iterator[str]:
    for part in reply.parts:
        if isinstance(part, Text | Refusal):
            yield from part.deltas


def _message(reply: Reply, variant: Variant) -> dict[str, Any]:
    text = _joined(reply, Text)
    calls = [_whole_call(part) for part in reply.parts if isinstance(part, Call | CustomCall)]
    urls = [url for part in reply.parts if isinstance(part, Text) for url in part.urls]
    reasoning = _joined(reply, Reasoning)
    return {
        "role": "assistant",
        "content": text if text is not None or calls else "",
        "refusal": _joined(reply, Refusal),
        "annotations": [_citation(url) for url in urls],
        **({variant.reasoning_field: reasoning} if reasoning else {}),
        **({"tool_calls": calls} if calls else {}),
    }


def _joined(reply: Reply, kind: type[Text | Refusal | Reasoning]) -> str | None:
    parts = [part for part in reply.parts if isinstance(part, kind)]
    return "".join("".join(part.deltas) for part in parts) if parts else None


def _whole_call(part: Call | CustomCall) -> dict[str, Any]:
    inner, key, text = _inside(part)
    kind = "function" if isinstance(part, Call) else "custom"
    call_id = f"call_{secrets.token_hex(12)}"
    return {"id": call_id, "type": kind, inner: {"name": part.name, key: text}}


def _inside(part: Call | CustomCall) -> tuple[str, str, str]:
    if isinstance(part, Call):
        return "function", "arguments", part.arguments
    return "custom", "input", part.text


def _citation(url: str) -> dict[str, Any]:
    citation = {"url": url, "title": "A cited page", "start_index": 0, "end_index": 0}
    return {"type": "url_citation", "url_citation": citation}
