"""A reply as Anthropic's API sends it: the events of a stream, and the whole message.

Order and fields: API documentation, "Streaming messages", and recorded streams (2026-11-22).
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from airelays_app.sandbox import wire_json
from airelays_app.sandbox.anthropic_wire import ERROR_TYPES, error_body, request_id
from airelays_app.sandbox.plan import Frame
from airelays_app.sandbox.replies import (
    Call,
    Foreign,
    Part,
    Reasoning,
    Refusal,
    Reply,
    Text,
    Usage,
    pieces,
)

Event = dict[str, Any]
Block = dict[str, Any]

_STOP_REASONS = {"max_output_tokens": "max_tokens", "content_filter": "refusal"}
_PING: Event = {"type": "ping"}
_MYSTERY: Event = {"type": "mystery_event", "depths": {"unknown": True}}


@dataclass(slots=True)
class MessageStream:
    """Turns one reply into events. ``seal`` makes a signature out of the text of thinking;
    ``shows`` is whether that text is shown."""

    reply: Reply
    model: str
    seal: Callable[[str], str]
    shows: bool = True
    request_id: str = field(default_factory=request_id)
    id: str = field(default_factory=lambda: f"msg_{secrets.token_hex(12)}")

    def events(self) -> Iterator[Event]:
        """Yield every event in order; an error event ends a failing stream."""
        if self.reply.noise == "before":
            yield _MYSTERY
        yield {"type": "message_start", "message": self._message([])}
        outcome, deltas = self.reply.outcome, 0
        for event in self._blocks():
            if outcome.after is not None and deltas >= outcome.after:
                break
            deltas += event["type"] == "content_block_delta"
            yield event
        if outcome.ending in ("failed", "error"):
            yield self.error()
            return
        if self.reply.noise == "after":
            yield _MYSTERY
        delta = {**self._stop(), "container": None}
        yield {"type": "message_delta", "delta": delta, "usage": _usage(self.reply.usage)}
        yield {"type": "message_stop"}

    def whole(self) -> dict[str, Any]:
        """Return the buffered message."""
        content = [self._whole_block(part) for part in self._parts()]
        return {**self._message(content), **self._stop(), "usage": _usage(self.reply.usage)}

    def error(self) -> Event:
        """Return the error that a failing reply breaks off with."""
        outcome = self.reply.outcome
        known = outcome.code in ERROR_TYPES.values()
        kind = outcome.code if known else "overloaded_error"
        return error_body(kind, outcome.message, self.request_id)

    def _message(self, content: list[Block]) -> dict[str, Any]:
        usage = self.reply.usage
        begun = None if usage is None else Usage(usage.input_tokens, 1, usage.cached)
        return {
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": content,
            "stop_reason": None,
            "stop_sequence": None,
            "stop_details": None,
            "usage": _usage(begun),
        }

    def _stop(self) -> dict[str, Any]:
        reason = self._stop_reason()
        details = None
        if reason == "refusal":
            details = {"type": "refusal", "category": None, "explanation": "The sandbox refuses."}
        stop = self.reply.outcome.stop
        return {"stop_reason": reason, "stop_sequence": stop, "stop_details": details}

    def _stop_reason(self) -> str:
        outcome = self.reply.outcome
        if outcome.ending == "incomplete":
            return _STOP_REASONS.get(outcome.code, outcome.code)
        if outcome.stop is not None:
            return "stop_sequence"
        if any(isinstance(part, Call) for part in self.reply.parts):
            return "tool_use"
        return "refusal" if any(isinstance(p, Refusal) for p in self.reply.parts) else "end_turn"

    def _parts(self) -> list[Part]:
        known = (Text, Refusal, Reasoning, Call, Foreign)
        return [part for part in self.reply.parts if isinstance(part, known)]

    def _blocks(self) -> Iterator[Event]:
        for index, part in enumerate(self._parts()):
            start, deltas = self._streamed(part)
            yield {"type": "content_block_start", "index": index, "content_block": start}
            if index == 0:
                yield _PING
            for delta in deltas:
                yield {"type": "content_block_delta", "index": index, "delta": delta}
            yield {"type": "content_block_stop", "index": index}

    def _streamed(self, part: Part) -> tuple[Block, Iterable[Block]]:
        match part:
            case Text(deltas, urls):
                start = {"type": "text", "text": "", **({"citations": []} if urls else {})}
                return start, (*_text_deltas(deltas), *map(_citation_delta, urls))
            case Refusal(deltas):
                return {"type": "text", "text": ""}, _text_deltas(deltas)
            case Reasoning(redacted=False):
                return {"type": "thinking", "thinking": "", "signature": ""}, self._thoughts(part)
            case Call():
                return {**_call(part), "input": {}}, _argument_deltas(part)
        return self._whole_block(part), ()

    def _thoughts(self, part: Reasoning) -> Iterator[Block]:
        shown = part.deltas if self.shows else ()
        yield from ({"type": "thinking_delta", "thinking": text} for text in shown)
        yield {"type": "signature_delta", "signature": self.seal("".join(shown))}

    def _whole_block(self, part: Part) -> Block:
        match part:
            case Text(deltas, urls):
                cited = [_citation(url) for url in urls] or None
                return {"type": "text", "text": "".join(deltas), "citations": cited}
            case Refusal(deltas):
                return {"type": "text", "text": "".join(deltas), "citations": None}
            case Reasoning(deltas, redacted=True):
                return {"type": "redacted_thinking", "data": self.seal("".join(deltas))}
            case Reasoning(deltas):
                text = "".join(deltas) if self.shows else ""
                return {"type": "thinking", "thinking": text, "signature": self.seal(text)}
            case Call():
                return {**_call(part), "input": wire_json.loads(part.arguments.encode())}
            case Foreign(item):
                return item
        raise AssertionError(part)


def message_frames(events: Iterable[Event]) -> Iterator[Frame]:
    """Frame the events of a Messages stream."""
    for event in events:
        kind = event["type"]
        data = b"event: " + kind.encode() + b"\ndata: " + wire_json.dumps(event) + b"\n\n"
        if kind == "content_block_delta":
            yield Frame("delta", data)
        else:
            yield Frame("terminal" if kind in ("message_delta", "error") else "other", data)


def _usage(usage: Usage | None) -> dict[str, Any]:
    """Return the counts; what the cache gave is not among the input tokens."""
    counted = usage or Usage(0, 0)
    return {
        "input_tokens": counted.input_tokens - counted.cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": counted.cached,
        "output_tokens": counted.output_tokens,
        "output_tokens_details": {"thinking_tokens": counted.reasoning},
        "service_tier": "standard",
    }


def _text_deltas(deltas: Iterable[str]) -> tuple[Block, ...]:
    return tuple({"type": "text_delta", "text": text} for text in deltas)


def _argument_deltas(part: Call) -> tuple[Block, ...]:
    given = ("", *pieces(part.arguments))
    return tuple({"type": "input_json_delta", "partial_json": piece} for piece in given)


def _citation_delta(url: str) -> Block:
    return {"type": "citations_delta", "citation": _citation(url)}


def _citation(url: str) -> Block:
    return {
        "type": "web_search_result_location",
        "url": url,
        "title": "A cited page",
        "cited_text": "cited",
        "encrypted_index": "Eo8BCioIBxgC",
    }


def _call(part: Call) -> Block:
    return {"type": "tool_use", "id": f"toolu_{secrets.token_hex(12)}", "name": part.name}
