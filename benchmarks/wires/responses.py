"""Responses, as api.openai.com and the ChatGPT backend stream it."""

import re
from collections.abc import Iterator, Sequence

from benchmarks.wires.wire import ANSWER, CREATED, MODEL, Json, Said, Stream, Wire, named_block

RESPONSE_ID = b"0123456789abcdef" * 2
"""What the id of the response is, behind its prefix."""

_ITEM_ID = "msg_" + "fedcba9876543210" * 3
_USAGE = {
    "input_tokens": 32,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 200,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 232,
}


def codex_stream(texts: tuple[str, ...]) -> Stream:
    """Return a stream with the ChatGPT backend's quirks.

    They are a ``codex.*`` event, and a final ``output`` that is empty.
    """
    return _numbered(_events(texts, quirks=True))


def _stream(texts: tuple[str, ...]) -> Stream:
    return _numbered(_events(texts, quirks=False))


def _numbered(events: Iterator[Json]) -> Stream:
    numbered = [{**event, "sequence_number": number} for number, event in enumerate(events)]
    first = next(n for n, event in enumerate(numbered) if event["type"].endswith(".delta"))
    return Stream(tuple(map(named_block, numbered)), first)


def _events(texts: tuple[str, ...], *, quirks: bool) -> Iterator[Json]:
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
    yield {"type": "response.completed", "response": _response("completed", output, _USAGE)}


def _response(status: str, output: list[Json], usage: Json | None) -> Json:
    return {
        "id": f"resp_{RESPONSE_ID.decode()}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": MODEL,
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


def _message(text: str) -> Json:
    head = {"id": _ITEM_ID, "type": "message", "status": "completed", "role": "assistant"}
    return {**head, "content": [_part(text)]}


def _part(text: str) -> Json:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _body(model: str, said: Sequence[Said], stream: bool) -> Json:  # noqa: FBT001
    items = [{"role": each.role, "content": each.text} for each in said]
    return {"model": model, "input": items, **({"stream": True} if stream else {})}


def _text_of(reply: Json) -> str:
    return str(reply["output"][0]["content"][0]["text"])


RESPONSES = Wire(
    path="/v1/responses",
    stream_path="/v1/responses",
    body=_body,
    stream=_stream,
    whole=_response("completed", [_message(ANSWER)], _USAGE),
    text_of=_text_of,
    delta=re.compile(rb'"type":"response\.output_text\.delta".*?"delta":"([^"]*)"'),
    end=b'"type":"response.completed"',
)
