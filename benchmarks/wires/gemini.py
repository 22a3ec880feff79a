"""Gemini, as generativelanguage.googleapis.com streams it: its lines end in CRLF."""

import re
from collections.abc import Sequence

from benchmarks.wires.wire import ANSWER, MODEL, Json, Said, Stream, Wire, encoded

_ROLES = {"user": "user", "assistant": "model"}
_ENDED = {"finishReason": "STOP"}


def _stream(texts: tuple[str, ...]) -> Stream:
    responses = [_response(text, {}, count) for count, text in enumerate(texts, 1)]
    responses.append(_response("", _ENDED, len(texts)))
    return Stream(tuple(b"data: %b\r\n\r\n" % encoded(each) for each in responses), first=0)


def _response(text: str, ending: Json, count: int) -> Json:
    """Return one event; ``count`` tokens of the answer were made so far."""
    content = {"parts": [{"text": text}], "role": "model"}
    return {
        "candidates": [{"content": content, **ending, "index": 0}],
        "usageMetadata": {
            "promptTokenCount": 32,
            "candidatesTokenCount": count,
            "totalTokenCount": 32 + count,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 32}],
        },
        "modelVersion": MODEL,
        "responseId": "0123456789abcdef0123456",
    }


def _body(model: str, said: Sequence[Said], stream: bool) -> Json:  # noqa: ARG001, FBT001
    """Model and stream are said in the path."""
    system = "\n".join(each.text for each in said if each.role == "system")
    contents = [
        {"role": _ROLES[each.role], "parts": [{"text": each.text}]}
        for each in said
        if each.role in _ROLES
    ]
    return {"systemInstruction": {"parts": [{"text": system}]}, "contents": contents}


def _text_of(reply: Json) -> str:
    return str(reply["candidates"][0]["content"]["parts"][0]["text"])


GEMINI = Wire(
    path="/v1beta/models/{model}:generateContent",
    stream_path="/v1beta/models/{model}:streamGenerateContent?alt=sse",
    body=_body,
    stream=_stream,
    whole=_response(ANSWER, _ENDED, 20),
    text_of=_text_of,
    delta=re.compile(rb'"parts":\[\{"text":"([^"]+)"'),
    end=b'"finishReason":"STOP"',
)
