"""Sleeping with an eye on the client."""

import select
import socket
import time
from math import ceil

from airelays_app.errors import ClientGone

GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR
"""Poll events that say that the client has left; one that closed only its sending side counts."""


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
