"""Where connections wait without a thread: for a request, for its end, or for their own end.

A connection is in one of three places. *Arriving*: new, or part of a request head is here; it has
``header_seconds`` for the whole head. *Idle*: between two requests, for ``keepalive_seconds``.
*Leaving*: answered for the last time; what it still sends is thrown away until it closes.
Everything here runs in the worker's main loop and never blocks.
"""

import selectors
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import takewhile
from typing import Any

from airelays_app.ids import fresh_id
from airelays_app.server.connection import Connection, Progress
from airelays_app.server.options import ServerOptions
from airelays_app.server.refusals import LONG_HEAD, OVERDUE, reply_of

LEAVING_SECONDS = 2.0
"""How long a client may keep its side open after the last answer."""


class Queue:
    """Connections with deadlines, the earliest first: all of a queue get the same time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._deadlines: dict[Connection, float] = {}

    def __len__(self) -> int:
        return len(self._deadlines)

    def __contains__(self, conn: Connection) -> bool:
        return conn in self._deadlines

    def __iter__(self) -> Iterator[Connection]:
        return iter(tuple(self._deadlines))

    def add(self, conn: Connection) -> None:
        """Let ``conn`` wait from now on, behind all others."""
        self._deadlines[conn] = time.monotonic() + self._seconds

    def discard(self, conn: Connection) -> None:
        """Forget ``conn`` if it is here."""
        self._deadlines.pop(conn, None)

    def overdue(self, now: float) -> list[Connection]:
        """Return those whose time is over; they stay."""
        return list(takewhile(lambda conn: self._deadlines[conn] <= now, self._deadlines))

    def hurry(self, seconds: float) -> None:
        """From now on give no more than ``seconds``, also to those who wait already."""
        self._seconds = min(self._seconds, seconds)
        latest = time.monotonic() + self._seconds
        for conn, deadline in self._deadlines.items():
            self._deadlines[conn] = min(deadline, latest)


class Lobby:
    """All connections of a worker that no thread is serving.

    ``serve`` is called with each connection whose next request head is complete; the connection
    has left the lobby then. It comes back through :meth:`keep` or :meth:`see_off`.
    """

    def __init__(
        self,
        poller: selectors.BaseSelector,
        options: ServerOptions,
        serve: Callable[[Connection], None],
    ) -> None:
        self._poller = poller
        self._serve = serve
        self._arriving = Queue(options.header_seconds)
        self._idle = Queue(options.keepalive_seconds)
        self._leaving = Queue(LEAVING_SECONDS)

    def __len__(self) -> int:
        return len(self._arriving) + len(self._idle) + len(self._leaving)

    def welcome(self, conn: Connection) -> None:
        """Take in a new connection; its request has often come with it."""
        self._wait(conn, self._arriving)
        self._take_head(conn, conn.receive())

    def keep(self, conn: Connection) -> None:
        """Take back an answered connection for its next request."""
        self._wait(conn, self._idle)
        self._take_head(conn, conn.next_head())

    def see_off(self, conn: Connection) -> None:
        """Take back an answered connection that ends here."""
        if conn.finish_sending():
            conn.close()
        else:
            self._wait(conn, self._leaving)

    def tick(self, now: float) -> None:
        """End the connections whose time is over."""
        for conn in self._arriving.overdue(now):
            if conn.has_begun:
                conn.try_to_send(reply_of(OVERDUE, fresh_id("req")))
            self._drop(conn)
        for conn in self._idle.overdue(now) + self._leaving.overdue(now):
            self._drop(conn)

    def shed_idle(self) -> None:
        """End the idle connections: their clients come back to a worker that has a free thread.

        One whose next request has just arrived is served all the same.
        """
        for conn in self._idle:
            self._take_head(conn, conn.receive())
            if conn in self._idle:
                self._drop(conn)

    def make_room(self) -> None:
        """End the connection that is missed least."""
        for queue in (self._leaving, self._idle, self._arriving):
            for conn in queue:
                self._drop(conn)
                return

    def hurry(self) -> None:
        """Give idle connections little time; called once when the worker begins to end.

        Not none, because a client may be sending its next request already.
        """
        self._idle.hurry(LEAVING_SECONDS)

    def close(self) -> None:
        """End all connections."""
        for queue in (self._leaving, self._idle, self._arriving):
            for conn in queue:
                self._drop(conn)

    def _on_readable(self, conn: Connection, _sock: Any) -> None:
        if conn in self._leaving:
            if conn.discard():
                self._drop(conn)
        elif conn in self._arriving or conn in self._idle:
            # Else it was ended by an earlier event of the same round.
            self._take_head(conn, conn.receive())

    def _take_head(self, conn: Connection, progress: Progress) -> None:
        if progress is Progress.COMPLETE:
            self._forget(conn)
            self._serve(conn)
        elif progress is Progress.GONE:
            self._drop(conn)
        elif progress is Progress.TOO_LONG:
            conn.try_to_send(reply_of(LONG_HEAD, fresh_id("req")))
            self._forget(conn)
            self.see_off(conn)
        elif conn.has_begun and conn in self._idle:
            self._idle.discard(conn)
            self._arriving.add(conn)

    def _wait(self, conn: Connection, queue: Queue) -> None:
        queue.add(conn)
        on_readable = partial(self._on_readable, conn)
        self._poller.register(conn.sock, selectors.EVENT_READ, on_readable)

    def _forget(self, conn: Connection) -> None:
        self._poller.unregister(conn.sock)
        for queue in (self._arriving, self._idle, self._leaving):
            queue.discard(conn)

    def _drop(self, conn: Connection) -> None:
        self._forget(conn)
        conn.close()
