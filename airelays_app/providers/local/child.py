"""The model server's own process: ``python -m airelays_app.providers.local.child``.

Its orders come as one JSON line on standard input (:class:`Orders`), so that the API key is in
no command line and no environment. It answers with one JSON line on standard output, either
``{"ready": true}`` (the state file then says where) or ``{"problem": "..."}``.

It belongs to the relay as a whole and not to whoever started it: gunicorn workers come and go,
and so do their threads, either of which would trigger ``PR_SET_PDEATHSIG``. Instead it looks
every second whether its owner (the relay's master: pid and start time) still runs and whether
the state file is still the one it wrote, and ends itself otherwise. It forks once, so that it
is no child of the worker either and never its zombie. A file lock, held as long as the process
lives, makes a second server on one data directory impossible. SIGTERM and, while the model is
being loaded, SIGALRM keep their default action: the kernel ends the process at once, in the
middle of a generation or of a hung load too.
"""

import contextlib
import fcntl
import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from airelays_app.providers.local.process import ProcessId, process_id
from airelays_app.store.private_file import open_private

_WATCH_SECONDS = 1.0
_LOCK_SECONDS = 2.0
_HTTP_THREADS = 32
_ERRORS_ONLY = 1
_PROMPT_CACHE_MIB = 64
# Where the client names none: what the model's card recommends (seen 2026-11-22).
_TEMPERATURE = 0.2
_TOP_P = 0.9


@dataclass(frozen=True, slots=True)
class Orders:
    """What to serve, where, and for whom.

    ``socket_path`` None means an ephemeral port of 127.0.0.1. ``context`` is in tokens and for
    each of the ``slots`` (answers generated at once); ``answer_tokens`` ends an answer for which
    the client named no limit. ``template`` None leaves the model its own
    chat template. ``sleep_idle_seconds`` -1 keeps the weights in memory for ever. A load that
    takes more than ``load_seconds`` ends the process.
    """

    model: str
    alias: str
    api_key: str
    lock_path: str
    state_path: str
    socket_path: str | None
    owner_pid: int
    owner_started: int
    threads: int
    context: int
    slots: int
    answer_tokens: int
    embeddings: bool
    sleep_idle_seconds: int
    load_seconds: int
    template: str | None


def main() -> int:
    """Serve until the owner is gone; return the exit status when there is nothing to serve."""
    os.umask(0o077)
    orders = Orders(**json.loads(sys.stdin.readline()))
    if os.fork():
        os._exit(0)
    signal.alarm(orders.load_seconds)
    answers = _own_standard_output()
    server, problem = _start(orders) if _hold(orders.lock_path) else (None, "busy")
    if server is None:
        _say(answers, {"problem": problem})
        return 1
    state = _state_of(orders, server.listening_address)
    _publish(orders.state_path, state)
    signal.alarm(0)
    _say(answers, {"ready": True})
    _wait_for_the_end(orders, state)
    # The server's destructor would wait for running generations (32 s seen 2026-11-22).
    os._exit(0)


def _own_standard_output() -> int:
    """Return standard output for us alone: what libraries print goes to standard error."""
    own = os.dup(1)
    os.dup2(2, 1)
    return own


def _hold(lock_path: str) -> bool:
    """Lock ``lock_path`` for as long as this process lives; return whether that was possible."""
    descriptor = open_private(lock_path, os.O_RDWR | os.O_CREAT)
    deadline = time.monotonic() + _LOCK_SECONDS
    while time.monotonic() < deadline:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
        else:
            return True
    return False


def _start(orders: Orders) -> tuple[Any, str]:
    """Return the server, or None and the problem."""
    try:
        llama = import_module("xllamacpp")  # an optional extra: it may be missing
    except ImportError:
        return None, "no_library"
    if orders.socket_path is not None:
        Path(orders.socket_path).unlink(missing_ok=True)
    try:
        return llama.Server(_params(llama, orders)), ""
    except RuntimeError:
        return None, "refused"


def _params(llama: ModuleType, orders: Orders) -> Any:
    params = llama.CommonParams()
    params.model.path = orders.model
    params.model_alias = {orders.alias}
    params.api_keys = [orders.api_key]
    params.hostnames = [orders.socket_path or "127.0.0.1"]
    params.port = 0
    params.n_threads_http = _HTTP_THREADS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = orders.threads
    params.n_ctx = orders.context * orders.slots
    params.n_parallel = orders.slots
    params.n_predict = orders.answer_tokens
    params.sampling.temp, params.sampling.top_p = _TEMPERATURE, _TOP_P
    params.prefill_assistant = False
    params.n_batch = params.n_ubatch = orders.context
    if orders.embeddings:
        params.embedding = True
        params.pooling_type = llama.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.sleep_idle_seconds = orders.sleep_idle_seconds
    params.cache_ram_mib = _PROMPT_CACHE_MIB
    params.verbosity = _ERRORS_ONLY
    params.fit_params = False
    params.ui = False
    if orders.template is not None:
        params.chat_template = orders.template
    return params


def _state_of(orders: Orders, address: str) -> str:
    own = process_id(os.getpid())
    state = {
        "pid": os.getpid(),
        "started": own.started if own else 0,
        "socket_path": orders.socket_path,
        "base_url": None if orders.socket_path else address,
        "api_key": orders.api_key,
        "owner_pid": orders.owner_pid,
        "owner_started": orders.owner_started,
    }
    return json.dumps(state)


def _publish(state_path: str, state: str) -> None:
    fresh = Path(f"{state_path}.{os.getpid()}")
    fresh.write_text(state, encoding="utf-8")
    fresh.replace(state_path)


def _say(answers: int, line: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):  # whoever asked may be gone; others will ask
        os.write(answers, json.dumps(line).encode() + b"\n")
    os.close(answers)


def _wait_for_the_end(orders: Orders, state: str) -> None:
    owner = ProcessId(orders.owner_pid, orders.owner_started)
    while owner.alive() and _read(orders.state_path) == state:
        time.sleep(_WATCH_SECONDS)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def orders_line(orders: Orders) -> bytes:
    """Return ``orders`` as the line that :func:`main` reads."""
    return json.dumps(asdict(orders)).encode() + b"\n"


if __name__ == "__main__":
    sys.exit(main())
