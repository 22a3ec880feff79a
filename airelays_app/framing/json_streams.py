"""JSON objects one after the other, for clients that do not want server-sent events.

Both forms are made from a stream of events, whose data they keep byte for byte.
"""

from typing import Protocol

from airelays_app.framing.sse import SseSplitter, parse_block


class Framing(Protocol):
    """How the events of a stream are written."""

    content_type: str

    def feed(self, events: bytes) -> bytes:
        """Return the next whole events, written."""

    def close(self) -> bytes:
        """Return what ends the stream."""


class JsonLines:
    """One object per line (https://github.com/ndjson/ndjson-spec)."""

    content_type = "application/x-ndjson"

    def feed(self, events: bytes) -> bytes:
        """Return a line for each event with data."""
        return b"".join(data + b"\n" for data in _data_of(events))

    def close(self) -> bytes:
        """Nothing ends the last line but its end."""
        return b""


class JsonArray:
    """One array, an element per event; it is whole JSON only at its end."""

    content_type = "application/json"

    def __init__(self) -> None:
        self._opened = False

    def feed(self, events: bytes) -> bytes:
        """Return an element for each event with data."""
        written = b""
        for data in _data_of(events):
            written += (b",\r\n" if self._opened else b"[") + data
            self._opened = True
        return written

    def close(self) -> bytes:
        """Return the end of the array."""
        return b"]" if self._opened else b"[]"


def _data_of(events: bytes) -> list[bytes]:
    """Return the data of each event, each on one line: a line end in JSON is only white space."""
    splitter = SseSplitter()
    blocks = [*splitter.feed(events), splitter.close()]
    data = (parse_block(block).data for block in blocks)
    return [found.replace(b"\n", b" ") for found in data if found]
