"""How many processes and threads the settings ask for when they leave it to us."""

import math
import os

from airelays_app.config.sections import Server

_MOST_WORKERS = 4
_UNEVENNESS = 1.2
_SPARE_THREADS = 8


def worker_count(server: Server) -> int:
    """Return the number of worker processes: one for each usable core, four at most."""
    if server.workers:
        return server.workers
    return min(_MOST_WORKERS, len(os.sched_getaffinity(0)))


def thread_count(server: Server) -> int:
    """Return the number of threads of each worker.

    A stream holds a thread. Workers do not draw connections evenly, hence a fifth more than their
    share, and a few threads for short requests while all streams run.
    """
    if server.threads:
        return server.threads
    share = server.streams / worker_count(server)
    return math.ceil(share * _UNEVENNESS) + _SPARE_THREADS
