"""How long log files are kept: by age first, then the oldest until the total fits."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airelays_app.store.private_file import open_private

_LOG_PATH = re.compile(r"(\d{4})/(\d{2})/(\d{2})-(\d{2})(?:\.(\d+))?\.log", re.ASCII)
_LOCK_NAME = ".retention.lock"


@dataclass(frozen=True, slots=True, order=True)
class _LogFile:
    hour: datetime
    part: int
    path: Path
    bytes: int


def remove_old_logs(
    directory: Path, *, now: datetime, retention_days: float, max_total_bytes: int
) -> int:
    """Remove log files past their days, then the oldest until the rest fits; return how many.

    Only files named like a log are touched, links are neither followed nor removed. Does
    nothing while another process is at it.
    """
    with _only_process(directory) as alone:
        if not alone:
            return 0
        kept = sorted(_log_files(directory))
        oldest_kept = now - timedelta(days=retention_days)
        doomed = [log for log in kept if log.hour + timedelta(hours=1) <= oldest_kept]
        kept = kept[len(doomed) :]
        total = sum(log.bytes for log in kept)
        while total > max_total_bytes:
            total -= kept[0].bytes
            doomed.append(kept.pop(0))
        for log in doomed:
            _remove(log.path)
        return len(doomed)


@contextmanager
def _only_process(directory: Path) -> Iterator[bool]:
    descriptor = open_private(directory / _LOCK_NAME, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


def _log_files(directory: Path) -> Iterator[_LogFile]:
    for root, folders, names in os.walk(directory, followlinks=False):
        folders[:] = [folder for folder in folders if folder.isdecimal()]
        for name in names:
            path = Path(root, name)
            log = _log_file(path, path.relative_to(directory).as_posix())
            if log is not None:
                yield log


def _log_file(path: Path, name: str) -> _LogFile | None:
    match = _LOG_PATH.fullmatch(name)
    if match is None or path.is_symlink():
        return None
    year, month, day, hour = (int(digits) for digits in match.group(1, 2, 3, 4))
    try:
        begin = datetime(year, month, day, hour, tzinfo=UTC)
        return _LogFile(begin, int(match[5] or 0), path, path.stat().st_size)
    except (ValueError, FileNotFoundError):
        return None


def _remove(path: Path) -> None:
    with suppress(FileNotFoundError):
        path.unlink()
    with suppress(OSError):  # not empty yet, which is what tells
        path.parent.rmdir()
        path.parent.parent.rmdir()
