"""Whether a relay is running on a data folder: the kernel knows who holds its lock.

The lock itself is not tried, so that asking never gets in the way of a server that is starting.
"""

from pathlib import Path

from airelays_app.server.lock import LOCK_NAME

_LOCKS = Path("/proc/locks")


def process_serving(data_dir: Path, *, locks: Path = _LOCKS) -> int | None:
    """Return the process id of the server that holds ``data_dir``, None when there is none."""
    lock = data_dir / LOCK_NAME
    try:
        inode = lock.stat().st_ino
        written = lock.read_text(encoding="ascii", errors="replace").strip()
        held = _is_held(locks.read_text(), inode)
    except OSError:
        return None
    return int(written) if held and written.isdecimal() else None


def _is_held(table: str, inode: int) -> bool:
    """Look for ``1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF`` (proc_locks(5), 2026-11-22)."""
    rows = (line.split() for line in table.splitlines())
    return any(
        "FLOCK" in row and any(word.rpartition(":")[2] == str(inode) for word in row if ":" in word)
        for row in rows
    )
