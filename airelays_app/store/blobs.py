"""File contents on the disk, one file per id, complete or not there at all."""

import errno
import hashlib
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from airelays_app.errors import TooLarge
from airelays_app.store.faults import disk_faults
from airelays_app.store.private_file import make_private_directory

_CHUNK_BYTES = 256 * 1024
_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_PART_SUFFIX = ".part"
_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


class ByteStream(Protocol):
    """What a blob is read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, none at the end."""


@dataclass(frozen=True, slots=True)
class Received:
    """Size in bytes and SHA-256 (hex) of what arrived."""

    bytes: int
    sha256: str


class BlobDirectory:
    """A private directory of blobs named by our own ids, never by a client."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, name: str) -> Path:
        """Return where the blob is or would be; raises ValueError for anything but an id."""
        if not _NAME.fullmatch(name):
            raise ValueError("not a blob name")
        return self._directory / name

    def receive(self, name: str, stream: ByteStream, *, limit: int, refusal: TooLarge) -> Received:
        """Copy ``stream`` to the blob ``name``; it is on the disk under that name afterwards.

        Stops as soon as more than ``limit`` bytes have arrived and raises ``refusal``; raises
        Unavailable when the disk fails. What ``stream.read`` raises passes. Nothing remains of
        a blob that did not arrive whole.
        """
        target = self.path(name)
        part = target.with_name(f"{name}{_PART_SUFFIX}")
        with disk_faults():
            self._make_directory()
        with _removed_unless_complete(part):
            received = _copy(stream, part, limit=limit, refusal=refusal)
            with disk_faults():
                part.replace(target)
                self._sync_directory()
        return received

    def open(self, path: Path) -> BinaryIO | None:
        """Open a blob for reading; None when it is gone or not a regular file."""
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        with disk_faults():
            try:
                descriptor = os.open(path, flags)
            except OSError as error:
                if error.errno in _NOT_THERE:
                    return None
                raise
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return None
        return os.fdopen(descriptor, "rb")

    def remove(self, path: Path) -> None:
        """Remove a blob if it is there."""
        with disk_faults(), suppress(FileNotFoundError):
            path.unlink()

    def names_older_than(self, seconds: float) -> Iterator[tuple[str, Path]]:
        """Yield id and path of each blob, finished or not, that did not change for ``seconds``."""
        latest = time.time() - seconds
        with suppress(FileNotFoundError), os.scandir(self._directory) as entries:
            for entry in entries:
                name = entry.name.removesuffix(_PART_SUFFIX)
                if _NAME.fullmatch(name) and _is_unchanged_file(entry, since=latest):
                    yield name, Path(entry.path)

    def _make_directory(self) -> None:
        make_private_directory(self._directory)

    def _sync_directory(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _removed_unless_complete(part: Path) -> Iterator[None]:
    try:
        yield
    finally:
        with suppress(OSError):  # renamed away by now, or left for the sweep
            part.unlink()


def _copy(stream: ByteStream, part: Path, *, limit: int, refusal: TooLarge) -> Received:
    digest = hashlib.sha256()
    size = 0
    with _created(part) as descriptor:
        while chunk := stream.read(_CHUNK_BYTES):
            size += len(chunk)
            if size > limit:
                raise refusal
            digest.update(chunk)
            _write_all(descriptor, chunk)
        with disk_faults():
            os.fsync(descriptor)
    return Received(bytes=size, sha256=digest.hexdigest())


@contextmanager
def _created(part: Path) -> Iterator[int]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    with disk_faults():
        descriptor = os.open(part, flags, 0o600)
    try:
        with disk_faults():
            os.fchmod(descriptor, 0o600)
        yield descriptor
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    with disk_faults():
        while rest:
            rest = rest[os.write(descriptor, rest) :]


def _is_unchanged_file(entry: os.DirEntry[str], *, since: float) -> bool:
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_ctime <= since
