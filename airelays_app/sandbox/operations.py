"""What a compatible server offers beside replies: embeddings, speech, images, any call at all."""

import base64
import hashlib
import re
import struct
from collections.abc import Iterator
from typing import Any

from airelays_app.sandbox.exchange import Answer, json_answer
from airelays_app.sandbox.faults import fault
from airelays_app.sandbox.recorded import RecordedRequest
from airelays_app.sandbox.routing import Visit

DIMENSIONS = 8
_PIECE = 4096
_PART_NAME = re.compile(rb'; name="([^"]*)"')
_FILE_NAME = re.compile(rb'filename="([^"]*)"')
_PIXEL = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63"
        "f8cfc0f01f0005050102a05fc8f10000000049454e44ae426082"
    )
).decode()


def embeddings(visit: Visit) -> Answer:
    """Answer with vectors that depend on the text alone, as floats or base64."""
    given = visit.body.get("input")
    if not given or not isinstance(given, str | list):
        return fault("'input' is required.", "input", "missing_required_parameter")
    texts = [given] if isinstance(given, str) else given
    as_text = visit.body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _vector(text, as_text=as_text)}
        for index, text in enumerate(texts)
    ]
    tokens = sum(len(str(text).split()) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return json_answer(
        200, {"object": "list", "data": data, "model": visit.body.get("model"), "usage": usage}
    )


def session(visit: Visit) -> Answer:
    """Begin a realtime session (OpenAI API reference, seen 2026-11-25)."""
    secret = {"value": "ek_sandbox", "expires_at": 1_760_000_060}
    return json_answer(
        200,
        {"object": "realtime.session", "model": visit.body.get("model"), "client_secret": secret},
    )


def speech(visit: Visit) -> None:
    """Stream a tone as long as the text, in pieces."""
    visit.exchange.open_stream((("content-type", "audio/wav"),))
    for piece in _cut(tone(str(visit.body.get("input", "")))):
        visit.exchange.wait(visit.plan.pause)
        visit.exchange.send(piece)
    visit.exchange.finish_stream()


def tone(text: str) -> bytes:
    """Return the audio file that ``text`` becomes."""
    samples = hashlib.sha256(text.encode()).digest() * (64 * max(1, len(text)))
    head = struct.pack("<4sI4s4sIHHIIHH", *_wave_format(len(samples)))
    return head + struct.pack("<4sI", b"data", len(samples)) + samples


def transcription(visit: Visit) -> Answer:
    """Answer with what arrived: the model, the file's name, size and digest."""
    form = fields_of(visit.request)
    name, content = form.get("file", ("", b""))
    if not name:
        return fault("'file' is required.", "file", "missing_required_parameter")
    digest = hashlib.sha256(content).hexdigest()
    text = f"{form['model'][1].decode()} heard {name}: {len(content)} bytes, {digest}"
    if form.get("response_format", ("", b"json"))[1] == b"text":
        return Answer(200, f"{text}\n".encode(), content_type="text/plain; charset=utf-8")
    return json_answer(200, {"text": text})


def image(visit: Visit) -> Answer:
    """Answer with one pixel and what was asked for."""
    asked = (
        visit.body.get("prompt") or fields_of(visit.request).get("prompt", ("", b""))[1].decode()
    )
    return json_answer(
        200, {"created": 1_760_000_000, "data": [{"b64_json": _PIXEL, "revised_prompt": asked}]}
    )


def moderation(visit: Visit) -> Answer:
    """Answer that nothing is wrong with the text (OpenAI API reference, seen 2026-11-25)."""
    result = {"flagged": False, "categories": {"violence": False}}
    model = visit.body.get("model")
    return json_answer(200, {"id": "modr-sandbox", "model": model, "results": [result]})


def echo(visit: Visit) -> Answer:
    """Answer with the request as it arrived, and headers that a relay has to look at."""
    request = visit.request
    shown = {
        "method": request.method,
        "target": request.target,
        "headers": request.headers,
        "body": base64.b64encode(request.body).decode(),
    }
    headers = (
        ("set-cookie", "spy=1"),
        ("x-vendor", "kept"),
        ("connection", "x-hop"),
        ("x-hop", "1"),
    )
    return json_answer(418 if "teapot" in request.path else 200, shown, headers)


def fields_of(request: RecordedRequest) -> dict[str, tuple[str, bytes]]:
    """Return the parts of a multipart form by name: the file's name (or "") and the content."""
    boundary = request.headers.get("content-type", "").rpartition("boundary=")[2].strip('"')
    found: dict[str, tuple[str, bytes]] = {}
    for part in request.body.split(f"--{boundary}".encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name, file = _PART_NAME.search(head), _FILE_NAME.search(head)
        if name:
            found[name[1].decode()] = (file[1].decode() if file else "", content[:-2])
    return found


def vector(text: Any) -> list[float]:
    """Return the vector that ``text`` has."""
    digest = hashlib.sha256(str(text).encode("utf-8", "replace")).digest()
    return [value / 255 for value in digest[:DIMENSIONS]]


def _vector(text: Any, *, as_text: bool) -> Any:
    numbers = vector(text)
    packed = base64.b64encode(struct.pack(f"<{DIMENSIONS}f", *numbers)).decode()
    return packed if as_text else numbers


def _wave_format(size: int) -> tuple[Any, ...]:
    return (b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8)


def _cut(data: bytes) -> Iterator[bytes]:
    return (data[start : start + _PIECE] for start in range(0, len(data), _PIECE))
