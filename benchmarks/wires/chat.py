"""Chat Completions, as api.openai.com streams it."""

import re
from collections.abc import Sequence

from benchmarks.wires.wire import ANSWER, CREATED, MODEL, Json, Said, Stream, Wire, encoded

_USAGE = {"prompt_tokens": 32, "completion_tokens": 200, "total_tokens": 232}
_DONE = b"data: [DONE]\n\n"


def _stream(texts: tuple[str, ...]) -> Stream:
    choices = [
        {"delta": {"role": "assistant", "content": ""}, "finish_reason": None},
        *({"delta": {"content": text}, "finish_reason": None} for text in texts),
        {"delta": {}, "finish_reason": "stop"},
    ]
    chunks = [_chunk([{"index": 0, "logprobs": None, **choice}], None) for choice in choices]
    chunks.append(_chunk([], _USAGE))
    blocks = [b"data: %b\n\n" % encoded(chunk) for chunk in chunks]
    return Stream((*blocks, _DONE), first=1)


def _chunk(choices: list[Json], usage: Json | None) -> Json:
    return {
        "id": "chatcmpl-0123456789abcdef",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": MODEL,
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
        "choices": choices,
        "usage": usage,
    }


def _whole() -> Json:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": ANSWER, "refusal": None, "annotations": []},
        "logprobs": None,
        "finish_reason": "stop",
    }
    return {**_chunk([choice], _USAGE), "object": "chat.completion"}


def _body(model: str, said: Sequence[Said], stream: bool) -> Json:  # noqa: FBT001
    messages = [{"role": each.role, "content": each.text} for each in said]
    streams = {"stream": True, "stream_options": {"include_usage": True}}
    return {"model": model, "messages": messages, **(streams if stream else {})}


def _text_of(reply: Json) -> str:
    return str(reply["choices"][0]["message"]["content"])


CHAT = Wire(
    path="/v1/chat/completions",
    stream_path="/v1/chat/completions",
    body=_body,
    stream=_stream,
    whole=_whole(),
    text_of=_text_of,
    delta=re.compile(rb'"delta":\{[^{}]*"content":"([^"]+)"'),
    end=_DONE,
)
