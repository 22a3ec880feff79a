"""Files in the messages of a Chat Completions request, written out inline."""

from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.file_parts import (
    FileContent,
    Resolve,
    document_of,
    image_url_of,
    text_of,
    with_data_url,
)


def expand_messages(messages: list[Any], resolve: Resolve) -> list[Any]:
    """Return the messages with every stored file inline; others are the same objects."""
    return [_expand(message, resolve, f"messages[{i}]") for i, message in enumerate(messages)]


def _expand(message: Any, resolve: Resolve, path: str) -> Any:
    parts = message.get("content") if isinstance(message, dict) else None
    if not isinstance(parts, list):
        return message
    expanded = [_expand_part(p, resolve, f"{path}.content[{i}]") for i, p in enumerate(parts)]
    if all(new is old for new, old in zip(expanded, parts, strict=True)):
        return message
    return {**message, "content": expanded}


def _expand_part(part: Any, resolve: Resolve, path: str) -> Any:
    if not isinstance(part, dict):
        return part
    image, document = part.get("image_url"), part.get("file")
    if isinstance(image, dict) and isinstance(image.get("file_id"), str):
        id_path = f"{path}.image_url.file_id"
        return _image(resolve(image["file_id"], id_path), id_path, detail=image.get("detail"))
    if isinstance(document, dict):
        return _inline_file(part, resolve, f"{path}.file")
    if isinstance(part.get("file_id"), str):
        return _inline_reference(part["file_id"], resolve, f"{path}.file_id")
    return part


def _inline_file(part: Json, resolve: Resolve, path: str) -> Json:
    source = part["file"]
    if not isinstance(source.get("file_id"), str):
        expanded = with_data_url(source, path)
        return part if expanded is source else {**part, "file": expanded}
    path = f"{path}.file_id"
    file = resolve(source["file_id"], path)
    if file.is_image:
        return _image(file, path)
    return {"type": "file", "file": document_of(file, path)}


def _inline_reference(file_id: str, resolve: Resolve, path: str) -> Json:
    file = resolve(file_id, path)
    return _image(file, path) if file.is_image else {"type": "text", "text": text_of(file, path)}


def _image(file: FileContent, path: str, *, detail: str | None = None) -> Json:
    url = image_url_of(file, path)
    return {"type": "image_url", "image_url": {"url": url, "detail": detail or "auto"}}
