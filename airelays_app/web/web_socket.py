"""A WebSocket as its server sees it: text messages both ways, pings answered by themselves.

The protocol (RFC 6455) is wsproto's; the socket is the client's, lent by the server that has read
the handshake.
"""

import select
from collections import deque
from collections.abc import Iterable, Mapping
from socket import MSG_DONTWAIT, socket

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    TextMessage,
)
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import RemoteProtocolError

from airelays_app.errors import BadRequest, ClientGone

_READ_BYTES = 65_536


class WebSocket:
    """One connection, from its handshake on; messages have up to ``max_bytes`` characters.

    :meth:`accept` comes first. What the client does wrong, and its leaving, is ClientGone.
    """

    def __init__(self, headers: Iterable[tuple[str, str]], target: str, *, max_bytes: int) -> None:
        self._protocol = WSConnection(ConnectionType.SERVER)
        self._max_bytes = max_bytes
        self._sock: socket | None = None
        self._parts: list[str] = []
        self._size = 0
        self._messages: deque[str] = deque()
        self.is_heard = True
        try:
            raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            self._protocol.initiate_upgrade_connection(raw, target)
        except RemoteProtocolError as error:
            raise BadRequest(f"This is no WebSocket handshake: {error}.") from error

    def accept(self, sock: socket, headers: Mapping[str, str]) -> None:
        """Finish the handshake on ``sock`` with further ``headers``."""
        self._sock = sock
        extra = [(name.encode(), value.encode()) for name, value in headers.items()]
        self._send(AcceptConnection(extra_headers=extra))

    def receive(self, seconds: float) -> str | None:
        """Return the next message, waiting up to ``seconds``; None if none is whole by then."""
        self.attend()
        if not self._messages:
            self._wait(seconds)
            self.attend()
        return self._messages.popleft() if self._messages else None

    def attend(self) -> None:
        """Take what has arrived, without waiting; a message that waits keeps others out."""
        while not self._messages and (data := self._read()):
            self._take(data)

    def send(self, message: bytes) -> None:
        """Send a text message, which is UTF-8."""
        self._send(TextMessage(data=message.decode()))

    def ping(self) -> None:
        """Ask whether the client is there; ``is_heard`` turns true when it says anything."""
        self.is_heard = False
        self._send(Ping())

    def close(self, code: CloseReason, reason: str = "") -> None:
        """Say goodbye."""
        self._send(CloseConnection(code=code, reason=reason))

    def _wait(self, seconds: float) -> None:
        assert self._sock is not None
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        poll.poll(seconds * 1000)

    def _read(self) -> bytes:
        assert self._sock is not None
        try:
            data = self._sock.recv(_READ_BYTES, MSG_DONTWAIT)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise ClientGone from error
        if not data:
            raise ClientGone
        return data

    def _take(self, data: bytes) -> None:
        self.is_heard = True
        try:
            self._protocol.receive_data(data)
            for event in self._protocol.events():
                self._hear(event)
        except RemoteProtocolError as error:
            self._leave(CloseReason.PROTOCOL_ERROR, str(error))

    def _hear(self, event: Event) -> None:
        match event:
            case TextMessage():
                self._hear_text(event)
            case Ping():
                self._send(event.response())
            case BytesMessage():
                self._leave(CloseReason.UNSUPPORTED_DATA, "Send text messages.")
            case CloseConnection():
                self._send(event.response())
                raise ClientGone

    def _hear_text(self, event: TextMessage) -> None:
        self._parts.append(event.data)
        self._size += len(event.data)
        if self._size > self._max_bytes:
            self._leave(CloseReason.MESSAGE_TOO_BIG, "The message is too large.")
        if event.message_finished:
            self._messages.append("".join(self._parts))
            self._parts.clear()
            self._size = 0

    def _leave(self, code: CloseReason, reason: str) -> None:
        self.close(code, reason)
        raise ClientGone

    def _send(self, event: Event) -> None:
        assert self._sock is not None
        try:
            self._sock.sendall(self._protocol.send(event))
        except OSError as error:
            raise ClientGone from error
