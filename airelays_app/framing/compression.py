"""gzip and deflate undone, piece by piece and bounded."""

import zlib
from collections.abc import Iterator

PIECE_BYTES = 262_144
"""Most bytes that one step gives, however well the input was compressed."""

_GZIP = 16 + zlib.MAX_WBITS


class BrokenCompressionError(Exception):
    """The bytes are not what their coding says."""


class Inflater:
    """gzip (several members too) or deflate, with or without the zlib wrapper.

    ``is_complete`` says whether the coded data may end here; it may before it has begun.
    """

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._started = False
        self._zlib = zlib.decompressobj(_GZIP if gzip else zlib.MAX_WBITS)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing."""
        return self._zlib.eof or not self._started

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` decodes to, in bounded pieces; raises BrokenCompressionError."""
        while data:
            self._prepare(data)
            try:
                piece = self._zlib.decompress(data, PIECE_BYTES)
            except zlib.error as error:
                raise BrokenCompressionError from error
            if piece:
                yield piece
            data = self._zlib.unconsumed_tail or self._zlib.unused_data

    def _prepare(self, data: bytes) -> None:
        """Begin the next gzip member, or find out whether deflate comes without its wrapper."""
        if self._zlib.eof:
            if not self._gzip:
                raise BrokenCompressionError
            self._zlib = zlib.decompressobj(_GZIP)
        elif not self._started and not self._gzip and data[0] & 0x0F != zlib.DEFLATED:
            self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
        self._started = True
