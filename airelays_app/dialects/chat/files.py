"""Files in the messages of a Chat Completions request, written out inline."""

from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.file_parts import Resolve, image_url_of, text_of, with_data_url


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
    if isinstance(part.get("image_url"), dict) and isinstance(
        part["image_url"].get("file_id"), str
    ):
        return _inline_image(part, resolve, f"{path}.image_url.file_id")
    if isinstance(part.get("file"), dict):
        return _inline_file(part, resolve, f"{path}.file")
    if isinstance(part.get("file_id"), str):
        file_path = f"{path}.file_id"
        return {"type": "text", "text": text_of(resolve(part["file_id"], file_path), file_path)}
    return part


def _inline_image(part: Json, resolve: Resolve, path: str) -> Json:
    image = part["image_url"]
    url = image_url_of(resolve(image["file_id"], path), path)
    return {"type": "image_url", "image_url": {"url": url, "detail": image.get("detail") or "auto"}}


def _inline_file(part: Json, resolve: Resolve, path: str) -> Json:
    source = part["file"]
    if isinstance(source.get("file_id"), str):
        file = resolve(source["file_id"], f"{path}.file_id")
        return {"type": "file", "file": {"filename": file.filename, "file_data": file.data_url}}
    expanded = with_data_url(source, path)
    return part if expanded is source else {**part, "file": expanded}
