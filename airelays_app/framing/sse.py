"""Server-sent events: bytes to blocks and back, the exact bytes kept.

A *block* is the raw bytes of one event with the blank line that ends it. Lines end in LF, CRLF or
CR and in nothing else: U+2028, U+0085 and their like are text (WHATWG HTML, "Server-sent events",
seen 2026-11-22). The blocks of a stream concatenate to the stream.
"""

import re
from typing import NamedTuple

_LINE_END = re.compile(rb"\r\n|\n|\r(?!\n)")
_BLANK_LINE = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n))")
_PLAIN_BLOCK = rb"\n?+(?:.+\n)*+\n"
_CRLF_BLOCK = rb"(?:\r\n)?+(?:.+\r\n)*+\r\n"
_usual = re.compile(rb"(?:event: (.*)\n)?data: (.*)\n\n").fullmatch
_usual_crlf = re.compile(rb"(?:event: ([^\r\n]*)\r\n)?data: ([^\r\n]*)\r\n\r\n").fullmatch

_SHORT_REST = 65_536
"""What is copied in front of what follows; more of one event is searched where it is."""

MAX_BLOCK_BYTES = 64 * 1024 * 1024

KEEP_ALIVE = b": keep-alive\n\n"


class BlockTooLargeError(Exception):
    """One event is larger than MAX_BLOCK_BYTES."""


class Frame(NamedTuple):
    """What a block says. ``event`` is empty without an ``event:`` line; ``data`` is None without
    a ``data:`` line (a comment, a retry hint).
    """

    event: bytes
    data: bytes | None


class Runs(NamedTuple):
    """What a splitter leaves together, in streams whose lines end in LF and in CRLF."""

    lf: re.Pattern[bytes]
    crlf: re.Pattern[bytes]


def runs_of(event: bytes) -> Runs:
    """Return what lets a splitter leave neighbours together that match the pattern ``event``.

    It is a pattern of whole events, blank line included, whose lines end in LF or CRLF.
    """
    return Runs(
        re.compile(rb"(?:%b)++|%b" % (event, _PLAIN_BLOCK)),
        re.compile(rb"(?:%b)++|%b" % (event, _CRLF_BLOCK)),
    )


_SINGLE = Runs(re.compile(_PLAIN_BLOCK), re.compile(_CRLF_BLOCK))


class SseSplitter:
    """Cuts a byte stream into blocks, however the network has cut it.

    Events of ``runs`` (see :func:`runs_of`) that came together may be one block.
    """

    def __init__(self, runs: Runs | None = None, *, max_block_bytes: int = MAX_BLOCK_BYTES) -> None:
        self._runs = runs or _SINGLE
        self._rest = bytearray()
        self._searched = 0
        self._max = max_block_bytes
        self._plain = True

    def feed(self, data: bytes) -> list[bytes]:
        """Return the blocks that ``data`` completes; raises BlockTooLargeError."""
        if self._plain and b"\r" in data:
            self._plain = False
        if len(self._rest) < _SHORT_REST:
            joined = bytes(self._rest) + data if self._rest else data
            if self._plain:
                return self._split_at_lf(joined)
            if (blocks := self._split_at_crlf(joined)) is not None:
                return blocks
        self._rest += data
        return self._split_rest()

    def close(self) -> bytes:
        """Return what is left without its blank line; it is a block of its own if not empty."""
        rest = bytes(self._rest)
        self._rest.clear()
        return rest

    def _split_at_lf(self, data: bytes) -> list[bytes]:
        # Behind the last blank line the pattern would look for one again and again.
        blocks: list[bytes] = self._runs.lf.findall(data, 0, data.rfind(b"\n\n") + 2)
        self._keep(data[sum(map(len, blocks)) :])
        return blocks

    def _split_at_crlf(self, data: bytes) -> list[bytes] | None:
        """Split what has no other line ends; returns None for anything else.

        The pattern takes no LF without a CR before it.
        """
        end = data.rfind(b"\r\n\r\n") + 4
        blocks: list[bytes] = self._runs.crlf.findall(data, 0, end)
        split = b"".join(blocks)
        rest = data[len(split) :]
        if not data.startswith(split) or split.count(b"\r") > split.count(b"\n"):
            return None
        if not _has_only_crlf(rest):
            return None
        self._keep(rest)
        return blocks

    def _split_rest(self) -> list[bytes]:
        blocks: list[bytes] = []
        start = 0
        search_from = max(0, self._searched - 3)
        while (end := self._block_end(search_from)) != -1:
            blocks.append(bytes(self._rest[start:end]))
            start = search_from = end
        self._keep(self._rest[start:])
        return blocks

    def _block_end(self, search_from: int) -> int:
        if self._plain:
            found = self._rest.find(b"\n\n", search_from)
            return found + 2 if found != -1 else -1
        match = _BLANK_LINE.search(self._rest, search_from)
        if not match or (match.end() == len(self._rest) and self._rest.endswith(b"\r")):
            # A CR at the end of what has come may be the first half of a CRLF.
            return -1
        return match.end()

    def _keep(self, rest: bytes | bytearray) -> None:
        if len(rest) > self._max:
            raise BlockTooLargeError
        self._rest = bytearray(rest)
        self._searched = len(rest)


def parse_block(block: bytes) -> Frame:
    """Return what a block says; fields other than ``event`` and ``data`` are ignored."""
    usual = _usual_crlf(block) if b"\r" in block else _usual(block)
    if usual:
        return Frame(usual[1] or b"", usual[2])
    event = b""
    data: list[bytes] = []
    for line in _LINE_END.split(block):
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value.removeprefix(b" "))
        elif name == b"event":
            event = value.removeprefix(b" ")
    return Frame(event, b"\n".join(data) if data else None)


def _has_only_crlf(data: bytes) -> bool:
    """Tell whether every line ends in CRLF; the second half of the last may be still to come."""
    ends = data.count(b"\r\n")
    return data.count(b"\n") == ends == data.count(b"\r") - data.endswith(b"\r")


def data_block(data: bytes) -> bytes:
    """Return a block without a name; ``data`` holds no line end."""
    return b"data: %b\n\n" % data


def event_block(event: bytes, data: bytes) -> bytes:
    """Return a named block; ``data`` holds no line end."""
    return b"event: %b\ndata: %b\n\n" % (event, data)
