"""Sleeping with an eye on the client."""

import select
import socket
import time
from math import ceil

from airelays_app.errors import ClientGone

TICK_SECONDS = 1.0
"""How often a silent upstream is looked away from: leases and keep-alives need it."""

GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR
"""Poll events that say that the client has left; one that closed only its sending side counts."""


def nothing() -> None:
    """There is nothing to do meanwhile."""


def sleep_watching(seconds: float, watch: socket.socket | None) -> None:
    """Sleep; raise ClientGone as soon as the client at ``watch`` has hung up."""
    if watch is None:
        time.sleep(seconds)
        return
    if watch.fileno() < 0:
        raise ClientGone
    poll = select.poll()
    poll.register(watch, GONE)
    if poll.poll(ceil(seconds * 1000)):
        raise ClientGone
