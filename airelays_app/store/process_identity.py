"""Who holds a lease, written so that another process can tell whether the holder is gone.

A process id alone is not enough: it is used again after a while, after a reboot and in another
container. The identity adds the boot, the process-id namespace and the start time, all from
Linux's ``/proc`` (fields of ``proc_pid_stat(5)``, seen 2026-11-22).
"""

import os
from pathlib import Path

_PROC = Path("/proc")
_DEAD_STATES = {"Z", "X", "x"}
_UNKNOWN = "?"


def own_identity() -> str:
    """Return the identity of this process."""
    process = os.getpid()
    _, started = _state_and_start(process)
    return f"{boot_id()} {_namespace()} {process} {started}"


def is_gone(identity: str) -> bool:
    """Tell whether the process is certainly dead; False when that cannot be known.

    It cannot be known for a process of another container and where ``/proc`` is missing: a
    lease needs an expiry as well.
    """
    boot, namespace, process, started = identity.split(" ")
    if _UNKNOWN in (boot, namespace, started) or boot_id() == _UNKNOWN:
        return False
    if boot != boot_id():
        return True
    if namespace != _namespace():
        return False
    state, start_of_present = _state_and_start(int(process))
    return state in _DEAD_STATES or start_of_present != started


def boot_id() -> str:
    """Return the kernel's random name of this boot, ``?`` where it is hidden.

    A service manager may hide it: systemd does with ``ProcSubset=pid`` (systemd.exec(5), 252).
    """
    return _text(_PROC / "sys/kernel/random/boot_id") or _UNKNOWN


def _namespace() -> str:
    try:
        return os.readlink(_PROC / "self/ns/pid")
    except OSError:
        return _UNKNOWN


def _state_and_start(process: int) -> tuple[str, str]:
    """Return the state letter and the start time in clock ticks, both unknown without a process."""
    _, _, fields = _text(_PROC / f"{process}/stat").rpartition(") ")
    words = fields.split(" ")
    if len(words) < 20:
        return _UNKNOWN, _UNKNOWN
    return words[0], words[19]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
