"""A WebSocket as its server sees it: text messages both ways, pings answered by themselves.

The frames (RFC 6455) are wsproto's; no extension is taken. Its handshake is not used: that reads
every header, and stumbles over odd ones that nobody needs here.
"""

import re
import select
from collections import deque
from collections.abc import Mapping
from socket import MSG_DONTWAIT, socket
from time import monotonic
from typing import NoReturn

from werkzeug.datastructures import Headers
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError, generate_accept_token

from airelays_app.errors import BadRequest, ClientGone, Unavailable
from airelays_app.web.inflight import Hold

DEAF_SECONDS = 300.0
"""For how long a client may say nothing, not even that it got a ping; one that runs a tool in its
only thread does not. One whose machine is gone is noticed sooner, by TCP."""

_VERSION = "13"
_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")
_READ_BYTES = 65_536
_MOST_WAITING = 8
"""How many messages wait before no more is read: enough to hear the pings between them."""


def handshake_answer(asked: Headers, headers: Mapping[str, str]) -> bytes:
    """Return the head that opens the WebSocket, with further ``headers``; raises BadRequest."""
    if asked.get("Sec-WebSocket-Version", "").strip() != _VERSION:
        raise BadRequest("This is no WebSocket handshake: Sec-WebSocket-Version must be 13.")
    key = asked.get("Sec-WebSocket-Key", "").strip()
    if not _KEY.fullmatch(key):
        raise BadRequest("This is no WebSocket handshake: Sec-WebSocket-Key must be 16 bytes.")
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Connection: Upgrade",
        "Upgrade: websocket",
        f"Sec-WebSocket-Accept: {generate_accept_token(key.encode()).decode()}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


class WebSocket:
    """One connection, from its handshake on; messages have up to ``max_bytes``.

    What has come and was not received counts as held by ``hold``. A client that says nothing is
    sent a ping every ``ping_seconds``. What it does wrong, and its leaving, is ClientGone.
    """

    def __init__(self, sock: socket, *, max_bytes: int, hold: Hold, ping_seconds: float) -> None:
        self._sock = sock
        self._protocol = Connection(ConnectionType.SERVER)
        self._max_bytes = max_bytes
        self._hold = hold
        self._ping_seconds = ping_seconds
        self._heard_at = self._asked_at = monotonic()
        self._begun = bytearray()
        self._messages: deque[bytes] = deque()

    def accept(self, answer: bytes) -> None:
        """Finish the handshake."""
        self._send_bytes(answer)

    def receive(self, seconds: float) -> bytes | None:
        """Return the next message, waiting up to ``seconds``; None if none is whole by then."""
        self.attend()
        if not self._messages:
            self._wait(seconds)
            self.attend()
        if not self._messages:
            return None
        message = self._messages.popleft()
        self._hold.drop(len(message))
        return message

    def attend(self) -> None:
        """Take what has arrived, without waiting, and keep the connection alive."""
        if self._protocol.state is not ConnectionState.OPEN:
            raise ClientGone
        while len(self._messages) < _MOST_WAITING:
            data = self._read()
            if not data:
                self._look_after(monotonic())
                return
            self._take(data)

    def send(self, message: bytes) -> None:
        """Send a text message, which is UTF-8."""
        self._send(TextMessage(data=message.decode()))

    def close(self, code: CloseReason, reason: str) -> None:
        """Say goodbye."""
        self._send(CloseConnection(code=code, reason=reason))

    def _wait(self, seconds: float) -> None:
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        poll.poll(seconds * 1000)

    def _read(self) -> bytes:
        try:
            data = self._sock.recv(_READ_BYTES, MSG_DONTWAIT)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise ClientGone from error
        if not data:
            raise ClientGone
        return data

    def _look_after(self, now: float) -> None:
        if now - self._heard_at >= DEAF_SECONDS:
            raise ClientGone
        if now - max(self._heard_at, self._asked_at) >= self._ping_seconds:
            self._asked_at = now
            self._send(Ping())

    def _take(self, data: bytes) -> None:
        self._heard_at = monotonic()
        self._protocol.receive_data(data)
        for event in self._protocol.events():
            self._hear(event)

    def _hear(self, event: Event) -> None:
        match event:
            case TextMessage():
                self._hear_text(event)
            case Ping():
                self._send(event.response())
            case BytesMessage():
                self._leave(CloseReason.UNSUPPORTED_DATA, "Send text messages.")
            case CloseConnection():  # or, with the reason for it, what is against the protocol
                self._send(event.response())
                raise ClientGone

    def _hear_text(self, event: TextMessage) -> None:
        text = event.data.encode()
        try:
            self._hold.add(len(text))
        except Unavailable as error:
            self._leave(CloseReason.TRY_AGAIN_LATER, error.message)
        self._begun += text
        if len(self._begun) > self._max_bytes:
            self._leave(CloseReason.MESSAGE_TOO_BIG, "The message is too large.")
        if event.message_finished:
            self._messages.append(bytes(self._begun))
            self._begun.clear()

    def _leave(self, code: CloseReason, reason: str) -> NoReturn:
        self.close(code, reason)
        raise ClientGone

    def _send(self, event: Event) -> None:
        try:
            data = self._protocol.send(event)
        except LocalProtocolError as error:  # one of the two has closed it
            raise ClientGone from error
        self._send_bytes(data)

    def _send_bytes(self, data: bytes) -> None:
        try:
            self._sock.sendall(data)
        except OSError as error:
            raise ClientGone from error
