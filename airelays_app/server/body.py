"""Receive request bodies with patience that ends.

An application that reads ``wsgi.input`` meets only errors of :mod:`airelays_app.errors`:

* :class:`~airelays_app.errors.RequestTimeout` (408): the body came too slowly;
* :class:`~airelays_app.errors.BadRequest` (400): its chunked framing is broken;
* :class:`~airelays_app.errors.ClientGone`: the client left before the body was complete. (gunicorn
  by itself would hand out the truncated body as if it were whole.)

None of them is an ``OSError``, so Werkzeug passes them on. The connection is closed afterwards.
"""

import select
import socket
import time
from collections.abc import Callable
from typing import Any

from gunicorn.http.errors import ParseException
from gunicorn.http.unreader import SocketUnreader

from airelays_app.errors import BadRequest, ClientGone, RequestTimeout

FEWEST_BYTES_PER_SECOND = 1024
"""A body that arrives more slowly than this, on average, is given up (after a first grace)."""


class PatientUnreader(SocketUnreader):  # type: ignore[misc]
    """The parser's source: what the poller has collected, then the socket, within deadlines.

    The socket must be in Python's blocking mode; a read that finds nothing polls for it.
    """

    def __init__(self, sock: socket.socket, *, gap_seconds: float) -> None:
        super().__init__(sock)
        self._gap = gap_seconds
        self._patient = True
        self._started = 0.0
        self._received = 0

    def begin(self) -> None:
        """Start the clock of one request."""
        self._patient = True
        self._started = time.monotonic()
        self._received = 0

    def stop_waiting(self) -> None:
        """From now on hand out only what has already arrived, else raise ``TimeoutError``."""
        self._patient = False

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Return the next bytes of the request; never empty."""
        size = min(max(self.mxchunk, size_hint or 0), self.max_body_chunk)
        while True:
            try:
                data: bytes = self.sock.recv(size, socket.MSG_DONTWAIT)
            except BlockingIOError:
                self._wait()
                continue
            except OSError as error:
                raise ClientGone("the client left while sending its request") from error
            if not data:
                raise ClientGone("the client left while sending its request")
            self._received += len(data)
            return data

    def _wait(self) -> None:
        if not self._patient:
            raise TimeoutError("nothing more has arrived")
        earned = self._gap + self._received / FEWEST_BYTES_PER_SECOND
        seconds = min(self._gap, self._started + earned - time.monotonic())
        poller = select.poll()
        poller.register(self.sock, select.POLLIN)
        if seconds <= 0 or not poller.poll(seconds * 1000):
            raise RequestTimeout("The request body arrived too slowly. Send it again.")


class GuardedReader:
    """A gunicorn body reader whose framing errors are the client's: ``BadRequest``.

    ``on_failure`` is called when a read fails: where a next request would start is unknown then.
    """

    def __init__(self, reader: Any, *, on_failure: Callable[[], None]) -> None:
        self._reader = reader
        self._on_failure = on_failure

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes of the body; empty at its end."""
        try:
            data: bytes = self._reader.read(size)
        except ParseException as error:
            self._on_failure()
            message = "The chunked request body is malformed. Check the client's framing."
            raise BadRequest(message) from error
        except Exception:
            self._on_failure()
            raise
        return data
