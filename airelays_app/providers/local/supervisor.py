"""One model server per data directory, shared by all workers of the relay.

Who owns it: the relay's master process, named by its pid and start time, because that is what
lives exactly as long as the relay. A worker that needs the server may start it, but is not its
keeper: the server watches the owner itself (see :mod:`airelays_app.providers.local.child`), so
it survives every reload of the workers and ends within about a second of the relay, however
that ends.

Everything lives in ``<data_dir>/local/`` (0700): ``server.json`` (0600; which process, where,
which key; written by the server once it answers), ``server.sock``, ``server.lock`` (held by the
server as long as it lives), ``start.lock`` (held by whoever is starting or stopping it) and
``server.log`` (errors of llama.cpp since the last start; no prompts). What the state file says
counts only while the very process it names is alive; a stale or damaged one is replaced.
"""

import json
import math
import os
import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from filelock import FileLock, Timeout

from airelays_app.errors import Unavailable
from airelays_app.providers.local.child import Orders, orders_line
from airelays_app.providers.local.launch import StartFailed, StartProblem, launch
from airelays_app.providers.local.process import ProcessId, end, process_id
from airelays_app.providers.local.weights import SMOLLM2, verify
from airelays_app.store.private_file import make_private_directory, replace_file

CHILD = (sys.executable, "-P", "-m", "airelays_app.providers.local.child")
# sockaddr_un.sun_path is 108 bytes on Linux, one of them the terminating zero (unix(7)).
SOCKET_PATH_BYTES = 107

# The starter gives up first; this ends a hung load whose starter is gone.
_GRACE_SECONDS = 5
# Tokens of an answer for which the client named no limit: a model as small as the embedded one is
# easily caught in a loop; one of the owner's own choice writes until it has finished.
_EMBEDDED_ANSWER = 1024
_TO_ITS_END = -1
_TEMPLATE = files("airelays_app.providers.local") / "chatml.jinja"

_MESSAGES = {
    "no_weights": "The local model is not installed. Run: airelays local install",
    "no_library": "The local model needs an extra package. Run: pip install 'airelays[local]'",
    "refused": "The local model server could not load the model. Run: airelays local install",
    "slow": "The local model server did not start in time. Raise local.start_seconds, or run: "
    "airelays doctor",
    "ended": "The local model server ended while it was starting. Run: airelays doctor",
    "system": "The local model server could not be started: {reason}. Run: airelays doctor",
    "owner_gone": "The relay is shutting down.",
}
_MESSAGES_OF_OWN_MODEL = {
    **_MESSAGES,
    "no_weights": "The file that local.model_path names is not there. Run: airelays doctor",
    "refused": "The local model server could not load the model that local.model_path names; "
    "local/server.log in the data folder says why.",
}
"""No other file than the owner's helps, and installing the embedded model does not bring it."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How the server runs; they count when it is started, a running one keeps its own.

    ``context`` is in tokens for each of the ``slots`` (answers generated at once; further ones
    queue). One thread is right for a shared machine: two spin at a barrier and collapse beside a
    busy neighbour (9 instead of 74 tokens/s seen 2026-11-22).
    After ``sleep_idle_seconds`` without a request the weights leave memory; -1 is never.
    ``start_seconds`` bounds a start and the wait for somebody else's. ``model`` None is the
    embedded model, else a GGUF file, which then uses its own chat template.
    """

    threads: int = 1
    context: int = 4096
    slots: int = 2
    embeddings: bool = True
    sleep_idle_seconds: int = 900
    start_seconds: float = 60.0
    model: Path | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the server answers: on ``socket_path`` if that is set, else at ``base_url``."""

    socket_path: Path | None
    base_url: str
    api_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Status:
    """``running`` means a live server process; ``installed`` that weights are there for it."""

    running: bool
    installed: bool
    pid: int | None
    model: str


@dataclass(frozen=True, slots=True)
class _Running:
    process: ProcessId
    owner: ProcessId
    endpoint: Endpoint

    def usable(self) -> bool:
        """Return whether the server lives and will stay, because its owner lives too."""
        return self.process.alive() and self.owner.alive()


class LocalServer:
    """The one model server of ``data_dir``; any number of processes and threads may ask for it.

    ``owner_pid`` is the relay's master: when that process ends, so does the server.
    """

    def __init__(
        self,
        data_dir: Path,
        options: ServerOptions,
        owner_pid: int,
        *,
        command: Sequence[str] = CHILD,
    ) -> None:
        self._models_dir = data_dir / "models"
        self._dir = data_dir / "local"
        self._options = options
        self._owner = process_id(owner_pid)
        self._command = tuple(command)

    def address(self) -> Endpoint:
        """Return where the server answers; start it and wait until it is ready if need be.

        Costs three small file reads while the server runs. Raises
        :class:`~airelays_app.errors.Unavailable`, whose message says what to do.
        """
        running = self._running()
        if running is not None:
            return running.endpoint
        asked = time.monotonic()
        with self._alone():
            return self._start(asked)

    def stop(self) -> None:
        """End the server, if one runs, whatever it is doing, and remove its files."""
        if not self._dir.is_dir():
            return
        with self._alone():
            recorded = self._recorded()
            if recorded is not None:
                end(recorded.process)
            for name in ("server.json", "server.sock"):
                (self._dir / name).unlink(missing_ok=True)

    def status(self) -> Status:
        """Return what is there, without starting anything."""
        running = self._running()
        return Status(
            running=running is not None,
            installed=self._model_file() is not None,
            pid=running.process.pid if running else None,
            model=self.model,
        )

    def require_installed(self) -> None:
        """Raise Unavailable if there are no weights for the server."""
        if self._model_file() is None:
            raise self._unavailable("no_weights")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the start lock: one starter or stopper at a time, in all processes."""
        try:
            make_private_directory(self._dir)
            lock = FileLock(self._dir / "start.lock", mode=0o600)
            with lock.acquire(timeout=self._options.start_seconds):
                yield
        except Timeout:
            raise self._unavailable("slow") from None
        except StartFailed as failure:
            raise self._unavailable(failure.problem) from None
        except OSError as error:
            raise Unavailable(_MESSAGES["system"].format(reason=error.strerror)) from error

    def _unavailable(self, problem: StartProblem) -> Unavailable:
        messages = _MESSAGES if self.is_embedded else _MESSAGES_OF_OWN_MODEL
        return Unavailable(messages[problem])

    def _start(self, asked: float) -> Endpoint:
        self._refuse_if_just_failed(asked)
        line = orders_line(self._orders())
        log = self._dir / "server.log"
        deadline = time.monotonic() + self._options.start_seconds
        while (running := self._running_or_ended()) is None:
            try:
                launch(self._command, line, log, deadline)
            except StartFailed as failure:
                note = json.dumps([time.monotonic(), failure.problem])
                replace_file(self._failure_path, note.encode())
                raise
        return running.endpoint

    def _running_or_ended(self) -> _Running | None:
        """Return the server; one whose owner is gone is ended here, not waited for.

        The state file stays: the next server replaces it, and one that is just becoming ready
        (its starter was killed) must not lose it.
        """
        recorded = self._recorded()
        if recorded is None or recorded.usable():
            return recorded
        end(recorded.process)
        return None

    def _orders(self) -> Orders:
        if self._owner is None:
            raise StartFailed("owner_gone")
        model = self._model_file()
        if model is None:
            raise StartFailed("no_weights")
        options = self._options
        return Orders(
            model=str(model),
            alias=self.model,
            api_key=secrets.token_urlsafe(32),
            lock_path=str(self._dir / "server.lock"),
            state_path=str(self._dir / "server.json"),
            socket_path=self._socket_path(),
            owner_pid=self._owner.pid,
            owner_started=self._owner.started,
            threads=options.threads,
            context=options.context,
            slots=options.slots,
            answer_tokens=_EMBEDDED_ANSWER if options.model is None else _TO_ITS_END,
            embeddings=options.embeddings,
            sleep_idle_seconds=options.sleep_idle_seconds,
            load_seconds=math.ceil(options.start_seconds) + _GRACE_SECONDS,
            template=_TEMPLATE.read_text() if options.model is None else None,
        )

    def _model_file(self) -> Path | None:
        given = self._options.model
        if given is None:
            return verify(self._models_dir)
        return given if given.is_file() else None

    @property
    def model(self) -> str:
        """The name of the one model that this server has."""
        given = self._options.model
        return SMOLLM2.model if given is None else given.stem

    @property
    def is_embedded(self) -> bool:
        """Whether that model is the one that is installed with us, and none of the owner's."""
        return self._options.model is None

    def _socket_path(self) -> str | None:
        path = str(self._dir / "server.sock")
        return path if len(os.fsencode(path)) <= SOCKET_PATH_BYTES else None

    def _refuse_if_just_failed(self, asked: float) -> None:
        """Share the failure that happened while this caller waited, instead of repeating it.

        One that lies ahead is of another boot, since which the clock began anew.
        """
        try:
            failed_at, problem = json.loads(self._failure_path.read_bytes())
            if not asked <= failed_at <= time.monotonic():
                return
        except (OSError, ValueError, TypeError):
            return
        raise StartFailed(problem)

    @property
    def _failure_path(self) -> Path:
        return self._dir / "failed.json"

    def _running(self) -> _Running | None:
        recorded = self._recorded()
        return recorded if recorded is not None and recorded.usable() else None

    def _recorded(self) -> _Running | None:
        try:
            state = json.loads((self._dir / "server.json").read_bytes())
            socket_path = state["socket_path"]
            return _Running(
                ProcessId(int(state["pid"]), int(state["started"])),
                ProcessId(int(state["owner_pid"]), int(state["owner_started"])),
                Endpoint(
                    Path(socket_path) if socket_path else None,
                    str(state["base_url"] or "http://localhost"),
                    str(state["api_key"]),
                ),
            )
        except (OSError, ValueError, LookupError, TypeError):
            return None
