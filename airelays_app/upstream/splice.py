"""Two connections joined: what arrives on one is sent on the other, byte for byte."""

import select
import socket
import ssl
from collections.abc import Callable
from time import monotonic

LOOK_SECONDS = 2.0
"""How often it is asked whether to go on."""

_READ_SIZE = 65_536
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class _End:
    """One of the two sockets, with what still has to be sent to it."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(0.0)
        self.sock = sock
        self.owed = b""
        self.has_ended = False

    def read(self) -> bytes:
        """Return what has arrived, ``b""`` if nothing has; notes the end."""
        try:
            data = self.sock.recv(_READ_SIZE)
        except _WOULD_BLOCK:
            return b""
        except OSError:
            data = b""
        self.has_ended = not data
        return data

    def flush(self) -> None:
        """Send of what is owed as much as is taken at once."""
        try:
            while self.owed:
                self.owed = self.owed[self.sock.send(self.owed) :]
        except _WOULD_BLOCK:
            return
        except OSError:
            self.owed = b""
            self.has_ended = True

    def holds_more(self) -> bool:
        """Whether TLS has decrypted bytes that no poll would tell of."""
        return isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0


def splice(
    client: socket.socket,
    upstream: socket.socket,
    *,
    arrived: bytes = b"",
    count: Callable[[int], None],
    look: Callable[[], None],
) -> None:
    """Carry bytes both ways until one side ends; what it said before still arrives.

    ``arrived`` are bytes that the upstream has sent already. ``count`` is told how many bytes go
    to the client. ``look`` is called every :data:`LOOK_SECONDS`, to raise what ends it. A side is
    read only when all it said has been passed on, so memory stays bounded. Both sockets are left
    open, and in non-blocking mode.
    """
    near, far = _End(client), _End(upstream)
    near.owed = arrived
    count(len(arrived))
    look_at = monotonic() + LOOK_SECONDS
    while not _is_over(near, far):
        _wait(near, far, until=look_at)
        if monotonic() >= look_at:
            look()
            look_at = monotonic() + LOOK_SECONDS
        if not near.owed:
            near.owed = far.read()
            count(len(near.owed))
        if not far.owed:
            far.owed = near.read()


def _is_over(near: _End, far: _End) -> bool:
    near.flush()
    far.flush()
    return near.has_ended or far.has_ended


def _wait(near: _End, far: _End, *, until: float) -> None:
    """Wait until one side has something to read, or takes what is owed to it, or time is over.

    A side from which nothing is wanted is not polled: one that has left would be reported for ever.
    """
    if far.holds_more() and not near.owed:
        return
    poll = select.poll()
    for end, other in ((near, far), (far, near)):
        wanted = (0 if other.owed else select.POLLIN) | (select.POLLOUT if end.owed else 0)
        if wanted:
            poll.register(end.sock, wanted)
    poll.poll(max(0.0, until - monotonic()) * 1000)
