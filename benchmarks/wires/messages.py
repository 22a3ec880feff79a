"""Messages, as api.anthropic.com streams it."""

import re
from collections.abc import Iterator, Sequence

from benchmarks.wires.wire import ANSWER, MODEL, Json, Said, Stream, Wire, named_block

_MOST_TOKENS = 1024
_BEFORE_FIRST_DELTA = 3


def _stream(texts: tuple[str, ...]) -> Stream:
    return Stream(tuple(map(named_block, _events(texts))), first=_BEFORE_FIRST_DELTA)


def _events(texts: tuple[str, ...]) -> Iterator[Json]:
    yield {"type": "message_start", "message": _message([], None, output_tokens=1)}
    opened = {"type": "text", "text": ""}
    yield {"type": "content_block_start", "index": 0, "content_block": opened}
    yield {"type": "ping"}
    for text in texts:
        delta = {"type": "text_delta", "text": text}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    stopped = {"stop_reason": "end_turn", "stop_sequence": None}
    yield {"type": "message_delta", "delta": stopped, "usage": {"output_tokens": 200}}
    yield {"type": "message_stop"}


def _message(content: list[Json], stop_reason: str | None, *, output_tokens: int) -> Json:
    return {
        "id": "msg_0123456789abcdef",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {
            "input_tokens": 32,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": output_tokens,
        },
    }


def _body(model: str, said: Sequence[Said], stream: bool) -> Json:  # noqa: FBT001
    system = "\n".join(each.text for each in said if each.role == "system")
    messages = [{"role": each.role, "content": each.text} for each in said if each.role != "system"]
    body = {"model": model, "max_tokens": _MOST_TOKENS, "system": system, "messages": messages}
    return {**body, **({"stream": True} if stream else {})}


def _text_of(reply: Json) -> str:
    return str(reply["content"][0]["text"])


MESSAGES = Wire(
    path="/v1/messages",
    stream_path="/v1/messages",
    body=_body,
    stream=_stream,
    whole=_message([{"type": "text", "text": ANSWER}], "end_turn", output_tokens=20),
    text_of=_text_of,
    delta=re.compile(rb'"type":"text_delta","text":"([^"]*)"'),
    end=b'"type":"message_stop"',
)
