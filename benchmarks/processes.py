"""The servers under test: started, measured by ``/proc``, ended."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0


class Server:
    """A running server: a process and its descendants, listening on a loopback port."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self.port = port

    def cpu_seconds(self) -> float:
        """Return the user and system time of all its processes so far."""
        return sum(_cpu_seconds(pid) for pid in self.pids())

    def memory(self) -> tuple[int, int]:
        """Return resident and proportional memory of all its processes, in bytes."""
        sizes = [_memory(pid) for pid in self.pids()]
        return sum(rss for rss, _ in sizes), sum(pss for _, pss in sizes)

    def pids(self) -> list[int]:
        """Return the process and its descendants."""
        found = [self._process.pid]
        for pid in found:
            found += _children(pid)
        return found


@contextmanager
def running(
    command: list[str], *, port: int, environ: Mapping[str, str], log: Path
) -> Iterator[Server]:
    """Run ``command`` until the block ends; gives it once ``port`` accepts connections."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **environ}, stdout=output, stderr=output
        )
        try:
            _wait_for(port, process, log)
            yield Server(process, port)
        finally:
            _end(process)


def free_port() -> int:
    """Return a loopback port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"A server has ended while it started:\n{log.read_text()}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"A server does not listen:\n{log.read_text()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the server to stop at once, and make sure that it does."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _children(pid: int) -> list[int]:
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in listed.split()]


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _memory(pid: int) -> tuple[int, int]:
    sizes = {"Rss": 0, "Pss": 0}
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0, 0
    for line in lines:
        name, _, rest = line.partition(":")
        if name in sizes:
            sizes[name] = int(rest.split()[0]) * 1024
    return sizes["Rss"], sizes["Pss"]
