"""Uploaded files: rows in the database, contents beside it.

Content comes first, complete and on the disk under its final name, then the row. A crash in
between leaves content without a row, which :meth:`FileStore.sweep` removes, never a row without
its content. Deleting goes the other way round.
"""

import re
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from airelays_app.errors import NotFound, TooLarge
from airelays_app.ids import fresh_id
from airelays_app.store.blobs import BlobDirectory, ByteStream
from airelays_app.store.database import Database
from airelays_app.store.paging import Order, Page, checked_limit, direction, page_of

_LONGEST_PAGE = 10_000
_LONGEST_TEXT = 255
_TOMBSTONE_SECONDS = 24 * 3600
_ORPHAN_SECONDS = 3600
_UNNAMED = "upload"
_UNKNOWN_TYPE = "application/octet-stream"
_UNSAFE_CHARACTERS = re.compile("[\x00-\x1f\x7f\u0080-\u009f\ud800-\udfff]")
_CONTENT_TYPE = re.compile(r"[\w.+*-]+/[\w.+*-]+(?:[ \t]*;[\x20-\x7e]*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What is known of a stored file; ``created_at`` is in Unix seconds.

    ``owner`` is the credential that it is for. None or an empty name stands for all: it was made
    while none was asked for, or by an earlier release.
    """

    id: str
    owner: str | None
    filename: str
    purpose: str
    content_type: str
    bytes: int
    sha256: str
    created_at: int


@dataclass(frozen=True, slots=True)
class FileCounters:
    """How much is stored."""

    file_count: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed."""

    orphans: int
    tombstones: int


class FileStore:
    """Uploads of at most ``max_file_bytes`` each, and files of ``max_total_bytes`` in all.

    The total holds exactly, however many threads and processes upload at once. Every method
    raises Unavailable when the database or the disk fails. ``owner`` is who asks: what has another
    owner is not found.
    """

    def __init__(
        self, database: Database, uploads_dir: Path, *, max_file_bytes: int, max_total_bytes: int
    ) -> None:
        self._database = database
        self._blobs = BlobDirectory(uploads_dir)
        self._max_file_bytes = max_file_bytes
        self._max_total_bytes = max_total_bytes

    def create(
        self,
        stream: ByteStream,
        *,
        filename: str,
        purpose: str,
        content_type: str,
        owner: str | None = None,
        is_upload: bool = True,
    ) -> StoredFile:
        """Store what ``stream`` yields; raises TooLarge as soon as a limit is passed.

        ``filename`` is kept as a label only: without folders and control characters, at most
        255 characters. A ``content_type`` that is none becomes ``application/octet-stream``.
        What the relay itself has made, and is no upload, may take all the room that is left.
        """
        file_id = fresh_id("file")
        limit, refusal = self._room_for_one(is_upload=is_upload)
        received = self._blobs.receive(file_id, stream, limit=limit, refusal=refusal)
        stored = StoredFile(
            id=file_id,
            owner=owner,
            filename=_label(filename),
            purpose=_clean(purpose),
            content_type=_content_type(content_type),
            bytes=received.bytes,
            sha256=received.sha256,
            created_at=int(time.time()),
        )
        try:
            self._insert(stored)
        except BaseException:
            self._blobs.remove(self._blobs.path(file_id))
            raise
        return stored

    def get(self, file_id: str, *, owner: str | None = None) -> StoredFile:
        """Return the file's row; raises NotFound."""
        with self._database.reading() as connection:
            return _stored_file(_live_row(connection, file_id, owner))

    def open(self, file_id: str, *, owner: str | None = None) -> tuple[StoredFile, BinaryIO]:
        """Return the row and the content, open for reading; the caller closes it.

        Raises NotFound, with the code ``file_content_missing`` when only the content is gone.
        """
        with self._database.reading() as connection:
            row = _live_row(connection, file_id, owner)
        for path in self._paths(row):
            content = self._blobs.open(path)
            if content is not None:
                return _stored_file(row), content
        raise NotFound(
            "The content of this file is gone from the disk; delete it and upload it again.",
            param="file_id",
            code="file_content_missing",
        )

    def list(
        self,
        *,
        limit: int = _LONGEST_PAGE,
        order: Order = "desc",
        after: str | None = None,
        purpose: str | None = None,
        owner: str | None = None,
    ) -> Page[StoredFile]:
        """Return up to ``limit`` files by age, beginning behind the id ``after``.

        A file deleted within the last day still works as ``after``, so that a client may delete
        while it pages; any other unknown id raises NotFound.
        """
        way = direction(order)
        checked_limit(limit, maximum=_LONGEST_PAGE)
        with self._database.reading() as connection:
            position = _position(connection, after, owner) if after is not None else (None, None)
            rows = connection.execute(
                f"""
                SELECT * FROM files
                WHERE deleted_at IS NULL
                  AND COALESCE(owner, '') IN ('', :owner)
                  AND (:created_at IS NULL
                       OR (created_at, sequence) {way.beyond} (:created_at, :sequence))
                  AND (:purpose IS NULL OR purpose = :purpose)
                ORDER BY created_at {way.keyword}, sequence {way.keyword} LIMIT :limit
                """,  # noqa: S608 - both words come from a table of ours
                {
                    "created_at": position[0],
                    "sequence": position[1],
                    "purpose": _clean(purpose) if purpose is not None else None,
                    "owner": owner,
                    "limit": limit + 1,
                },
            ).fetchall()
        return page_of([(row["id"], _stored_file(row)) for row in rows], limit=limit)

    def delete(self, file_id: str, *, owner: str | None = None) -> None:
        """Forget the file and remove its content; raises NotFound for an unknown id."""
        with self._database.writing(durable=True) as connection:
            row = _live_row(connection, file_id, owner)
            connection.execute(
                """
                UPDATE files SET deleted_at = ?, filename = '', content_type = '', sha256 = '',
                                 bytes = 0
                WHERE id = ?
                """,
                [int(time.time()), file_id],
            )
        for path in self._paths(row):
            self._blobs.remove(path)

    def delete_named(self, filename: str, *, owner: str) -> None:
        """Delete the owner's files of this name; there may be none."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT id FROM files WHERE filename = ? AND owner = ? AND deleted_at IS NULL",
                [filename, owner],
            ).fetchall()
        for row in rows:
            self.delete(row["id"], owner=owner)

    def counters(self) -> FileCounters:
        """Return how many files and bytes are stored."""
        with self._database.reading() as connection:
            count, total = connection.execute(
                "SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM files WHERE deleted_at IS NULL"
            ).fetchone()
        return FileCounters(file_count=count, total_bytes=total)

    def sweep(self, *, orphan_seconds: float = _ORPHAN_SECONDS) -> Swept:
        """Remove what crashes left in the uploads directory, and tombstones older than a day.

        Content younger than ``orphan_seconds`` is left alone: its upload may still be running.
        """
        orphans = 0
        for file_id, path in list(self._blobs.names_older_than(orphan_seconds)):
            if path.name != file_id or not self._is_live(file_id):
                self._blobs.remove(path)
                orphans += 1
        with self._database.writing() as connection:
            tombstones = connection.execute(
                "DELETE FROM files WHERE deleted_at < ?", [int(time.time()) - _TOMBSTONE_SECONDS]
            ).rowcount
        return Swept(orphans=orphans, tombstones=tombstones)

    def _room_for_one(self, *, is_upload: bool) -> tuple[int, TooLarge]:
        """Return how many bytes a file may have now, and the error for one more."""
        room = self._max_total_bytes - self.counters().total_bytes
        if room < self._max_file_bytes or not is_upload:
            return room, self._store_is_full()
        return self._max_file_bytes, TooLarge(
            f"A file may have {self._max_file_bytes} bytes.", param="file", code="file_too_large"
        )

    def _insert(self, stored: StoredFile) -> None:
        with self._database.writing(durable=True) as connection:
            (total,) = connection.execute(
                "SELECT COALESCE(SUM(bytes), 0) FROM files WHERE deleted_at IS NULL"
            ).fetchone()
            if total + stored.bytes > self._max_total_bytes:
                raise self._store_is_full()
            connection.execute(
                """
                INSERT INTO files (id, owner, filename, purpose, content_type, bytes, sha256,
                                   created_at, storage_path)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    stored.id,
                    stored.owner,
                    stored.filename,
                    stored.purpose,
                    stored.content_type,
                    stored.bytes,
                    stored.sha256,
                    stored.created_at,
                    str(self._blobs.path(stored.id)),
                ],
            )

    def _store_is_full(self) -> TooLarge:
        return TooLarge(
            f"The stored files may have {self._max_total_bytes} bytes in all; delete some first.",
            param="file",
            code="storage_full",
        )

    def _paths(self, row: sqlite3.Row) -> tuple[Path, ...]:
        """Return where the content may be: by its id, or where an earlier release put it."""
        recorded = Path(row["storage_path"])
        own = self._blobs.path(row["id"])
        is_named_by_id = recorded.is_absolute() and recorded.name == own.name
        return (own, recorded) if is_named_by_id and recorded != own else (own,)

    def _is_live(self, file_id: str) -> bool:
        with self._database.reading() as connection:
            found = connection.execute(
                "SELECT 1 FROM files WHERE id = ? AND deleted_at IS NULL", [file_id]
            ).fetchone()
        return found is not None


def _live_row(connection: sqlite3.Connection, file_id: str, owner: str | None) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute(
        """
        SELECT * FROM files
        WHERE id = ? AND deleted_at IS NULL AND COALESCE(owner, '') IN ('', ?)
        """,
        [_clean(file_id), owner],
    ).fetchone()
    if row is None:
        raise NotFound("There is no file with this id.", param="file_id")
    return row


def _position(connection: sqlite3.Connection, file_id: str, owner: str | None) -> tuple[int, int]:
    row = connection.execute(
        """
        SELECT created_at, sequence FROM files WHERE id = ? AND COALESCE(owner, '') IN ('', ?)
        """,
        [_clean(file_id), owner],
    ).fetchone()
    if row is None:
        raise NotFound("There is no file with the id given as after.", param="after")
    return row["created_at"], row["sequence"]


def _stored_file(row: sqlite3.Row) -> StoredFile:
    return StoredFile(**{name: row[name] for name in StoredFile.__slots__})


def _clean(text: str) -> str:
    """Replace what SQLite or a header cannot carry: control characters and lone surrogates."""
    return _UNSAFE_CHARACTERS.sub("\ufffd", text)[:_LONGEST_TEXT]


def _label(filename: str) -> str:
    name = re.split(r"[/\\]", filename.rstrip("/\\"))[-1].strip()
    return _clean(name) if name not in ("", ".", "..") else _UNNAMED


def _content_type(text: str) -> str:
    usable = len(text) <= _LONGEST_TEXT and _CONTENT_TYPE.fullmatch(text)
    return text if usable else _UNKNOWN_TYPE
