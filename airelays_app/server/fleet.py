"""The worker processes: born, watched, retired, buried. Nothing here ever waits.

The arbiter calls :meth:`Fleet.tend` about once a second and after every signal.
"""

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

from airelays_app.errors import ConfigError
from airelays_app.server.logs import note, note_failure
from airelays_app.server.options import Plan
from airelays_app.server.settings import PlannedApplication

BOOT_SECONDS = 120.0
"""A worker that has not booted by then is killed."""

_QUICK_SECONDS = 5.0
_LONGEST_PAUSE = 30.0
_FAILED = 1


@dataclass(slots=True, eq=False)
class Generation:
    """The workers of one configuration.

    ``failures`` counts workers in a row that ended before they had booted; ``retry_at`` is when
    the next one may be tried (monotonic seconds).
    """

    number: int
    plan: Plan
    application: PlannedApplication
    wanted: int
    failures: int = 0
    retry_at: float = 0.0

    def note_failure(self) -> None:
        """Pause before the next try, longer each time; the first try comes at once."""
        pause = min(_LONGEST_PAUSE, 2.0**self.failures - 1)
        self.failures += 1
        self.retry_at = time.monotonic() + pause


@dataclass(slots=True, eq=False)
class Member:
    """One worker process. ``deadline`` is set once it is to end, and moves when it is pressed."""

    worker: Any
    generation: Generation
    spawned_at: float = field(default_factory=time.monotonic)
    deadline: float | None = None
    pressed: bool = False

    @property
    def pid(self) -> int:
        """The process id."""
        return int(self.worker.pid)

    @property
    def last_beat(self) -> float:
        """When its main loop last turned, in monotonic seconds; 0 until it has booted."""
        return float(self.worker.tmp.last_update())

    @property
    def has_booted(self) -> bool:
        """Whether it serves (or has served)."""
        return self.last_beat > 0

    @property
    def is_retiring(self) -> bool:
        """Whether it has been told to end."""
        return self.deadline is not None


class Fleet:
    """All worker processes of all generations."""

    def __init__(self, listeners: list[socket.socket]) -> None:
        self._listeners = listeners
        self._members: dict[int, Member] = {}
        self._births = 0

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Member]:
        return iter(tuple(self._members.values()))

    def active(self, generation: Generation) -> list[Member]:
        """Return the workers of ``generation`` that have not been told to end, oldest first."""
        return [
            member for member in self if member.generation is generation and not member.is_retiring
        ]

    def is_complete(self, generation: Generation) -> bool:
        """Whether all workers that ``generation`` wants have booted."""
        booted = [member for member in self.active(generation) if member.has_booted]
        return len(booted) >= generation.wanted

    def fill(self, generation: Generation) -> None:
        """Start the workers that ``generation`` lacks, retire those it has too many of."""
        active = self.active(generation)
        for member in active[: max(0, len(active) - generation.wanted)]:
            self.retire(member, generation.plan.options.drain_seconds)
        if self.is_complete(generation):
            generation.failures = 0
        elif time.monotonic() >= generation.retry_at:
            for _ in range(generation.wanted - len(active)):
                self._spawn(generation)

    def retire(self, member: Member, seconds: float) -> None:
        """Tell a worker to finish its answers within ``seconds`` and end."""
        if not member.has_booted:
            self._kill(member)
            return
        member.deadline = time.monotonic() + seconds
        self._signal(member, signal.SIGTERM)

    def press(self, member: Member) -> None:
        """Tell a worker to end now, answers or not; soon it is not asked any more."""
        if not member.has_booted or member.pressed:
            self._kill(member)
            return
        member.pressed = True
        member.deadline = time.monotonic() + _QUICK_SECONDS
        self._signal(member, signal.SIGQUIT)

    def tend(self) -> None:
        """Press those whose time is over; kill those that hang."""
        now = time.monotonic()
        for member in self:
            if member.deadline is not None and now >= member.deadline:
                self.press(member)
            elif not member.pressed and _hangs(member, now):
                note(logging.ERROR, "worker hangs, killing it", worker=member.pid)
                if member.has_booted:
                    member.deadline = now + _QUICK_SECONDS
                member.pressed = True
                self._signal(member, signal.SIGKILL)

    def bury(self) -> list[tuple[Member, int]]:
        """Return the workers that have ended since the last call, with their exit codes.

        A code is negative for a signal, as :mod:`subprocess` has it. Other children of this process
        are left to whoever started them.
        """
        ended = []
        for pid, member in tuple(self._members.items()):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                ended.append((member, os.waitstatus_to_exitcode(status)))
                del self._members[pid]
        return ended

    def _spawn(self, generation: Generation) -> None:
        self._births += 1
        application = generation.application
        cfg = application.cfg
        log = cfg.logger_class(cfg)
        worker = cfg.worker_class(
            self._births, os.getpid(), self._listeners, application, cfg.timeout, cfg, log
        )
        os.utime(worker.tmp.fileno(), (0, 0))
        try:
            pid = os.fork()
        except OSError as error:
            note(logging.ERROR, "cannot start a worker", reason=error.strerror)
            worker.tmp.close()
            generation.note_failure()
            return
        if pid == 0:
            self._live(worker)
        worker.pid = pid
        self._members[pid] = Member(worker, generation)
        note(logging.INFO, "worker started", worker=pid, generation=generation.number)

    def _live(self, worker: Any) -> NoReturn:
        """Be a worker: in the child, never back to the caller, whose clean-up is the master's."""
        status = _FAILED
        try:
            for sibling in self._members.values():
                sibling.worker.tmp.close()
            self._members.clear()
            worker.pid = os.getpid()
            worker.init_process()
            status = 0
        except ConfigError as error:
            note(logging.ERROR, "the application does not start", reason=error)
        except (Exception, SystemExit) as error:
            note_failure("a worker failed", error)
        finally:
            logging.shutdown()
            sys.stdout.flush()
            os._exit(status)

    def _kill(self, member: Member) -> None:
        member.pressed = True
        member.deadline = time.monotonic() + _QUICK_SECONDS
        self._signal(member, signal.SIGKILL)

    def _signal(self, member: Member, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # ended by itself; it is buried in a moment
            os.kill(member.pid, number)


def _hangs(member: Member, now: float) -> bool:
    if not member.has_booted:
        return now - member.spawned_at > BOOT_SECONDS
    return now - member.last_beat > member.generation.plan.options.heartbeat_seconds
