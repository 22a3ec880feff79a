"""What a running relay holds: threads, descriptors, memory, running requests, rows and files."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 60.0
MOST_GROWTH = 10 * 1024 * 1024
"""By how many bytes the memory of a process may be larger after any number of requests."""

_POLL_SECONDS = 0.05
_STATE_ROWS = ("conversations", "conversation_items", "conversation_turns")


@dataclass(frozen=True, slots=True)
class ProcessSigns:
    """One process; ``memory`` is its resident set in bytes, ``peak`` the most it ever was."""

    threads: int
    descriptors: int
    memory: int
    peak: int


def children_of(pid: int) -> list[int]:
    """Return the ids of the processes that ``pid`` has started and that still run."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [child for child in map(int, path.read_text().split()) if not _has_ended(child)]


def process_signs(pid: int) -> ProcessSigns:
    """Measure one process."""
    process = Path(f"/proc/{pid}")
    lines = (process / "status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines if ":" in line)
    return ProcessSigns(
        threads=int(status["Threads"]),
        descriptors=sum(1 for _ in (process / "fd").iterdir()),
        memory=_bytes(status["VmRSS"]),
        peak=_bytes(status["VmHWM"]),
    )


def signs_of(relay: Any) -> dict[int, ProcessSigns]:
    """Measure the relay's master and all its workers, by process id."""
    pids = [relay.process.pid, *children_of(relay.process.pid)]
    return {pid: process_signs(pid) for pid in pids}


def assert_recovered(
    before: dict[int, ProcessSigns], after: dict[int, ProcessSigns], *, threads: int, idle: int
) -> None:
    """Hold that all processes live on as they were.

    A worker may have all the ``threads`` of its pool, which grows when it must and stays, and
    ``idle`` more descriptors of connections that are kept for the next time.
    """
    assert after.keys() == before.keys(), "a worker has died"
    for pid, signs in after.items():
        assert signs.threads <= max(before[pid].threads, threads), (before, after)
        assert signs.descriptors <= before[pid].descriptors + idle, (before, after)
        assert signs.memory <= before[pid].memory + MOST_GROWTH, (before, after)


def stored_rows(data_dir: Path) -> dict[str, int]:
    """Count what is kept for clients, and the files behind it."""
    database = data_dir / "state.sqlite3"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        counts = {
            table: connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
            for table in _STATE_ROWS
        }
        live = connection.execute("SELECT COUNT(*) FROM files WHERE deleted_at IS NULL")
        counts["files"] = live.fetchone()[0]
    return {**counts, "contents": sum(1 for _ in _uploads(data_dir))}


def running_requests(relay: Any) -> int:
    """Return how many requests of this machine the relay counts as running, this one left out."""
    status = relay.get("/v1/relay/status").json()
    return int(status["security"]["client"]["active_requests"]) - 1


def await_true(condition: Callable[[], bool], message: Callable[[], object]) -> None:
    """Wait until ``condition`` holds; fail with ``message`` when it does not."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, message()
        time.sleep(_POLL_SECONDS)


def _bytes(kilobytes: str) -> int:
    return int(kilobytes.split(maxsplit=1)[0]) * 1024


def _uploads(data_dir: Path) -> Iterator[Path]:
    uploads = data_dir / "uploads"
    return (path for path in uploads.rglob("*") if path.is_file()) if uploads.exists() else iter(())


def _has_ended(pid: int) -> bool:
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
