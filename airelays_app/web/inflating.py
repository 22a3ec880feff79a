"""The Content-Encoding of a request body undone, in steps that stay small whatever comes."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType

import zstandard

from airelays_app.errors import BadRequest, UnsupportedMediaType
from airelays_app.framing.compression import BrokenCompressionError, Inflater

_ZSTD_WINDOW_BYTES = 128 * 1024 * 1024
_ZSTD_STEP_BYTES = 256
"""What is decoded at once: four bytes can stand for 128 KiB (RFC 8878, section 3.1.1.2)."""

Pieces = Callable[[bytes], Iterator[bytes]]


def inflater_of(encoding: str) -> Pieces | None:
    """Return what undoes ``encoding`` piece by piece, None where there is nothing to undo.

    The pieces raise BadRequest for a broken or incomplete body. Raises UnsupportedMediaType.
    """
    name = encoding.strip().lower()
    if name not in _INFLATERS:
        raise UnsupportedMediaType(f"Content-Encoding must be one of {', '.join(_INFLATERS)}.")
    return _INFLATERS[name]


def _zlib_pieces(data: bytes, *, gzip: bool) -> Iterator[bytes]:
    inflater = Inflater(gzip=gzip)
    try:
        yield from inflater.decode(data)
    except BrokenCompressionError as error:
        raise _broken() from error
    if not inflater.is_complete:
        raise _broken()


def _zstd_pieces(data: bytes) -> Iterator[bytes]:
    try:
        yield from _zstd_frames(data)
    except zstandard.ZstdError as error:
        raise _broken() from error


def _zstd_frames(data: bytes) -> Iterator[bytes]:
    while data:
        frame = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).decompressobj()
        end = 0
        while not frame.eof:
            if end >= len(data):
                raise _broken()
            yield frame.decompress(data[end : end + _ZSTD_STEP_BYTES])
            end += _ZSTD_STEP_BYTES
        data = frame.unused_data + data[end:]


def _broken() -> BadRequest:
    return BadRequest("The body is not what its Content-Encoding says, or it is cut short.")


_INFLATERS: Mapping[str, Pieces | None] = MappingProxyType(
    {
        "identity": None,
        "gzip": partial(_zlib_pieces, gzip=True),
        "deflate": partial(_zlib_pieces, gzip=False),
        "zstd": _zstd_pieces,
    }
)
