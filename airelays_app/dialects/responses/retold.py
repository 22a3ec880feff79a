"""A Responses stream told anew, where a server's own events leave out what clients go by.

llama.cpp numbers nothing: neither its events nor the items and contents that they are about. The
stream helper of openai-python 3.57 fails at the first piece of text then (seen 2026-11-25).
"""

from collections.abc import Iterable, Sequence

from airelays_app.dialects.base import Classify, ReplyContext
from airelays_app.dialects.responses.stream_in import ResponsesDecoder
from airelays_app.dialects.responses.stream_out import ResponsesEncoder
from airelays_app.framing.sse import SseSplitter


def begins_unnumbered(blocks: Sequence[bytes]) -> bool:
    """Tell whether a stream begins in ``blocks``, with an event that has no number."""
    first = next((block for block in blocks if b"response.created" in block), b"")
    return bool(first) and b'"sequence_number"' not in first


class Retold:
    """One stream: decoded, and encoded in whole events."""

    def __init__(self, classify: Classify, context: ReplyContext) -> None:
        self._decoder = ResponsesDecoder(classify)
        self._encoder = ResponsesEncoder(context)

    def feed(self, blocks: Iterable[bytes]) -> list[bytes]:
        """Return the blocks that take the place of the next ones, some of which may be runs."""
        single = (event for block in blocks for event in SseSplitter().feed(block))
        return SseSplitter().feed(self._encoder.feed(self._decoder.feed(single)))
