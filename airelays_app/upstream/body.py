"""How long an answer's body is: by chunks, by a length, or until the connection ends."""

from typing import Protocol

from airelays_app.errors import UpstreamError
from airelays_app.upstream.dechunk import Dechunker
from airelays_app.upstream.head import Head

_NO_BODY = frozenset({204, 304})


class Body(Protocol):
    """The framing of one body: fed in any cut of the bytes until it is ``done``."""

    done: bool
    surplus: bool

    def feed(self, data: bytes) -> bytes:
        """Return the payload in ``data``."""
        ...

    def ended(self) -> bool:
        """Say whether the end of the connection, now, is a clean end of the body."""
        ...


class FixedLength:
    """A body of ``length`` bytes, zero for answers that have none."""

    __slots__ = ("_left", "done", "surplus")

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = length == 0
        self.surplus = False

    def feed(self, data: bytes) -> bytes:
        """Return what of ``data`` belongs to the body."""
        left = self._left
        if len(data) > left:
            self.surplus = True
            data = data[:left]
        self._left = left - len(data)
        self.done = self._left == 0
        return data

    def ended(self) -> bool:
        """Say whether all bytes have come."""
        return self.done


class UntilClose:
    """A body that ends with its connection."""

    __slots__ = ("done", "surplus")

    def __init__(self) -> None:
        self.done = False
        self.surplus = False

    def feed(self, data: bytes) -> bytes:
        """Return ``data`` as it is."""
        return data

    def ended(self) -> bool:
        """Accept the end of the connection as the end of the body."""
        self.done = True
        return True


def body_of(head: Head, *, method: str) -> Body:
    """Return the framing of the body that follows ``head``.

    Raises UpstreamError for a length or transfer coding that cannot be trusted.
    """
    if method == "HEAD" or head.status in _NO_BODY:
        return FixedLength(0)
    coding = head.headers.get("transfer-encoding")
    if coding is not None:
        if coding.lower() != "chunked":
            raise UpstreamError("The upstream uses a transfer coding that was not offered.")
        return Dechunker()
    length = head.headers.get("content-length")
    if length is None or head.status == 101:
        return UntilClose()
    return FixedLength(_length(length))


def keeps_alive(head: Head) -> bool:
    """Say whether the connection may carry another request after this body."""
    if head.status == 101 or {"transfer-encoding", "content-length"} <= head.headers.keys():
        return False
    connection = head.headers.get("connection", "").lower()
    return "keep-alive" in connection if head.minor == 0 else "close" not in connection


def _length(value: str) -> int:
    """Return the one length that a Content-Length, possibly repeated, names."""
    lengths = {part.strip(" \t") for part in value.split(",")}
    only = lengths.pop()
    if lengths or not (only.isascii() and only.isdigit() and len(only) < 20):
        raise UpstreamError("The upstream sent an invalid Content-Length.")
    return int(only)
