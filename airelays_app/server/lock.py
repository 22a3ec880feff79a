"""One server per data directory, and the file that names its process.

Both belong to the master alone: a forked worker gives the lock up at once, so that workers which
outlive a killed master do not keep a new one from starting.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from airelays_app.errors import ConfigError

LOCK_NAME = "relay.lock"
EX_TEMPFAIL = os.EX_TEMPFAIL
"""75, of sysexits(3): how a command ends that met :class:`DirectoryInUse`."""

_held: set[int] = set()


class DirectoryInUse(ConfigError):
    """Another server holds the data directory."""


@contextmanager
def hold(data_dir: Path) -> Iterator[None]:
    """Hold the data directory while the block runs; it is made (0700) if it is missing.

    Raises :class:`DirectoryInUse` at once when another process holds it. The process id inside the
    file only informs; the lock itself ends with its process, however that ends.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = os.getpid()
    lock = os.open(data_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
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
