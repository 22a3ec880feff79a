"""Hourly log files that several processes append whole lines to.

``YYYY/MM/DD-HH.log`` (UTC), then ``DD-HH.1.log`` and so on when one is full. Each append holds a
lock on the file, so that the size limit is exact and a line that did not fit on the disk is
taken back. Links are never followed.
"""

import errno
import fcntl
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import count
from pathlib import Path

from airelays_app.store.private_file import make_private_directory


class HourlyFiles:
    """The log files of one process; at most one is open."""

    def __init__(self, directory: Path, *, max_file_bytes: int) -> None:
        self._directory = directory
        self._max_file_bytes = max_file_bytes
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._open_name: tuple[datetime, int] | None = None

    def append(self, line: bytes, *, at: datetime) -> None:
        """Append one whole line to the file of the hour ``at``; raises OSError and writes none."""
        hour = at.replace(minute=0, second=0, microsecond=0)
        with self._lock:
            for part in count(self._part_of(hour)):
                if self._appended(line, hour=hour, part=part):
                    return

    def close(self) -> None:
        """Close the open file; a later append opens it again."""
        with self._lock:
            self._close()

    def _part_of(self, hour: datetime) -> int:
        return self._open_name[1] if self._open_name and self._open_name[0] == hour else 0

    def _appended(self, line: bytes, *, hour: datetime, part: int) -> bool:
        """Tell whether the line is in this file now; False when it would not fit."""
        while True:
            descriptor = self._opened(hour, part)
            with _locked(descriptor):
                status = os.fstat(descriptor)
                was_removed = status.st_nlink == 0
                fits = not status.st_size or status.st_size + len(line) <= self._max_file_bytes
                if fits and not was_removed:
                    _write_whole(descriptor, line, size_before=status.st_size)
            if not was_removed:
                return fits
            self._close()

    def _opened(self, hour: datetime, part: int) -> int:
        if self._descriptor is not None and self._open_name == (hour, part):
            return self._descriptor
        self._close()
        self._descriptor = _open_log(self._directory, hour, part)
        self._open_name = (hour, part)
        return self._descriptor

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None
        self._open_name = None


@contextmanager
def _locked(descriptor: int) -> Iterator[None]:
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _write_whole(descriptor: int, line: bytes, *, size_before: int) -> None:
    try:
        written = os.write(descriptor, line)
    except OSError:
        os.ftruncate(descriptor, size_before)
        raise
    if written < len(line):
        os.ftruncate(descriptor, size_before)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _open_log(directory: Path, hour: datetime, part: int) -> int:
    make_private_directory(directory)
    suffix = f".{part}.log" if part else ".log"
    with (
        _directory(directory, inside=None) as base,
        _directory(f"{hour:%Y}", inside=base) as year,
        _directory(f"{hour:%m}", inside=year) as month,
    ):
        return _open_private(f"{hour:%d-%H}{suffix}", inside=month)


@contextmanager
def _directory(name: str | Path, *, inside: int | None) -> Iterator[int]:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    if inside is not None:
        flags |= os.O_NOFOLLOW
        with suppress(FileExistsError):  # made for an earlier hour
            os.mkdir(name, 0o700, dir_fd=inside)
    descriptor = os.open(name, flags, dir_fd=inside)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _open_private(name: str, *, inside: int) -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open(name, flags, 0o600, dir_fd=inside)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.close(descriptor)
        raise OSError(errno.EINVAL, "the log file is not a regular file of one name")
    os.fchmod(descriptor, 0o600)
    return descriptor
