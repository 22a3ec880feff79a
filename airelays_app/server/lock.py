"""One server per data directory, and the file that names its process.

Both belong to the master alone: a forked worker gives the lock up at once, so that workers which
outlive a killed master do not keep a new one from starting.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from airelays_app.errors import ConfigError
from airelays_app.store.private_file import (
    close_to_others,
    make_private_directory,
    open_private,
)

LOCK_NAME = "relay.lock"
EX_TEMPFAIL = os.EX_TEMPFAIL
"""75, of sysexits(3): how a command ends that met :class:`DirectoryInUse`."""

_held: set[int] = set()


class DirectoryInUse(ConfigError):
    """Another server holds the data directory."""


class DirectoryNotOurs(ConfigError):
    """Others can write into the data directory, so nothing in it can be trusted or kept secret."""


@contextmanager
def hold(data_dir: Path) -> Iterator[None]:
    """Hold the data directory while the block runs; it is made (0700) if it is missing.

    Raises :class:`DirectoryInUse` at once when another process holds it, :class:`DirectoryNotOurs`
    when others could put files into it. The process id inside the file only informs; the lock
    itself ends with its process, however that ends.
    """
    make_private_directory(data_dir)
    close_to_others(data_dir)
    _require_ours(data_dir)
    owner = os.getpid()
    lock = open_private(data_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT)
    try:
        _take(lock)
    except BaseException:
        os.close(lock)
        raise
    _held.add(lock)
    try:
        yield
    finally:
        if os.getpid() == owner:
            _held.discard(lock)
            os.close(lock)


def _require_ours(data_dir: Path) -> None:
    """Refuse a directory in which another account could lay links or read along.

    root may use anybody's, as it does in a container on a folder of the host.
    """
    status = data_dir.stat()
    stranger = status.st_uid not in (0, os.geteuid()) and os.geteuid() != 0
    if stranger or status.st_mode & stat.S_IWOTH:
        raise DirectoryNotOurs(
            "paths.data_dir: other accounts of this machine can write into that folder. Choose "
            "one that belongs to the relay's account alone, such as ~/.airelays."
        )


def _take(lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(lock, 20, 0).decode("ascii", "replace").strip() or "unknown"
        raise DirectoryInUse(
            f"Another AIRelays (process {holder}) serves from this data directory. "
            "Stop it first, or give this one its own (paths.data_dir)."
        ) from error
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def _give_up_in_child() -> None:
    for lock in _held:
        os.close(lock)
    _held.clear()


os.register_at_fork(after_in_child=_give_up_in_child)


@contextmanager
def pid_file(path: Path | None) -> Iterator[None]:
    """Keep this process's id in ``path``, if there is one, while the block runs."""
    if path is None:
        yield
        return
    owner = os.getpid()
    partial = path.with_name(f"{path.name}.{owner}")
    partial.write_text(f"{owner}\n")
    partial.replace(path)
    try:
        yield
    finally:
        with suppress(FileNotFoundError):  # removed by hand
            if os.getpid() == owner and path.read_text().strip() == str(owner):
                path.unlink()
