"""One open connection: bytes out, bytes in, and an eye on the client in every wait.

The socket never blocks. Whatever has to be waited for is waited for with one ``poll`` over the
upstream's and the client's socket (``select`` fails above descriptor 1,023), so a client that
leaves is noticed at once, whether the upstream takes its time to accept the request, to answer
or to go on.
"""

import select
import socket
import ssl
import struct
from math import ceil
from time import monotonic

from urllib3.util.ssltransport import SSLTransport

from airelays_app.errors import ClientGone, UpstreamCut, UpstreamTimeout
from airelays_app.upstream.waiting import GONE

READ_SIZE = 65_536
"""Most bytes of one piece."""

_SEND_SIZE = 262_144
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Wire:
    """The two ends of one exchange: ``sock`` to the upstream, ``watch`` to the client.

    ``read_timeout`` is the longest silence of the upstream, in seconds, that is waited through.
    ``host`` stands in messages.
    """

    __slots__ = (
        "_eof",
        "_fd",
        "_full",
        "_host",
        "_is_plain",
        "_nested",
        "_poll",
        "_read_timeout",
        "_silent",
        "_sock",
        "_watch_fd",
    )

    def __init__(
        self,
        sock: socket.socket,
        *,
        watch: socket.socket | None,
        host: str,
        read_timeout: float,
    ) -> None:
        self._sock = sock
        self._host = host
        self._read_timeout = read_timeout
        self._silent = 0.0
        self._full = False
        self._eof = False
        self._is_plain = type(sock) is socket.socket
        self._nested = isinstance(sock, SSLTransport)
        self._fd = sock.fileno()
        self._watch_fd = -1 if watch is None else watch.fileno()
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)
        if watch is not None:
            if self._watch_fd < 0:
                raise ClientGone
            self._poll.register(self._watch_fd, GONE)

    @property
    def sock(self) -> socket.socket:
        """The upstream's end."""
        return self._sock

    def send(self, data: memoryview) -> tuple[memoryview, bytes]:
        """Send ``data``, until the upstream says something while it takes no more.

        Returns what is left to be sent, and what the upstream has said. Raises ClientGone,
        UpstreamCut, UpstreamTimeout.
        """
        if self._nested:
            return self._send_nested(data)
        rest = data
        while rest:
            try:
                rest = rest[self._sock.send(rest[:_SEND_SIZE]) :]
            except _WOULD_BLOCK:
                early = self._wait_to_send()
                if early:
                    return rest, early
            except OSError:
                return rest, self._last_words()
        return rest, b""

    def receive(self, seconds: float) -> bytes | None:
        """Return all bytes that have arrived (at most READ_SIZE), waiting up to ``seconds``.

        None means that nothing came, ``b""`` that the connection has ended. Raises ClientGone,
        UpstreamCut, UpstreamTimeout.
        """
        if self._full:
            data = self._read()
            if data is not None:
                return data
        start = now = monotonic()
        allowed = min(seconds, self._read_timeout - self._silent)
        until = now + allowed
        while True:
            ready = self._poll.poll(ceil((until - now) * 1000) if until > now else 0)
            if ready:
                if ready[0][0] != self._fd or len(ready) > 1:
                    raise ClientGone
                data = self._read()
                if data is not None:
                    self._silent = 0.0
                    return data
            now = monotonic()
            if now >= until:
                self._nothing_came(now - start)
                return None

    def check_client(self) -> None:
        """Raise ClientGone if the client has left."""
        if self._watch_fd >= 0 and any(fd == self._watch_fd for fd, _ in self._poll.poll(0)):
            raise ClientGone

    def _nothing_came(self, waited: float) -> None:
        self._silent += waited
        if self._silent >= self._read_timeout:
            raise UpstreamTimeout(f"{self._host} was silent for {self._read_timeout:g} seconds.")

    def _read(self) -> bytes | None:
        return self._read_plain() if self._is_plain else self._read_records()

    def _read_plain(self) -> bytes | None:
        try:
            data = self._sock.recv(READ_SIZE)
        except BlockingIOError:
            self._full = False
            return None
        except OSError as error:
            raise self._cut() from error
        self._full = len(data) == READ_SIZE
        return data

    def _read_records(self) -> bytes | None:
        """Read TLS records until the next would have to be waited for; join them."""
        if self._eof:
            return b""
        parts: list[bytes] = []
        size = 0
        self._full = False
        while size < READ_SIZE:
            try:
                part = self._sock.recv(READ_SIZE - size)
            except _WOULD_BLOCK:
                return b"".join(parts) if parts else None
            except OSError as error:
                raise self._cut() from error
            if not part:
                self._eof = self._full = True
                return b"".join(parts)
            parts.append(part)
            size += len(part)
        self._full = True
        return b"".join(parts)

    def _send_nested(self, data: memoryview) -> tuple[memoryview, bytes]:
        """Send through TLS within TLS, which loses bytes on a socket that does not block."""
        self._sock.settimeout(self._read_timeout)
        try:
            self._sock.sendall(data)
        except TimeoutError:
            raise self._stuck() from None
        except OSError as error:
            raise self._cut() from error
        finally:
            self._sock.settimeout(0.0)
        return data[:0], b""

    def _wait_to_send(self) -> bytes:
        """Wait until the upstream takes more; return what it says meanwhile."""
        self._poll.modify(self._fd, select.POLLIN | select.POLLOUT)
        try:
            events = dict(self._poll.poll(ceil(self._read_timeout * 1000)))
        finally:
            self._poll.modify(self._fd, select.POLLIN)
        if self._watch_fd in events:
            self._drop_unsent()
            raise ClientGone
        if not events:
            self._drop_unsent()
            raise self._stuck()
        if events[self._fd] & select.POLLOUT:
            return b""
        data = self._read()
        if data == b"":
            raise self._closed()
        return data or b""

    def _drop_unsent(self) -> None:
        """Let closing reset the connection: an end behind the unsent bytes might never arrive."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)

    def _last_words(self) -> bytes:
        """Return the answer that an upstream gave before it stopped taking the request."""
        try:
            data = self._read()
        except UpstreamCut:
            data = None
        if not data:
            raise self._closed()
        return data

    def _closed(self) -> UpstreamCut:
        return UpstreamCut(f"{self._host} closed the connection without an answer.")

    def _stuck(self) -> UpstreamTimeout:
        return UpstreamTimeout(f"{self._host} took no data for {self._read_timeout:g} seconds.")

    def _cut(self) -> UpstreamCut:
        return UpstreamCut(f"The connection to {self._host} broke.")
