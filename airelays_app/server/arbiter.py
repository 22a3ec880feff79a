"""The master process: gunicorn's arbiter with a loop that never waits for a worker.

gunicorn's own ``reload()`` stands still until the old workers have ended, and a configuration that
does not load ends the master. Here a reload is a *candidate*: the configuration is loaded and
checked, its workers are started beside the old ones, and only when all of them have booted do the
old ones stop accepting and finish their answers. Whatever fails on the way leaves the old workers
as they were.
"""

import logging
import socket
import time
from collections.abc import Callable

from gunicorn.arbiter import Arbiter

from airelays_app.errors import ConfigError
from airelays_app.server.fleet import Fleet, Generation, Member
from airelays_app.server.logs import LOG, note, note_failure
from airelays_app.server.notify import Notifier
from airelays_app.server.options import Plan
from airelays_app.server.settings import PlannedApplication

_TURN_SECONDS = 1.0
_BUSY_TURN_SECONDS = 0.05
_FRESH_BEAT_SECONDS = 3.0
_MOST_BOOT_KILLS = 3


class RelayArbiter(Arbiter):  # type: ignore[misc]
    """Keep the workers of the current plan alive; reload, drain and stop on signals.

    TERM, INT: stop (a second one: at once). QUIT: stop at once. HUP: reload. TTIN, TTOU: a worker
    more or less until the next reload. USR2: refused, see :meth:`handle_usr2`.
    """

    def __init__(
        self,
        load: Callable[[], Plan],
        plan: Plan,
        listeners: list[socket.socket],
        notifier: Notifier,
    ) -> None:
        application = PlannedApplication(plan)
        super().__init__(application)
        self.LISTENERS = listeners
        self._load = load
        self._notifier = notifier
        self._fleet = Fleet(listeners)
        self._current = Generation(1, plan, application, plan.options.workers)
        self._candidate: Generation | None = None
        self._loads = 1
        self._is_ready = False
        self._is_stopping = False
        self._exit_status = 0
        self._next_feeding = 0.0

    def run(self) -> int:
        """Serve until told to stop; return the exit status: 0, or 1 when nothing ever started."""
        self.init_signals()
        while len(self._fleet) or not self._is_stopping:
            self._turn()
            for number in self.wait_for_signals(timeout=self._turn_seconds()):
                getattr(self, f"handle_{self.SIG_NAMES[number]}")()
        LOG.info("stopped")
        return self._exit_status

    def _turn(self) -> None:
        """One round of the main loop."""
        for member, status in self._fleet.bury():
            self._after_exit(member, status)
        self._fleet.tend()
        if not self._is_stopping:
            self._fleet.fill(self._current)
            self._advance_candidate()
            self._become_ready()
        self._report()

    def _turn_seconds(self) -> float:
        """Booting workers are watched closely; so is the end, whose signal may have come early."""
        booting = any(not member.has_booted for member in self._fleet)
        if booting or self._is_stopping:
            return _BUSY_TURN_SECONDS
        return min(_TURN_SECONDS, (self._notifier.watchdog_seconds or _TURN_SECONDS) / 2)

    def handle_chld(self) -> None:
        """A child has ended: the next round buries it."""

    handle_cld = handle_chld

    def handle_hup(self) -> None:
        """Load and check the configuration; start its workers if it is good."""
        if self._is_stopping:
            LOG.info("not reloading: the server is stopping")
            return
        self._notifier.reloading()
        try:
            plan = self._load()
            application = PlannedApplication(plan)
        except ConfigError as error:
            self._keep_current(str(error))
        except Exception as error:
            note_failure("the configuration cannot be loaded", error)
            self._keep_current(type(error).__name__)
        else:
            self._try_out(plan, application)

    def _try_out(self, plan: Plan, application: PlannedApplication) -> None:
        self._dismiss_candidate()
        if _address(plan) != _address(self._current.plan):
            LOG.warning("server.host and server.port change only with a restart")
        self._loads += 1
        self._candidate = Generation(self._loads, plan, application, plan.options.workers)
        note(logging.INFO, "reloading", generation=self._loads)

    def _advance_candidate(self) -> None:
        if self._candidate is None:
            return
        self._fleet.fill(self._candidate)
        if not self._fleet.is_complete(self._candidate):
            return
        former, self._current, self._candidate = self._current, self._candidate, None
        for member in self._fleet.active(former):
            self._fleet.retire(member, self._current.plan.options.drain_seconds)
        note(logging.INFO, "reloaded", generation=self._current.number)
        self._notifier.ready()

    def _keep_current(self, reason: str) -> None:
        note(logging.ERROR, "the configuration is not changed", reason=reason)
        self._notifier.ready()

    def _dismiss_candidate(self) -> None:
        candidate, self._candidate = self._candidate, None
        if candidate is not None:
            for member in self._fleet.active(candidate):
                self._fleet.retire(member, candidate.plan.options.drain_seconds)

    def _after_exit(self, member: Member, status: int) -> None:
        booted = member.has_booted
        member.worker.tmp.close()
        level = logging.INFO if member.is_retiring or status == 0 else logging.ERROR
        note(level, "worker ended", worker=member.pid, status=status)
        if not booted and not member.is_retiring:
            self._after_failed_boot(member.generation, status)

    def _after_failed_boot(self, generation: Generation, status: int) -> None:
        """Killed while booting may be bad luck; ending by itself means that it cannot start."""
        generation.note_failure()
        if status < 0 and generation.failures < _MOST_BOOT_KILLS:
            return
        if generation is self._candidate:
            self._dismiss_candidate()
            self._keep_current("its application does not start")
        elif not self._is_ready and not self._is_stopping:
            LOG.error("the application does not start")
            self._exit_status = 1
            self._stop(0)

    def handle_term(self) -> None:
        """Stop; a second time: at once."""
        self._stop(0 if self._is_stopping else self._current.plan.options.stop_seconds)

    def handle_int(self) -> None:
        """Stop, as for TERM."""
        self.handle_term()

    def handle_quit(self) -> None:
        """Stop at once."""
        self._stop(0)

    def _stop(self, seconds: float) -> None:
        if not self._is_stopping:
            self._is_stopping = True
            LOG.info("stopping")
            self._notifier.stopping()
            for listener in self.LISTENERS:
                listener.close()
        for member in self._fleet:
            if seconds > 0:
                self._fleet.retire(member, seconds)
            else:
                self._fleet.press(member)

    def handle_ttin(self) -> None:
        """One worker more."""
        self._current.wanted += 1

    def handle_ttou(self) -> None:
        """One worker less."""
        self._current.wanted = max(1, self._current.wanted - 1)

    def handle_usr1(self) -> None:
        """There are no log files to reopen."""
        LOG.info("USR1 ignored: the log goes to stderr")

    def handle_usr2(self) -> None:
        """Refuse to start a second master: it would meet the lock of the data directory.

        It would not be the process that systemd knows either. HUP replaces the workers; new code
        needs a restart.
        """
        LOG.warning("USR2 refused: restart the service to run new code")

    def handle_winch(self) -> None:
        """A terminal has changed its size."""

    def _become_ready(self) -> None:
        if not self._is_ready and self._fleet.is_complete(self._current):
            self._is_ready = True
            note(logging.INFO, "ready", workers=self._current.wanted)
            self._notifier.ready()

    def _report(self) -> None:
        self._notifier.status(self._status())
        now = time.monotonic()
        period = self._notifier.watchdog_seconds
        if period is None or now < self._next_feeding:
            return
        fresh = max(_FRESH_BEAT_SECONDS, period / 2)
        if any(now - member.last_beat <= fresh for member in self._fleet):
            self._next_feeding = now + period / 2
            self._notifier.alive()

    def _status(self) -> str:
        retiring = sum(member.is_retiring for member in self._fleet)
        if self._is_stopping:
            return f"stopping: {len(self._fleet)} workers finish their answers"
        phase = "starting" if not self._is_ready else "reloading" if self._candidate else "serving"
        serving = len(self._fleet) - retiring
        finishing = f", {retiring} of an earlier configuration finish" if retiring else ""
        return f"{phase}: {serving} workers{finishing}"


def _address(plan: Plan) -> tuple[str, int]:
    return plan.options.host, plan.options.port
