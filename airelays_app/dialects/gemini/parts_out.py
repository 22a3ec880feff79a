"""Neutral parts, written as the parts of a Gemini request."""

import mimetypes
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.call_arguments import arguments_object
from airelays_app.dialects.data_url import DataUrl, document_in, read_data_url
from airelays_app.dialects.gemini.call_ids import MADE_UP
from airelays_app.dialects.gemini.seals import DIALECT
from airelays_app.neutral.losses import Loss, left_out
from airelays_app.neutral.request import (
    Audio,
    File,
    Image,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)


def encode_parts(parts: Iterable[Part], losses: list[Loss]) -> Iterator[Json]:
    """Yield all but calls and results; what has no place is noted, empty text is left out."""
    for part in parts:
        encoded = _ENCODERS[part.__class__](part, losses)
        if encoded is not None:
            yield encoded


def call_part(call: ToolCall) -> Json:
    """Return the part of a call."""
    written: Json = {"name": call.name, "args": arguments_object(call.arguments)}
    return {"functionCall": {**_id_of(call.call_id), **written}}


def result_part(result: ToolResult, name: str) -> Json:
    """Return the part of a result of the function ``name``.

    Its text stays text: as an object its long integers would be rounded, because the API reads
    all numbers as doubles.
    """
    text = "\n".join(part.text for part in result.parts if isinstance(part, Text))
    response = {"error" if result.is_error else "output": text}
    written = {"name": name, "response": response}
    return {"functionResponse": {**_id_of(result.call_id), **written}}


def _id_of(call_id: str) -> Json:
    """Return the id, unless the other side never had one."""
    return {} if call_id.startswith(MADE_UP) else {"id": call_id}


def _text(part: Text | Refusal, losses: list[Loss]) -> Json | None:  # noqa: ARG001
    return {"text": part.text} if part.text else None


def _image(part: Image, losses: list[Loss]) -> Json:  # noqa: ARG001
    found = read_data_url(part.url)
    return _inline(found) if found else _by_address(part.url)


def _file(part: File, losses: list[Loss]) -> Json:  # noqa: ARG001
    if part.data is None:
        return _by_address(part.url or "", part.filename)
    return _inline(document_in(part.data, part.path))


def _audio(part: Audio, losses: list[Loss]) -> Json:  # noqa: ARG001
    return {"inlineData": {"mimeType": f"audio/{part.format}", "data": part.data}}


def _inline(found: DataUrl) -> Json:
    return {"inlineData": {"mimeType": found.media_type, "data": found.base64()}}


def _by_address(url: str, filename: str | None = None) -> Json:
    kind = mimetypes.guess_type(filename or url.partition("?")[0])[0]
    return {"fileData": {**({"mimeType": kind} if kind else {}), "fileUri": url}}


def _opaque(part: Opaque, losses: list[Loss]) -> Json | None:
    if part.dialect == DIALECT:
        return part.payload
    losses.append(left_out(part))
    return None


def _reasoning(part: Reasoning, losses: list[Loss]) -> None:  # noqa: ARG001
    losses.append(Loss("reasoning", "it carries no seal of this upstream"))


_ENCODERS: dict[type, Callable[[Any, list[Loss]], Json | None]] = {
    Text: _text,
    Refusal: _text,
    Image: _image,
    File: _file,
    Audio: _audio,
    Reasoning: _reasoning,
    Opaque: _opaque,
}
