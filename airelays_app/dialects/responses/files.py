"""Files in the input items of a Responses request, written out inline."""

from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.file_parts import (
    Resolve,
    document_of,
    image_url_of,
    text_of,
    with_data_url,
)


def expand_items(items: list[Json], resolve: Resolve, *, path: str = "input") -> list[Json]:
    """Return the items with every stored file inline; items without one are the same objects."""
    return [_expand_item(item, resolve, f"{path}[{i}]") for i, item in enumerate(items)]


def _expand_item(item: Any, resolve: Resolve, path: str) -> Any:
    if not isinstance(item, dict):
        return item
    for field in ("content", "output"):
        parts = item.get(field)
        if not isinstance(parts, list):
            continue
        expanded = [_expand_part(p, resolve, f"{path}.{field}[{i}]") for i, p in enumerate(parts)]
        if any(new is not old for new, old in zip(expanded, parts, strict=True)):
            item = {**item, field: expanded}
    return item


def _expand_part(part: Any, resolve: Resolve, path: str) -> Any:
    if not isinstance(part, dict):
        return part
    file_id = part.get("file_id")
    if isinstance(file_id, str):
        return _inline(part, file_id, resolve, path)
    return with_data_url(part, path) if part.get("type") == "input_file" else part


def _inline(part: Json, file_id: str, resolve: Resolve, path: str) -> Json:
    path = f"{path}.file_id"
    file = resolve(file_id, path)
    kind = part.get("type")
    if file.is_image or kind in ("input_image", "image_url"):
        url = image_url_of(file, path)
        return {"type": "input_image", "image_url": url, "detail": part.get("detail") or "auto"}
    if kind in ("input_file", "file"):
        return {"type": "input_file", **document_of(file, path)}
    return {"type": "input_text", "text": text_of(file, path)}
