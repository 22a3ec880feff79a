"""Start the model server's program once and hear how that went."""

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from airelays_app.store.private_file import open_private

StartProblem = Literal["no_weights", "no_library", "refused", "slow", "ended", "owner_gone"]
_REPORTED: dict[str, StartProblem] = {"no_library": "no_library", "refused": "refused"}


class StartFailed(Exception):
    """No server came of it."""

    def __init__(self, problem: StartProblem) -> None:
        super().__init__(problem)
        self.problem: StartProblem = problem


def launch(command: Sequence[str], orders: bytes, log: Path, deadline: float) -> None:
    """Run ``command``, hand it its ``orders`` and wait for its one line until ``deadline``.

    Returns when it is ready, and also when another server turned out to hold the lock: the state
    file tells which. ``deadline`` is a time.monotonic() value.
    Raises :class:`StartFailed`; nothing of the attempt is left running then. No descriptor of
    this process is inherited, so the listening sockets of the relay do not live on in the server.
    """
    with (
        open(log, "wb", opener=open_private) as errors,
        subprocess.Popen(  # noqa: S603 - our own program, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd="/",
            start_new_session=True,
        ) as program,
    ):
        try:
            report = _report_of(program, orders, deadline)
        except StartFailed:
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            raise
    problem = report.get("problem")
    if problem is not None and problem != "busy":
        raise StartFailed(_REPORTED.get(str(problem), "ended"))


def _report_of(
    program: "subprocess.Popen[bytes]", orders: bytes, deadline: float
) -> dict[str, object]:
    """Give the program its orders and return its one line."""
    stdin, stdout = program.stdin, program.stdout
    if stdin is None or stdout is None:
        raise StartFailed("ended")
    with suppress(BrokenPipeError):
        stdin.write(orders)
        stdin.close()
    answer = _line_from(stdout.fileno(), deadline)
    try:
        report = json.loads(answer)
    except ValueError:
        raise StartFailed("ended") from None
    return report if isinstance(report, dict) else {}


def _line_from(descriptor: int, deadline: float) -> bytes:
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    received = b""
    while b"\n" not in received:
        left = deadline - time.monotonic()
        if left <= 0 or not waiting.poll(left * 1000):
            raise StartFailed("slow")
        piece = os.read(descriptor, 65536)
        if not piece:
            raise StartFailed("ended")
        received += piece
    return received
