"""Run the server in this process: ``airelays serve`` is this function and a configuration."""

import logging
import resource
from collections.abc import Callable

from airelays_app.server.arbiter import RelayArbiter
from airelays_app.server.arenas import share_arenas
from airelays_app.server.listeners import addresses_of, open_listeners
from airelays_app.server.lock import pid_file
from airelays_app.server.logs import ensure_handler, note
from airelays_app.server.notify import Notifier
from airelays_app.server.options import Plan

_MOST_DESCRIPTORS = 65_536


def run(
    load: Callable[[], Plan],
    *,
    on_listening: Callable[[list[tuple[str, int]]], None] | None = None,
) -> int:
    """Serve until a signal says stop; return the exit status.

    ``load`` is called now, where whatever it raises is the caller's, and again on SIGHUP, where it
    is only logged. ``on_listening`` gets the addresses once clients can connect; the workers are
    forked after it returns, so it must leave no thread running.

    Returns 0 after a stop by signal, 1 when the application could not be made. Raises
    :class:`~airelays_app.server.listeners.CannotListen`. Call it in the main thread, holding the
    data directory (:func:`airelays_app.server.lock.hold`).
    """
    ensure_handler()
    share_arenas()
    plan = load()
    notifier = Notifier.from_environ()
    _allow_many_descriptors()
    listeners = open_listeners(plan.options)
    addresses = addresses_of(listeners)
    note(
        logging.INFO, "listening", addresses=",".join(f"{host}:{port}" for host, port in addresses)
    )
    try:
        with pid_file(plan.options.pid_file):
            if on_listening is not None:
                on_listening(addresses)
            return RelayArbiter(load, plan, listeners, notifier).run()
    finally:
        for listener in listeners:
            listener.close()


def _allow_many_descriptors() -> None:
    """Every stream needs two; shells often give 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
