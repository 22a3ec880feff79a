"""A realtime conversation over a WebSocket (RFC 6455): greets, then answers each message."""

import base64
import hashlib
from typing import Any

from airelays_app.sandbox import wire_json
from airelays_app.sandbox.exchange import Answer
from airelays_app.sandbox.faults import fault
from airelays_app.sandbox.routing import Visit

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_FINAL = 0x80


def realtime(visit: Visit) -> Answer | None:
    """Shake hands, then speak until the client closes."""
    key = visit.request.headers.get("sec-websocket-key")
    model = visit.request.query.get("model", "")
    if not key:
        return fault("Expected a WebSocket handshake.", None, status=400)
    if not model.startswith("sandbox-"):
        return fault(f"The model '{model}' does not exist.", "model", "model_not_found", status=404)
    visit.exchange.hang_up()
    visit.exchange.raw(_handshake(key, visit.request.headers.get("sec-websocket-protocol", "")))
    _say(visit, {"type": "session.created", "session": {"model": model}})
    while (frame := _receive(visit)) and _answered(visit, *frame):
        continue
    return None


def _handshake(key: str, offered: str) -> bytes:
    accept = base64.b64encode(hashlib.sha1(f"{key}{_GUID}".encode()).digest()).decode()  # noqa: S324
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "upgrade: websocket",
        "connection: Upgrade",
        f"sec-websocket-accept: {accept}",
    ]
    if offered:
        lines.append(f"sec-websocket-protocol: {offered.split(',', maxsplit=1)[0].strip()}")
    return "\r\n".join([*lines, "", ""]).encode()


def _answered(visit: Visit, kind: int, payload: bytes) -> bool:
    """Answer one frame; false once the conversation is over."""
    if kind == _CLOSE:
        _send(visit, _CLOSE, payload)
        return False
    if kind == _PING:
        _send(visit, _PONG, payload)
        return True
    said: Any = wire_json.loads(payload)
    usage = {"input_tokens": len(payload), "output_tokens": 1, "total_tokens": len(payload) + 1}
    _say(visit, {"type": "response.done", "response": {"echo": said, "usage": usage}})
    return True


def _say(visit: Visit, event: dict[str, Any]) -> None:
    _send(visit, _TEXT, wire_json.dumps(event))


def _send(visit: Visit, kind: int, payload: bytes) -> None:
    size = len(payload)
    if size < 126:
        length = bytes([size])
    elif size < 65_536:
        length = b"\x7e" + size.to_bytes(2)
    else:
        length = b"\x7f" + size.to_bytes(8)
    visit.exchange.raw(bytes([_FINAL | kind]) + length + payload)


def _receive(visit: Visit) -> tuple[int, bytes] | None:
    """Return the kind and payload of the client's next frame; None when it has left."""
    head = visit.exchange.receive(2)
    if len(head) < 2:
        return None
    size = head[1] & 0x7F
    if size == 126:
        size = int.from_bytes(visit.exchange.receive(2))
    elif size == 127:
        size = int.from_bytes(visit.exchange.receive(8))
    mask = visit.exchange.receive(4)
    masked = visit.exchange.receive(size)
    return head[0] & 0x0F, bytes(byte ^ mask[i % 4] for i, byte in enumerate(masked))
