"""Stored files that a request names, read and written inline before it goes out."""

from collections.abc import Callable

from airelays_app.dialects.base import Json
from airelays_app.dialects.chat import files as chat
from airelays_app.dialects.file_parts import FileContent, Resolve
from airelays_app.dialects.messages import files as messages
from airelays_app.dialects.responses import files as responses
from airelays_app.errors import NotFound, Unprocessable
from airelays_app.store.files import FileStore


def resolver(files: FileStore) -> Resolve:
    """Return what reads a stored file, each at most once per request."""
    read: dict[str, FileContent] = {}

    def resolve(file_id: str, path: str) -> FileContent:
        if file_id not in read:
            read[file_id] = _read(files, file_id, path)
        return read[file_id]

    return resolve


def _read(files: FileStore, file_id: str, path: str) -> FileContent:
    try:
        stored, stream = files.open(file_id)
    except NotFound as error:
        message = f"{path} names no stored file; upload it with POST /v1/files first."
        raise Unprocessable(message, param=path) from error
    with stream:
        return FileContent(stored.filename, stored.content_type, stream.read())


def inline_files(body: Json, dialect: str, resolve: Resolve) -> Json:
    """Return ``body`` with its files inline: the same object if it names none."""
    expand = _EXPANDERS.get(dialect)
    return expand(body, resolve) if expand else body


def _inline_responses(body: Json, resolve: Resolve) -> Json:
    items = body.get("input")
    if isinstance(items, dict):
        items = [items]
    return _replaced(body, "input", items, responses.expand_items, resolve)


def _inline_chat(body: Json, resolve: Resolve) -> Json:
    return _replaced(body, "messages", body.get("messages"), chat.expand_messages, resolve)


def _inline_messages(body: Json, resolve: Resolve) -> Json:
    return _replaced(body, "messages", body.get("messages"), messages.expand_messages, resolve)


def _replaced(
    body: Json,
    name: str,
    items: object,
    expand: Callable[[list[Json], Resolve], list[Json]],
    resolve: Resolve,
) -> Json:
    if not isinstance(items, list):
        return body
    expanded = expand(items, resolve)
    if all(new is old for new, old in zip(expanded, items, strict=True)):
        return body
    return {**body, name: expanded}


_EXPANDERS: dict[str, Callable[[Json, Resolve], Json]] = {
    "responses": _inline_responses,
    "chat": _inline_chat,
    "messages": _inline_messages,
}
