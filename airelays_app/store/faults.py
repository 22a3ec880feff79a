"""What a failing disk or database means to a client: 503, the cause named, the path not."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from airelays_app.errors import Unavailable

_BUSY = "The state database is locked by another process; try again shortly."
_FULL = "The disk that holds the relay's state is full; free some space."
_READ_ONLY = "The relay's state is read-only; check the mount and the owner of the data directory."
_CORRUPT = "The state database is damaged; restore it from a backup or move it away."
_CANNOT_OPEN = "The state database cannot be opened; check the data directory and its permissions."
_IO = "The disk that holds the relay's state reports an input/output error."

_SQLITE_FAULTS = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_PROTOCOL: _BUSY,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _CANNOT_OPEN,
    sqlite3.SQLITE_AUTH: _CANNOT_OPEN,
    sqlite3.SQLITE_CANTOPEN: _CANNOT_OPEN,
    sqlite3.SQLITE_CORRUPT: _CORRUPT,
    sqlite3.SQLITE_NOTADB: _CORRUPT,
    sqlite3.SQLITE_IOERR: _IO,
}

_OS_FAULTS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _READ_ONLY,
    errno.EPERM: _READ_ONLY,
    errno.EMFILE: "The relay has no file descriptors left; raise its limit.",
    errno.ENFILE: "The system has no file descriptors left.",
}

_PRIMARY_CODE = 0xFF
_BUSY_RETRY_SECONDS = 2
_BROKEN_RETRY_SECONDS = 30


def busy() -> Unavailable:
    """Return the error for state that others are using right now."""
    return Unavailable(_BUSY, retry_after=_BUSY_RETRY_SECONDS)


@contextmanager
def database_faults() -> Iterator[None]:
    """Turn SQLite's environment errors into :class:`Unavailable`.

    Mistakes of the program (bad SQL, a violated constraint) pass unchanged.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY_CODE
        message = _SQLITE_FAULTS.get(code)
        if message is None:
            raise
        if message is _BUSY:
            raise busy() from error
        raise Unavailable(message, retry_after=_BROKEN_RETRY_SECONDS) from error


@contextmanager
def disk_faults() -> Iterator[None]:
    """Turn errors of the file system into :class:`Unavailable`."""
    try:
        yield
    except OSError as error:
        message = _OS_FAULTS.get(error.errno or 0, _IO)
        raise Unavailable(message, retry_after=_BROKEN_RETRY_SECONDS) from error
