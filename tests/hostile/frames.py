"""A WebSocket client that sends any frames, and reads exactly what comes back."""

import json
import struct
from typing import Any

from tests.hostile.wire import Wire

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
TERMINAL = ("response.completed", "response.failed", "response.incomplete", "error")


def frame(
    data: bytes = b"",
    *,
    opcode: int = TEXT,
    final: bool = True,
    masked: bool = True,
    reserved: int = 0,
    length: int | None = None,
) -> bytes:
    """Return one frame; ``length`` is what it says of itself, and the mask changes nothing."""
    said = len(data) if length is None else length
    head = bytes([(0x80 if final else 0) | reserved | opcode])
    mask = 0x80 if masked else 0
    if said < 126:
        head += bytes([mask | said])
    elif said < 65_536:
        head += bytes([mask | 126]) + struct.pack(">H", said)
    else:
        head += bytes([mask | 127]) + struct.pack(">Q", said)
    return head + (b"\0\0\0\0" if masked else b"") + data


class FrameWire(Wire):
    """A connection on which frames come and go, once :meth:`open` has been answered."""

    _rest = b""

    def open(self, relay: Any, path: str = "/v1/responses", **headers: str) -> bytes:
        """Send the handshake; return the head of the answer."""
        credential = {"Authorization": f"Bearer {relay.token}"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{name}: {value}" for name, value in (HANDSHAKE | credential | named).items()]
        host = [] if "Host" in named else ["Host: relay.test"]
        head = "\r\n".join([f"GET {path} HTTP/1.1", *host, *lines, "", ""])
        self.send(head.encode("latin-1"))
        data = self.read_until(b"\r\n\r\n")
        answer, _, self._rest = data.partition(b"\r\n\r\n")
        return answer

    def create(self, text: str, **more: Any) -> None:
        """Ask for a reply."""
        body = {"type": "response.create", "model": "gpt-5.5", "input": text, **more}
        self.send(frame(json.dumps(body).encode()))

    def receive(self) -> tuple[int, bytes] | None:
        """Return the next frame's opcode and data; None at the end of the connection."""
        if not self._need(2):
            return None
        opcode, length, start = self._rest[0] & 15, self._rest[1], 2
        if length >= 126:
            size = 2 if length == 126 else 8
            start += size
            assert self._need(start)
            length = int.from_bytes(self._rest[2:start], "big")
        assert self._need(start + length)
        data, self._rest = self._rest[start : start + length], self._rest[start + length :]
        return opcode, data

    def heard(self) -> tuple[int, bytes] | None:
        """Return the next frame that is no ping."""
        received = self.receive()
        while received and received[0] == PING:
            received = self.receive()
        return received

    def event(self) -> Any:
        """Return the next message, which is JSON."""
        received = self.heard()
        assert received, "the connection has ended"
        opcode, data = received
        assert opcode == TEXT, received
        return json.loads(data)

    def last_event(self) -> Any:
        """Return the terminal event of a reply."""
        event = self.event()
        while event["type"] not in TERMINAL:
            event = self.event()
        return event

    def until_closed(self) -> int | None:
        """Return the code of the close frame that must be the last thing that comes."""
        last = None
        while received := self.receive():
            last = received
        assert not self._rest, self._rest
        assert last, "the connection has ended without a close frame"
        assert last[0] == CLOSE, last
        return int.from_bytes(last[1][:2], "big") if last[1] else None

    def _need(self, size: int) -> bool:
        while len(self._rest) < size:
            piece = self.sock.recv(65_536)
            if not piece:
                assert not self._rest, self._rest
                return False
            self._rest += piece
        return True
