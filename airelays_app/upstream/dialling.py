"""TCP connections opened: addresses raced, one deadline for all, an eye on the client.

Where IPv6 is announced but goes nowhere, trying one address after the other costs the whole
connect timeout before IPv4 has its turn; so the next one starts after a moment (RFC 8305).
"""

import errno
import os
import select
import socket
from collections.abc import Sequence
from itertools import chain, zip_longest
from math import ceil
from time import monotonic
from typing import Any

from airelays_app.errors import ClientGone
from airelays_app.upstream.waiting import GONE

HEAD_START = 0.25
"""Seconds that an address gets before the next one is tried beside it."""

SocketOptions = Sequence[tuple[int, int, int]]


def dial(
    host: str,
    port: int,
    *,
    timeout: float,
    options: SocketOptions = (),
    watch: socket.socket | None = None,
) -> socket.socket:
    """Return a connection to the first address of ``host`` that answers, in ``timeout`` seconds.

    Raises OSError (gaierror, ConnectionRefusedError, TimeoutError ...), and ClientGone when the
    client at ``watch`` leaves. Name resolution has the resolver's own timeout.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    race = _Race(_alternating(found), options=options, watch=watch)
    try:
        winner = race.run(monotonic() + timeout)
    finally:
        race.close()
    winner.settimeout(timeout)
    return winner


def _alternating(found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the addresses with their families taking turns, the preferred one first."""
    first = [entry for entry in found if entry[0] == found[0][0]]
    others = [entry for entry in found if entry[0] != found[0][0]]
    return [entry for entry in chain.from_iterable(zip_longest(first, others)) if entry]


class _Race:
    """Connection attempts under way; the first that succeeds wins."""

    def __init__(
        self,
        addresses: list[tuple[Any, ...]],
        *,
        options: SocketOptions,
        watch: socket.socket | None,
    ) -> None:
        self._waiting = addresses
        self._options = options
        self._running: dict[int, socket.socket] = {}
        self._error: OSError = TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        self._watch_fd = -1 if watch is None else watch.fileno()
        self._poll = select.poll()
        if watch is not None:
            if self._watch_fd < 0:
                raise ClientGone
            self._poll.register(self._watch_fd, GONE)

    def run(self, deadline: float) -> socket.socket:
        """Return the winner; raises the last error when nobody wins."""
        while self._waiting or self._running:
            if self._waiting:
                self._start(self._waiting.pop(0))
            winner = self._wait(deadline)
            if winner is not None:
                return winner
            if monotonic() >= deadline:
                break
        raise self._error

    def close(self) -> None:
        """Close what did not win."""
        for sock in self._running.values():
            sock.close()

    def _start(self, address: tuple[Any, ...]) -> None:
        family, kind, protocol, _, place = address
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as error:
            self._error = error
            return
        self._running[sock.fileno()] = sock
        self._poll.register(sock, select.POLLOUT)
        for option in self._options:
            sock.setsockopt(*option)
        sock.settimeout(0.0)
        result = sock.connect_ex(place)
        if result not in {0, errno.EINPROGRESS}:
            self._drop(sock, result)

    def _wait(self, deadline: float) -> socket.socket | None:
        """Wait for a winner until the next address has its turn, or all attempts failed."""
        now = monotonic()
        until = min(deadline, now + HEAD_START) if self._waiting else deadline
        while self._running and now < until:
            for fd, _ in self._poll.poll(ceil((until - now) * 1000)):
                if fd == self._watch_fd:
                    raise ClientGone
                sock = self._running[fd]
                result = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if result == 0:
                    return self._running.pop(fd)
                self._drop(sock, result)
                if self._waiting:
                    return None
            now = monotonic()
        return None

    def _drop(self, sock: socket.socket, result: int) -> None:
        self._error = OSError(result, os.strerror(result))
        self._poll.unregister(sock)
        del self._running[sock.fileno()]
        sock.close()
