"""The content blocks of a Messages request, read into neutral parts.

Forms: types of anthropic-python 2.14 (seen 2026-11-22). A block of another type is opaque.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import (
    as_object,
    objects,
    optional_bool,
    optional_object,
    optional_text,
    text_field,
    wrong_type,
)
from airelays_app.dialects.messages.thinking import DIALECT, read_thinking
from airelays_app.dialects.unread import unread_of_parts
from airelays_app.errors import Unprocessable
from airelays_app.framing.jsontext import dumps
from airelays_app.neutral.request import (
    CacheHint,
    File,
    Image,
    Opaque,
    Part,
    Text,
    ToolCall,
    ToolResult,
)

_READ_OF_BLOCKS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "text": frozenset("type text cache_control citations".split()),
        "image": frozenset("type source cache_control".split()),
        "document": frozenset("type source title context cache_control".split()),
        "search_result": frozenset("type source title content cache_control".split()),
        "tool_result": frozenset("type tool_use_id content is_error cache_control".split()),
    }
)
"""Citations of a text are what a model has said, and ask for nothing."""

_COMPACTION = "compaction"
"""A block that stands for all that was said before it, unless its content is null: then the
compaction has failed (anthropic SDK 2.14, seen 2026-11-25)."""


def read_content(content: Any, path: str, *, without: tuple[str, ...] = ()) -> Iterator[Part]:
    """Yield the parts of a message's or tool result's content: a string or blocks.

    Raises Unprocessable for one of a type that has no place there.
    """
    if isinstance(content, str):
        yield Text(content)
        return
    if not isinstance(content, list):
        raise wrong_type(path, "a string or an array of content blocks")
    for block_path, block in objects(content, path):
        kind = text_field(block, "type", block_path)
        if kind in without:
            place = f"{block_path}.type"
            raise Unprocessable(f"{place}: {kind} has no place here.", param=place)
        if reader := _READERS.get(kind):
            yield from reader(block_path, block)
        else:
            essential = kind == _COMPACTION and block.get("content") is not None
            yield Opaque(DIALECT, block, block_path, essential=essential)


def unread_of_blocks(content: Any, path: str) -> Iterator[str]:
    """Yield the paths of fields that :func:`read_content` leaves out."""
    yield from unread_of_parts(content, _READ_OF_BLOCKS, path)
    for block_path, block in objects(content, path) if isinstance(content, list) else ():
        if block.get("type") == "tool_result":
            yield from unread_of_blocks(block.get("content"), f"{block_path}.content")


def _cache_of(path: str, block: Json) -> CacheHint | None:
    return optional_object(block, "cache_control", path)


def _read_text(path: str, block: Json) -> Iterator[Part]:
    yield Text(text_field(block, "text", path), block, _cache_of(path, block))


def _read_image(path: str, block: Json) -> Iterator[Part]:
    source_path = f"{path}.source"
    source = as_object(block.get("source"), source_path)
    match source.get("type"):
        case "base64":
            url = _data_url(source, source_path)
        case "url":
            url = text_field(source, "url", source_path)
        case _:
            raise _unreachable(source_path)
    yield Image(url, cache=_cache_of(path, block))


def _read_document(path: str, block: Json) -> Iterator[Part]:
    source_path = f"{path}.source"
    source = as_object(block.get("source"), source_path)
    title, cache = optional_text(block, "title", path), _cache_of(path, block)
    if context := optional_text(block, "context", path):
        yield Text(f"About the next document:\n{context}")
    match source.get("type"):
        case "base64":
            yield File(title, _data_url(source, source_path), cache=cache, path=path)
        case "url":
            url = text_field(source, "url", source_path)
            yield File(title, url=url, cache=cache, path=path)
        case "text":
            yield Text(_titled(title, text_field(source, "data", source_path)), cache=cache)
        case "content":
            yield from _titled_parts(title, source.get("content"), f"{source_path}.content")
        case _:
            raise _unreachable(source_path)


def _read_search_result(path: str, block: Json) -> Iterator[Part]:
    title = f"{text_field(block, 'title', path)} ({text_field(block, 'source', path)})"
    yield from _titled_parts(title, block.get("content"), f"{path}.content")


def _titled_parts(title: str | None, content: Any, path: str) -> Iterator[Part]:
    if title:
        yield Text(_titled(title, ""))
    yield from read_content(content, path)


def _titled(title: str | None, text: str) -> str:
    return f"Document {title}:\n{text}" if title else text


def _data_url(source: Json, path: str) -> str:
    return (
        f"data:{text_field(source, 'media_type', path)};base64,{text_field(source, 'data', path)}"
    )


def _unreachable(path: str) -> Exception:
    return wrong_type(
        f"{path}.type",
        "base64, url or text for this model: no file of another service can be read for it",
    )


def _read_tool_reference(path: str, block: Json) -> Iterator[Part]:
    """Tell of a tool that a search has found: elsewhere it is one that can be called anyway."""
    yield Text(f"The tool {text_field(block, 'tool_name', path)} can be called now.")


def _read_reasoning(path: str, block: Json) -> Iterator[Part]:
    yield read_thinking(path, block)


def _read_call(path: str, block: Json) -> Iterator[Part]:
    yield ToolCall(
        call_id=text_field(block, "id", path),
        name=text_field(block, "name", path),
        arguments=dumps(as_object(block.get("input"), f"{path}.input")).decode(),
        native=block,
        cache=_cache_of(path, block),
    )


def _read_result(path: str, block: Json) -> Iterator[Part]:
    content = block.get("content")
    yield ToolResult(
        call_id=text_field(block, "tool_use_id", path),
        parts=() if content is None else tuple(_read_told(content, f"{path}.content")),
        is_error=optional_bool(block, "is_error", path) or False,
        native=block,
        cache=_cache_of(path, block),
    )


def _read_told(content: Any, path: str) -> Iterator[Part]:
    return read_content(content, path, without=("tool_use", "tool_result"))


_READERS: dict[str, Callable[[str, Json], Iterator[Part]]] = {
    "text": _read_text,
    "image": _read_image,
    "document": _read_document,
    "search_result": _read_search_result,
    "thinking": _read_reasoning,
    "redacted_thinking": _read_reasoning,
    "tool_reference": _read_tool_reference,
    "tool_use": _read_call,
    "tool_result": _read_result,
}
