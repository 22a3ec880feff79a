"""Content-Encoding undone, piece by piece and bounded: gzip and deflate, what we ask for."""

from collections.abc import Iterator
from typing import Protocol

from airelays_app.errors import UpstreamCut, UpstreamError
from airelays_app.framing.compression import BrokenCompressionError, Inflater


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


class Inflated:
    """gzip or deflate."""

    def __init__(self, *, gzip: bool) -> None:
        self._inflater = Inflater(gzip=gzip)

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` decodes to, in bounded pieces. Raises UpstreamError if broken."""
        try:
            yield from self._inflater.decode(data)
        except BrokenCompressionError:
            raise UpstreamError("The upstream's compressed body is broken.") from None

    def finish(self) -> None:
        """Raise UpstreamCut if the compressed data is incomplete."""
        if not self._inflater.is_complete:
            raise UpstreamCut("The upstream's compressed body is incomplete.")


def decoder_of(encoding: str) -> Decoder:
    """Return the decoder for a Content-Encoding. Raises UpstreamError if it was not asked for."""
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return Identity()
    if name in {"gzip", "x-gzip", "deflate"}:
        return Inflated(gzip=name != "deflate")
    raise UpstreamError("The upstream compressed its answer in a way that was not asked for.")
