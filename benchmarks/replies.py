"""The replies that the stand-in upstream gives, encoded once, and what clients must see of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

BURST_DELTAS = 200
HELD_DELTAS = 20
HELD_SECONDS = 0.5
"""Between two events of a held stream."""

ANSWER = (
    "Twenty words are a short answer but they are enough to measure "
    "what one small reply costs in this relay."
)

_RESPONSE_ID = "resp_" + "0123456789abcdef" * 3
_ITEM_ID = "msg_" + "0123456789abcdef" * 3
_CREATED = 1_795_305_600
_MODEL = "burst"
_RESPONSES_USAGE = {
    "input_tokens": 32,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 200,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 232,
}
_CHAT_USAGE = {"prompt_tokens": 32, "completion_tokens": 200, "total_tokens": 232}


def deltas(count: int) -> tuple[str, ...]:
    """Return the text of each delta; every one is different, so that order can be checked."""
    return tuple(f" word{number:03d}" for number in range(count))


@dataclass(frozen=True, slots=True)
class Stream:
    """One streamed reply as SSE blocks; ``first`` is the position of the first delta."""

    blocks: tuple[bytes, ...]
    first: int


def responses_stream(texts: tuple[str, ...], *, quirks: bool) -> Stream:
    """Return a Responses stream, with ``quirks`` as the ChatGPT backend sends it.

    The quirks: a ``codex.*`` event, and a final ``output`` that is empty.
    """
    events = list(_responses_events(texts, quirks=quirks))
    for number, event in enumerate(events):
        event["sequence_number"] = number
    blocks = tuple(b"event: %b\ndata: %b\n\n" % (e["type"].encode(), _json(e)) for e in events)
    first = next(n for n, event in enumerate(events) if event["type"].endswith(".delta"))
    return Stream(blocks, first)


def chat_stream(texts: tuple[str, ...]) -> Stream:
    """Return a Chat Completions stream with its usage and ``[DONE]``."""
    choices = [
        {"delta": {"role": "assistant", "content": ""}, "finish_reason": None},
        *({"delta": {"content": text}, "finish_reason": None} for text in texts),
        {"delta": {}, "finish_reason": "stop"},
    ]
    chunks = [_chunk([{"index": 0, "logprobs": None, **choice}], None) for choice in choices]
    chunks.append(_chunk([], _CHAT_USAGE))
    blocks = [b"data: %b\n\n" % _json(chunk) for chunk in chunks]
    return Stream((*blocks, b"data: [DONE]\n\n"), first=1)


def responses_body() -> bytes:
    """Return a whole response object."""
    return _json(_response("completed", [_message(ANSWER)], _RESPONSES_USAGE))


def chat_body() -> bytes:
    """Return a whole chat completion."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": ANSWER, "refusal": None, "annotations": []},
        "logprobs": None,
        "finish_reason": "stop",
    }
    return _json({**_chunk([choice], _CHAT_USAGE), "object": "chat.completion"})


def models_body() -> bytes:
    """Return a catalogue that both dialects of listing models can read."""
    entry = {"id": _MODEL, "slug": _MODEL, "object": "model", "created": _CREATED}
    return _json({"object": "list", "data": [entry], "models": [entry]})


def _responses_events(texts: tuple[str, ...], *, quirks: bool) -> Iterator[dict[str, Any]]:
    place = {"item_id": _ITEM_ID, "output_index": 0, "content_index": 0}
    whole = "".join(texts)
    yield {"type": "response.created", "response": _response("in_progress", [], None)}
    if quirks:
        yield {"type": "codex.rate_limits", "plan_type": "plus", "rate_limits": {"allowed": True}}
    yield {"type": "response.in_progress", "response": _response("in_progress", [], None)}
    opened = {**_message(""), "status": "in_progress", "content": []}
    yield {"type": "response.output_item.added", "output_index": 0, "item": opened}
    yield {"type": "response.content_part.added", **place, "part": _part("")}
    for text in texts:
        padding = {"logprobs": [], "obfuscation": "0123456789abcdef"}
        yield {"type": "response.output_text.delta", **place, "delta": text, **padding}
    yield {"type": "response.output_text.done", **place, "text": whole, "logprobs": []}
    yield {"type": "response.content_part.done", **place, "part": _part(whole)}
    item = _message(whole)
    yield {"type": "response.output_item.done", "output_index": 0, "item": item}
    output = [] if quirks else [item]
    final = _response("completed", output, _RESPONSES_USAGE)
    yield {"type": "response.completed", "response": final}


def _response(
    status: str, output: list[dict[str, Any]], usage: dict[str, Any] | None
) -> dict[str, Any]:
    return {
        "id": _RESPONSE_ID,
        "object": "response",
        "created_at": _CREATED,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": _MODEL,
        "output": output,
        "parallel_tool_calls": True,
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage,
    }


def _message(text: str) -> dict[str, Any]:
    head = {"id": _ITEM_ID, "type": "message", "status": "completed", "role": "assistant"}
    return {**head, "content": [_part(text)]}


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _chunk(choices: list[dict[str, Any]], usage: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-0123456789abcdef",
        "object": "chat.completion.chunk",
        "created": _CREATED,
        "model": _MODEL,
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
        "choices": choices,
        "usage": usage,
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
