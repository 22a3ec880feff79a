"""Who a process is: its pid together with the moment it was started.

A pid alone is reused by the kernel; the pair is not, until the machine is booted again.
"""

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_END_SECONDS = 5.0
_POLL_SECONDS = 0.02
_ENDED_STATES = frozenset("ZXx")


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process: ``pid``, and ``started`` in clock ticks since the machine was booted."""

    pid: int
    started: int

    def alive(self) -> bool:
        """Return whether this very process still runs; a zombie counts as ended."""
        return process_id(self.pid) == self


def process_id(pid: int) -> ProcessId | None:
    """Return the identity of the running process ``pid``, or None if there is none.

    Read from ``/proc/PID/stat`` (proc(5)): the state is the first field after the command name,
    the start time the twentieth. The name may itself contain spaces and parentheses.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    fields = stat.rpartition(")")[2].split()
    if fields[0] in _ENDED_STATES:
        return None
    return ProcessId(pid, int(fields[19]))


def end(process: ProcessId) -> None:
    """End ``process`` and wait until it is gone: SIGTERM, then SIGKILL."""
    for order in (signal.SIGTERM, signal.SIGKILL):
        if not process.alive():
            return
        with suppress(ProcessLookupError):
            os.kill(process.pid, order)
        deadline = time.monotonic() + _END_SECONDS
        while process.alive() and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
