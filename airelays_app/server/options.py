"""What a server is told: its options, and the plan that ``load`` returns."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from wsgiref.types import WSGIApplication

_MOST_WORKERS = 8
_FEWEST_THREADS = 16
_SPARE_PERCENT = 10


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How to listen, with how much concurrency, and how patient to be. Times are in seconds.

    ``port`` 0 takes a free port. A request holds one of ``workers * threads`` threads until its
    answer is complete.

    * ``drain_seconds``: how long the workers of an earlier configuration may finish their answers.
    * ``stop_seconds``: the same when the server stops.
    * ``header_seconds``: from the first byte of a request (or the connection) to the end of its
      headers.
    * ``body_seconds``: the longest gap within a body. The whole body has this long too, plus one
      second for every ``body.FEWEST_BYTES_PER_SECOND`` received.
    * ``send_seconds``: how long a client may take no bytes at all while an answer waits for it.
    * ``keepalive_seconds``: how long a connection may be idle between two requests.
    * ``heartbeat_seconds``: a worker whose main loop is silent for longer is killed and replaced.
    """

    host: str
    port: int
    workers: int
    threads: int
    drain_seconds: int = 3600
    stop_seconds: int = 60
    header_seconds: float = 15
    body_seconds: float = 60
    send_seconds: float = 120
    keepalive_seconds: int = 75
    heartbeat_seconds: int = 30
    backlog: int = 2048
    pid_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """One configuration of the server.

    ``make_app`` is called inside each worker, after the fork; what it opens belongs to that worker
    alone.
    """

    options: ServerOptions
    make_app: Callable[[], WSGIApplication]


def default_concurrency(cores: int, streams: int) -> tuple[int, int]:
    """Return ``(workers, threads)`` that hold ``streams`` answers at once on ``cores`` cores.

    There are at least two workers, so that one can die or be replaced while another serves, and a
    tenth more threads than streams, so that short requests pass while every stream is held.
    """
    workers = min(max(cores, 2), _MOST_WORKERS)
    return workers, max(_FEWEST_THREADS, ceil(streams * (100 + _SPARE_PERCENT) / (100 * workers)))
