"""Files in the messages of a Messages request: those stored here, written out inline.

Ids of the vendor's own Files API (``file_011CN...``) are left for the vendor.
"""

import base64
import re
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.file_parts import FileContent, Resolve, require_short
from airelays_app.errors import Unprocessable

_STORED_HERE = re.compile(r"file_[0-9a-f]{32}", re.ASCII)
_PDF = "application/pdf"


def expand_messages(messages: list[Any], resolve: Resolve) -> list[Any]:
    """Return the messages with every stored file inline; others are the same objects."""
    return [_expand(message, resolve, f"messages[{i}]") for i, message in enumerate(messages)]


def _expand(block: Any, resolve: Resolve, path: str) -> Any:
    """Return a message or a block with the files in it and in its content inline."""
    if not isinstance(block, dict):
        return block
    source = block.get("source")
    if isinstance(source, dict) and _names_a_stored_file(source):
        return _inline(block, source["file_id"], resolve, f"{path}.source.file_id")
    content = block.get("content")
    if not isinstance(content, list):
        return block
    expanded = [_expand(part, resolve, f"{path}.content[{i}]") for i, part in enumerate(content)]
    if all(new is old for new, old in zip(expanded, content, strict=True)):
        return block
    return {**block, "content": expanded}


def _names_a_stored_file(source: Json) -> bool:
    file_id = source.get("file_id")
    if source.get("type") != "file" or not isinstance(file_id, str):
        return False
    return _STORED_HERE.fullmatch(file_id) is not None


def _inline(block: Json, file_id: str, resolve: Resolve, path: str) -> Json:
    file = resolve(file_id, path)
    if file.is_image:
        kept = {name: value for name, value in block.items() if name == "cache_control"}
        return {"type": "image", "source": _base64_of(file), **kept}
    if block.get("type") == "image":
        raise Unprocessable(f"{path} is {file.kind}, which is no image.", param=path)
    return {"title": file.filename, **block, "source": _document_of(file, path)}


def _document_of(file: FileContent, path: str) -> Json:
    """Return a source that every model takes: PDF files and plain text are all there is."""
    if file.kind == _PDF:
        return _base64_of(file)
    if not file.is_text:
        raise Unprocessable(
            f"{path} is {file.kind}; a document is a PDF file or a text.", param=path
        )
    require_short(file, path)
    text = file.data.decode("utf-8", "replace")
    return {"type": "text", "media_type": "text/plain", "data": text}


def _base64_of(file: FileContent) -> Json:
    data = base64.b64encode(file.data).decode()
    return {"type": "base64", "media_type": file.kind, "data": data}
