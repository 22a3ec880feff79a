"""An upstream's answer, from its headers on."""

from collections.abc import Callable, Iterator
from socket import socket
from time import monotonic
from typing import Protocol

from airelays_app.errors import UpstreamCut, UpstreamError
from airelays_app.upstream.body import Body
from airelays_app.upstream.content_encoding import decoder_of
from airelays_app.upstream.head import Head, Headers
from airelays_app.upstream.waiting import TICK_SECONDS, nothing
from airelays_app.upstream.wire import Wire

_CLIENT_CHECK = 0.25


class Release(Protocol):
    """Takes the connection back."""

    def __call__(self, *, reusable: bool) -> None:
        """Keep the connection for another request, or close it."""
        ...


class UpstreamResponse:
    """Status, headers and a body that is read once, by ``pieces`` or by ``read``.

    ``release`` is called once, as soon as the body has ended or the response is closed.
    """

    __slots__ = (
        "_arrived",
        "_body",
        "_host",
        "_release",
        "_reusable",
        "_wire",
        "headers",
        "status",
    )

    def __init__(
        self,
        head: Head,
        *,
        body: Body,
        arrived: bytes,
        wire: Wire,
        reusable: bool,
        host: str,
        release: Release,
    ) -> None:
        self.status: int = head.status
        self.headers: Headers = head.headers
        self._body = body
        self._arrived = arrived
        self._wire = wire
        self._reusable = reusable
        self._host = host
        self._release: Release | None = release
        if body.done:
            self._finish(surplus=bool(arrived))

    def __enter__(self) -> "UpstreamResponse":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def pieces(self, *, tick: float, decode: bool = True) -> Iterator[bytes]:
        """Yield the body as it arrives: what has arrived together is one piece.

        ``b""`` means that nothing has come for ``tick`` seconds; with ``inf`` that is never told.
        Ends at the body's clean end, otherwise raises ClientGone, UpstreamCut, UpstreamError or
        UpstreamTimeout. A content-encoding is undone unless ``decode`` is false. The response is
        closed afterwards.
        """
        if not decode or "content-encoding" not in self.headers:
            return self._pieces(tick)
        return self._decoded_pieces(tick)

    def read(self, *, limit: int, on_tick: Callable[[], None] = nothing) -> bytes:
        """Return the whole body, its content-encoding undone; then the response is closed.

        ``on_tick`` is called at least once a second meanwhile.
        Raises UpstreamError when the body has more than ``limit`` bytes, before or after
        decoding, and what ``pieces`` raises.
        """
        try:
            return self._read(limit, on_tick)
        finally:
            self.close()

    def upgraded(self) -> tuple[socket, bytes]:
        """Return the connection behind a 101, and the bytes that came with its head.

        The connection stays this response's: it is closed with it.
        """
        return self._wire.sock, self._arrived

    def close(self) -> None:
        """Give the connection up: kept if the body was read to its end, else closed at once.

        Idempotent; never waits and never reads the rest of the body.
        """
        self._give_back(reusable=False)

    def _read(self, limit: int, on_tick: Callable[[], None]) -> bytes:
        parts: list[bytes] = []
        size = 0
        checked = monotonic()
        for piece in self.pieces(tick=TICK_SECONDS):
            on_tick()
            size += len(piece)
            if size > limit:
                raise UpstreamError(f"{self._host} sent more than {limit} bytes.")
            parts.append(piece)
            if monotonic() - checked > _CLIENT_CHECK:
                self._wire.check_client()
                checked = monotonic()
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _pieces(self, tick: float) -> Iterator[bytes]:
        if self._release is None:
            return
        body = self._body
        data: bytes | None = self._arrived
        self._arrived = b""
        due = monotonic() + tick
        try:
            while True:
                piece = body.feed(data) if data else b""
                if body.done:
                    self._finish(surplus=body.surplus)
                if piece or data is None:
                    yield piece
                    due = monotonic() + tick
                if body.done:
                    return
                data = self._receive(due - monotonic())
        finally:
            self.close()

    def _decoded_pieces(self, tick: float) -> Iterator[bytes]:
        try:
            decoder = decoder_of(self.headers["content-encoding"])
            for piece in self._pieces(tick):
                if piece:
                    yield from decoder.decode(piece)
                else:
                    yield piece
            decoder.finish()
        finally:
            self.close()

    def _receive(self, seconds: float) -> bytes | None:
        data = self._wire.receive(seconds)
        if data == b"" and not self._body.ended():
            raise UpstreamCut(f"The connection to {self._host} ended before its answer did.")
        return data

    def _finish(self, *, surplus: bool) -> None:
        self._give_back(reusable=self._reusable and not surplus)

    def _give_back(self, *, reusable: bool) -> None:
        release, self._release = self._release, None
        if release is not None:
            release(reusable=reusable)
