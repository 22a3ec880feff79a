"""Private files and directories: 0600 and 0700 from the first moment, whatever the umask."""

import errno
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Put ``content`` in the place of ``path``; after a crash it holds the old or the new whole.

    A symbolic link keeps pointing where it does and its target is replaced. Missing parent
    directories are made with mode 0700. Raises OSError; nothing is left behind then.
    """
    target = Path(os.path.realpath(path))
    make_private_directory(target.parent)
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(FileNotFoundError):  # the rename itself may have happened
            os.unlink(temporary)
        raise
    _sync_directory(target.parent)


def make_private_directory(path: Path) -> None:
    """Make ``path`` and whatever is missing above it with mode 0700; what exists stays as it is.

    Raises OSError, NotADirectoryError if something else has that name.
    """
    missing = [each for each in (path, *path.parents) if not os.path.lexists(each)]
    for directory in reversed(missing):
        with suppress(FileExistsError):  # another process has made it meanwhile
            directory.mkdir(mode=0o700)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def close_to_others(directory: Path) -> None:
    """Give a directory of ours the mode 0700; another's and a shared one, as /tmp, stay."""
    status = directory.stat()
    if status.st_uid == os.getuid() and not status.st_mode & stat.S_ISVTX:
        directory.chmod(0o700)


def open_private(path: str | Path, flags: int) -> int:
    """Open or make a file with mode 0600, never through a link; an opener for :func:`open`."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
