"""Settings in, a server's plan out: how to listen, and what each worker makes."""

import os
from collections.abc import Callable
from math import ceil

from flask import Flask

from airelays_app.composition.application import begin_work, create_app
from airelays_app.config import Server, Settings
from airelays_app.providers.registry import Surroundings
from airelays_app.server.options import Plan, ServerOptions, default_concurrency


def plan_of(settings: Settings) -> Plan:
    """Return the plan of a server whose master is this process."""
    return Plan(options=server_options(settings.server), make_app=_app_maker(settings))


def server_options(server: Server, *, cores: int | None = None) -> ServerOptions:
    """Return the server's options; ``cores`` are those that this process may use."""
    workers, threads = concurrency(server, cores=cores or len(os.sched_getaffinity(0)))
    return ServerOptions(
        host=server.host,
        port=server.port,
        workers=workers,
        threads=threads,
        drain_seconds=server.drain_seconds,
        stop_seconds=server.stop_seconds,
        header_seconds=server.header_seconds,
        body_seconds=server.body_seconds,
        send_seconds=server.send_seconds,
        keepalive_seconds=server.idle_connection_seconds,
    )


def concurrency(server: Server, *, cores: int) -> tuple[int, int]:
    """Return ``(workers, threads)``: what is set, and for the rest what holds the streams."""
    workers, threads = default_concurrency(cores, server.streams)
    if server.workers:
        threads = ceil(workers * threads / server.workers)
        workers = server.workers
    return workers, server.threads or threads


def _app_maker(settings: Settings) -> Callable[[], Flask]:
    """Workers name the master as the owner of what must end with the relay."""
    surroundings = Surroundings(master_pid=os.getpid())

    def make() -> Flask:
        app = create_app(settings, surroundings)
        begin_work(app)
        return app

    return make
