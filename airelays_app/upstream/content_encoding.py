"""Content-Encoding undone, piece by piece and bounded: gzip and deflate, what we ask for."""

import zlib
from collections.abc import Iterator
from typing import Protocol

from airelays_app.errors import UpstreamCut, UpstreamError

_PIECE = 262_144
"""Most bytes that one step of decoding gives, however well the input was compressed."""

_GZIP = 16 + zlib.MAX_WBITS


class Decoder(Protocol):
    """Undoes one content-encoding."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` decodes to. Raises UpstreamError if it is broken."""
        ...

    def finish(self) -> None:
        """Raise UpstreamCut if the encoded data is incomplete."""
        ...


class Identity:
    """Nothing to undo."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield ``data`` itself."""
        yield data

    def finish(self) -> None:
        """Accept the end anywhere."""


class Inflater:
    """gzip (several members too) or deflate, with or without the zlib wrapper."""

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._started = False
        self._zlib = zlib.decompressobj(_GZIP if gzip else zlib.MAX_WBITS)

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` decodes to, in bounded pieces. Raises UpstreamError if broken."""
        while data:
            self._prepare(data)
            try:
                piece = self._zlib.decompress(data, _PIECE)
            except zlib.error:
                raise UpstreamError("The upstream's compressed body is broken.") from None
            if piece:
                yield piece
            data = self._zlib.unconsumed_tail or self._zlib.unused_data

    def finish(self) -> None:
        """Raise UpstreamCut if the compressed data is incomplete."""
        if self._started and not self._zlib.eof:
            raise UpstreamCut("The upstream's compressed body is incomplete.")

    def _prepare(self, data: bytes) -> None:
        """Begin the next gzip member, or find out whether deflate comes without its wrapper."""
        if self._zlib.eof:
            if not self._gzip:
                raise UpstreamError("The upstream's compressed body is broken.")
            self._zlib = zlib.decompressobj(_GZIP)
        elif not self._started and not self._gzip and data[0] & 0x0F != zlib.DEFLATED:
            self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
        self._started = True


def decoder_of(encoding: str) -> Decoder:
    """Return the decoder for a Content-Encoding. Raises UpstreamError if it was not asked for."""
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return Identity()
    if name in {"gzip", "x-gzip", "deflate"}:
        return Inflater(gzip=name != "deflate")
    raise UpstreamError("The upstream compressed its answer in a way that was not asked for.")
