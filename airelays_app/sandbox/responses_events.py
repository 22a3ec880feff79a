"""A reply as the Responses API streams it: the whole event sequence, numbered.

The order and fields of the events are those of the public API reference; the quirks (final
``output`` empty, ``codex.*`` events in between) are the ChatGPT backend's (seen 2026-11-22).
"""

import itertools
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from airelays_app.sandbox.replies import (
    Call,
    CustomCall,
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

_ECHOED: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "store": False,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}


@dataclass(slots=True)
class ResponsesStream:
    """Turns one reply into Responses events.

    ``body`` is the request (its fields are echoed). ``seal`` makes ``encrypted_content`` out of
    reasoning text, or is None when it was not asked for. ``summary``: send the reasoning summary.
    ``empty_output``: leave ``output`` of the terminal event empty. ``extras`` are sent after the
    first event, ``preface`` before it. Iterate ``events()`` once; ``response`` then holds the
    final object.
    """

    reply: Reply
    body: dict[str, Any]
    seal: Callable[[str], str] | None = None
    summary: bool = True
    empty_output: bool = False
    extras: tuple[Event, ...] = ()
    preface: tuple[Event, ...] = ()
    response: dict[str, Any] = field(default_factory=dict)
    _output: list[dict[str, Any]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def events(self) -> Iterator[Event]:
        """Yield every event in order."""
        self.response = self._fresh_response()
        yield from self.preface
        yield self._event("response.created", response=self.response)
        yield from self.extras
        yield self._event("response.in_progress", response=self.response)
        yield from self._items()
        yield from self._ending()

    def _items(self) -> Iterator[Event]:
        left = self.reply.outcome.after
        if left == 0:
            return
        for index, part in enumerate(self.reply.parts):
            for event in self._item(index, part):
                yield event
                if left is not None and event["type"].endswith(".delta"):
                    left -= 1
                if left == 0:
                    return

    def _item(self, index: int, part: Part) -> Iterator[Event]:
        last = index == len(self.reply.parts) - 1
        cut_short = last and self.reply.outcome.ending == "incomplete"
        item = self._opened(part)
        yield self._event("response.output_item.added", output_index=index, item={**item})
        yield from self._content(index, part, item)
        if "status" in item and not isinstance(part, Foreign):
            item["status"] = "incomplete" if cut_short else "completed"
        self._output.append(item)
        yield self._event("response.output_item.done", output_index=index, item=item)

    def _opened(self, part: Part) -> dict[str, Any]:
        if isinstance(part, Foreign):
            return part.item
        if isinstance(part, Reasoning):
            return self._sealed({"id": _id("rs"), "type": "reasoning", "summary": []}, part)
        if isinstance(part, Call):
            item = _call_item("fc", "function_call", part.name, part.namespace)
            return {**item, "arguments": ""}
        if isinstance(part, CustomCall):
            item = _call_item("ctc", "custom_tool_call", part.name, part.namespace)
            return {**item, "input": ""}
        return {
            "id": _id("msg"),
            "type": "message",
            "status": "in_progress",
            "content": [],
            "role": "assistant",
        }

    def _sealed(self, item: dict[str, Any], part: Reasoning) -> dict[str, Any]:
        if self.seal:
            item["encrypted_content"] = self.seal("".join(part.deltas))
        return item

    def _content(self, index: int, part: Part, item: dict[str, Any]) -> Iterator[Event]:
        where = {"item_id": item.get("id"), "output_index": index}
        if isinstance(part, Reasoning):
            return self._reasoning(part, item, where) if self.summary else iter(())
        if isinstance(part, Text):
            return self._text(part, item, where)
        if isinstance(part, Refusal):
            return self._refusal(part, item, where)
        if isinstance(part, Call):
            text = part.arguments
            return self._argument("function_call_arguments", "arguments", text, item, where)
        if isinstance(part, CustomCall):
            return self._argument("custom_tool_call_input", "input", part.text, item, where)
        return iter(())

    def _reasoning(self, part: Reasoning, item: Event, where: Event) -> Iterator[Event]:
        where = {**where, "summary_index": 0}
        kind = "response.reasoning_summary"
        empty = {"type": "summary_text", "text": ""}
        full = {**empty, "text": "".join(part.deltas)}
        yield self._event(f"{kind}_part.added", **where, part=empty)
        for delta in part.deltas:
            yield self._event(f"{kind}_text.delta", **where, delta=delta)
        yield self._event(f"{kind}_text.done", **where, text=full["text"])
        yield self._event(f"{kind}_part.done", **where, part=full)
        item["summary"] = [full]

    def _text(self, part: Text, item: Event, where: Event) -> Iterator[Event]:
        where = {**where, "content_index": 0}
        text = "".join(part.deltas)
        notes = [_citation(url, text) for url in part.urls]
        empty = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
        full = {**empty, "annotations": notes, "text": text}
        yield self._event("response.content_part.added", **where, part=empty)
        for delta in part.deltas:
            yield self._event("response.output_text.delta", **where, delta=delta, logprobs=[])
        for number, note in enumerate(notes):
            added = {"annotation_index": number, "annotation": note}
            yield self._event("response.output_text.annotation.added", **where, **added)
        yield self._event("response.output_text.done", **where, text=text, logprobs=[])
        yield self._event("response.content_part.done", **where, part=full)
        item["content"] = [full]

    def _refusal(self, part: Refusal, item: Event, where: Event) -> Iterator[Event]:
        where = {**where, "content_index": 0}
        full = {"type": "refusal", "refusal": "".join(part.deltas)}
        yield self._event("response.content_part.added", **where, part={**full, "refusal": ""})
        for delta in part.deltas:
            yield self._event("response.refusal.delta", **where, delta=delta)
        yield self._event("response.refusal.done", **where, refusal=full["refusal"])
        yield self._event("response.content_part.done", **where, part=full)
        item["content"] = [full]

    def _argument(
        self, kind: str, key: str, text: str, item: Event, where: Event
    ) -> Iterator[Event]:
        for delta in pieces(text):
            yield self._event(f"response.{kind}.delta", **where, delta=delta)
        done = {key: text, **({"name": item["name"]} if key == "arguments" else {})}
        yield self._event(f"response.{kind}.done", **where, **done)
        item[key] = text

    def _ending(self) -> Iterator[Event]:
        outcome = self.reply.outcome
        fault = {"code": outcome.code, "message": outcome.message}
        if outcome.ending == "error":
            yield self._event("error", **fault, param=None)
            return
        del self.response["usage"]
        self.response = {
            **self.response,
            "status": outcome.ending,
            "completed_at": int(time.time()) if outcome.ending == "completed" else None,
            "error": fault if outcome.ending == "failed" else None,
            "incomplete_details": _reason(outcome.code) if outcome.ending == "incomplete" else None,
            "output": [] if self.empty_output else self._output,
            **usage_fields(self.reply.usage, failed=outcome.ending == "failed"),
        }
        yield self._event(f"response.{outcome.ending}", response=self.response)

    def _fresh_response(self) -> dict[str, Any]:
        echoed = {key: self.body.get(key) or standard for key, standard in _ECHOED.items()}
        return {
            "id": _id("resp"),
            "object": "response",
            "created_at": int(time.time()),
            "status": "in_progress",
            "background": False,
            "completed_at": None,
            "error": None,
            "incomplete_details": None,
            **echoed,
            "parallel_tool_calls": self.body.get("parallel_tool_calls") is not False,
            "model": self.body.get("model"),
            "output": [],
            "usage": None,
        }

    def _event(self, kind: str, **fields: Any) -> Event:
        return {"type": kind, "sequence_number": next(self._numbers), **fields}


def usage_fields(usage: Usage | None, *, failed: bool = False) -> dict[str, Any]:
    """Return the ``usage`` of a final response object; no field at all if it is to be missing."""
    if failed:
        return {"usage": None}
    if usage is None:
        return {}
    return {
        "usage": {
            "input_tokens": usage.input_tokens,
            "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": 0},
            "output_tokens": usage.output_tokens,
            "output_tokens_details": {"reasoning_tokens": usage.reasoning},
            "total_tokens": usage.input_tokens + usage.output_tokens,
        }
    }


def _call_item(prefix: str, kind: str, name: str, namespace: str | None) -> dict[str, Any]:
    group = {"namespace": namespace} if namespace else {}
    return {
        "id": _id(prefix),
        "type": kind,
        "status": "in_progress",
        "call_id": f"call_{secrets.token_urlsafe(18)}",
        "name": name,
        **group,
    }


def _citation(url: str, text: str) -> dict[str, Any]:
    start = max(text.find(url), 0)
    return {
        "type": "url_citation",
        "url": url,
        "title": "A cited page",
        "start_index": start,
        "end_index": start + len(url),
    }


def _reason(code: str) -> dict[str, str]:
    return {"reason": code}


def _id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(24)}"
