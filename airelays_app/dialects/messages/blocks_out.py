"""Neutral parts, written as the content blocks of a Messages request."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.call_arguments import arguments_object
from airelays_app.dialects.data_url import document_in, read_data_url
from airelays_app.dialects.messages.thinking import DIALECT, sealed_block
from airelays_app.errors import Unprocessable
from airelays_app.neutral.losses import Loss, left_out
from airelays_app.neutral.request import (
    Audio,
    CacheHint,
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

_LEGAL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def encode_parts(parts: Iterable[Part], losses: list[Loss]) -> Iterator[Json]:
    """Yield the blocks; what has no place is noted, empty text is left out."""
    for part in parts:
        block = _ENCODERS[part.__class__](part, losses)
        if block is not None:
            yield block


def legal_call_id(call_id: str) -> str:
    """Return the id of a call as this dialect allows it, the same for its result."""
    if _LEGAL_ID.fullmatch(call_id):
        return call_id
    digest = hashlib.sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()
    return f"toolu_{digest[:24]}"


def _marked(block: Json, cache: CacheHint | None) -> Json:
    return {**block, "cache_control": cache} if cache else block


def _text(part: Text | Refusal, losses: list[Loss]) -> Json | None:  # noqa: ARG001
    """White space alone is refused upstream, so it is left out."""
    if not part.text.strip():
        return None
    cache = part.cache if isinstance(part, Text) else None
    return _marked({"type": "text", "text": part.text}, cache)


def _audio(part: Audio, losses: list[Loss]) -> Json:  # noqa: ARG001
    """Sound is refused by its place."""
    raise Unprocessable(f"{part.path} is sound; this model's upstream takes none.", param=part.path)


def _opaque(part: Opaque, losses: list[Loss]) -> Json | None:
    if part.dialect == DIALECT:
        return part.payload
    losses.append(left_out(part))
    return None


def _reasoning(part: Reasoning, losses: list[Loss]) -> Json | None:
    block = sealed_block(part)
    if block is None:
        losses.append(Loss("reasoning", "it carries no seal of this upstream"))
    return block


def _image(part: Image, losses: list[Loss]) -> Json:  # noqa: ARG001
    return _marked({"type": "image", "source": _image_source(part.url)}, part.cache)


def _image_source(url: str) -> Json:
    found = read_data_url(url)
    if found is None:
        return {"type": "url", "url": url}
    return {"type": "base64", "media_type": found.media_type, "data": found.data}


def _file(part: File, losses: list[Loss]) -> Json:  # noqa: ARG001
    named = {"title": part.filename} if part.filename else {}
    if part.data is None:
        source: Json = {"type": "url", "url": part.url or ""}
        return _marked({"type": "document", "source": source, **named}, part.cache)
    found = document_in(part.data, part.path)
    if found.media_type.startswith("image/"):
        return _marked({"type": "image", "source": _image_source(part.data)}, part.cache)
    if found.media_type.startswith("text/") or found.media_type == "application/json":
        source = {"type": "text", "media_type": "text/plain", "data": found.text(part.path)}
    else:
        source = {"type": "base64", "media_type": found.media_type, "data": found.base64()}
    return _marked({"type": "document", "source": source, **named}, part.cache)


def _call(part: ToolCall, losses: list[Loss]) -> Json:  # noqa: ARG001
    block = {
        "type": "tool_use",
        "id": legal_call_id(part.call_id),
        "name": part.name,
        "input": arguments_object(part.arguments),
    }
    return _marked(block, part.cache)


def _result(part: ToolResult, losses: list[Loss]) -> Json:
    block: Json = {"type": "tool_result", "tool_use_id": legal_call_id(part.call_id)}
    content = list(encode_parts(part.parts, losses))
    if content:
        only_text = len(content) == 1 and content[0].keys() == {"type", "text"}
        block["content"] = content[0]["text"] if only_text else content
    if part.is_error:
        block["is_error"] = True
    return _marked(block, part.cache)


_ENCODERS: dict[type, Callable[[Any, list[Loss]], Json | None]] = {
    Text: _text,
    Refusal: _text,
    Image: _image,
    File: _file,
    Audio: _audio,
    Reasoning: _reasoning,
    ToolCall: _call,
    ToolResult: _result,
    Opaque: _opaque,
}
