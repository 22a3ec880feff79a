"""Stored files that a request names, read and written inline before it goes out."""

from collections.abc import Callable

from airelays_app.dialects.base import Json
from airelays_app.dialects.chat import files as chat
from airelays_app.dialects.file_parts import FileContent, Resolve
from airelays_app.dialects.messages import files as messages
from airelays_app.dialects.responses import files as responses
from airelays_app.errors import NotFound, TooLarge, Unprocessable
from airelays_app.store.files import FileStore


class FileInputs:
    """The stored files; written out inline, one request's may have ``max_bytes`` in all."""

    def __init__(self, files: FileStore, *, max_bytes: int) -> None:
        self._files = files
        self._max_bytes = max_bytes

    def resolver(self, owner: str | None) -> Resolve:
        """Return what reads the stored files of one request of ``owner``, each at most once.

        It raises TooLarge once they are too much: a file counts wherever it is named.
        """
        read: dict[str, FileContent] = {}
        left = self._max_bytes

        def resolve(file_id: str, path: str) -> FileContent:
            nonlocal left
            if file_id not in read:
                read[file_id] = _read(self._files, owner, file_id, path)
            left -= _inline_bytes(read[file_id])
            if left < 0:
                raise _too_much(self._max_bytes, path)
            return read[file_id]

        return resolve


def _inline_bytes(file: FileContent) -> int:
    """Return what a file takes in Base64."""
    return -(-len(file.data) // 3) * 4


def _too_much(limit: int, path: str) -> TooLarge:
    return TooLarge(
        f"The stored files that the request names have more than {limit} bytes written out inline "
        f"(server.max_body_bytes); {path} is the first one too many.",
        param=path,
    )


def _read(files: FileStore, owner: str | None, file_id: str, path: str) -> FileContent:
    try:
        stored, stream = files.open(file_id, owner=owner)
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
