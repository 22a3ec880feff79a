"""A client that sends any bytes and reads exactly what comes back."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPResponse, RemoteDisconnected
from types import MappingProxyType
from urllib.parse import urlsplit

PATIENCE = 90.0
_RECEIVED_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """One HTTP answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """One connection to ``url``; a context manager."""

    def __init__(self, url: str, *, receive_buffer: int | None = None) -> None:
        place = urlsplit(url)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(PATIENCE)
        self.sock.connect((place.hostname, place.port))

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        """Send all of ``data``; a server that has stopped reading is no failure of the client."""
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return

    def answer(self, method: str = "POST") -> WireAnswer | None:
        """Return the next answer; None if the server closed without one."""
        response = HTTPResponse(self.sock, method=method)
        try:
            response.begin()
            body = response.read()
        except (ConnectionResetError, RemoteDisconnected):
            return None
        finally:
            response.close()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return WireAnswer(response.status, MappingProxyType(headers), body)

    def read_until(self, mark: bytes) -> bytes:
        """Return what comes up to and including ``mark``, or all there was before the end."""
        data = bytearray()
        while mark not in data:
            piece = self.sock.recv(_RECEIVED_AT_ONCE)
            if not piece:
                break
            data += piece
        return bytes(data)

    def rest(self) -> bytes:
        """Return everything up to the end of the connection."""
        data = bytearray()
        try:
            while piece := self.sock.recv(_RECEIVED_AT_ONCE):
                data += piece
        except ConnectionResetError:
            return bytes(data)
        return bytes(data)


def request_head(
    method: str, target: str, headers: Mapping[str, str], *, length: int | None = None
) -> bytes:
    """Return the head of a well-formed request."""
    lines = [f"{method} {target} HTTP/1.1", "Host: relay.test"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def ask(
    url: str, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> WireAnswer:
    """Send one request, byte for byte as given, on a connection of its own."""
    with Wire(url) as wire:
        wire.send(request_head(method, target, headers or {}, length=len(body)) + body)
        answer = wire.answer(method)
    assert answer, f"{method} {target}: no answer"
    return answer
