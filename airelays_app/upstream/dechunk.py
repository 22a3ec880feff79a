"""Chunked transfer coding undone in bulk: all that has arrived at once becomes one piece."""

import re
from functools import lru_cache

from airelays_app.errors import UpstreamError

LINE_LIMIT = 1_024
"""Bytes of one chunk-size line, extensions included."""

TRAILER_LIMIT = 8_192

_CRLF = b"\r\n"
_SIZE = re.compile(rb"\r\n([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?")


class Dechunker:
    """A body in chunked coding: takes the bytes in any cut, gives the payload they complete.

    ``surplus`` says that bytes came after the end, which makes the connection useless. The CRLF
    that ends a chunk is read as the beginning of the next size line, so that each chunk costs one
    search and one look at that line.
    """

    __slots__ = ("_held", "_left", "_seen", "_trailer", "done", "surplus")

    def __init__(self) -> None:
        self.done = False
        self.surplus = False
        self._held = _CRLF
        self._left = 0
        self._trailer = False
        self._seen = 0

    def feed(self, data: bytes) -> bytes:
        """Return the payload in ``data``; nothing is kept back but unfinished framing.

        Raises UpstreamError if the framing is broken.
        """
        if self._held:
            data = self._held + data
            self._held = b""
        parts: list[bytes] = []
        pos = self._finish_chunk(data, parts) if self._left else 0
        if not self._left and not self._trailer:
            pos = self._chunks(data, pos, parts)
        if self._trailer:
            self._skip_trailer(data, pos)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def ended(self) -> bool:
        """Say whether the end of the connection is a clean end of the body."""
        return self.done

    def _finish_chunk(self, data: bytes, parts: list[bytes]) -> int:
        """Take what is missing of the chunk that the last feed began; return the next position."""
        rest = data[: self._left]
        parts.append(rest)
        self._left -= len(rest)
        return len(rest)

    def _chunks(self, data: bytes, pos: int, parts: list[bytes]) -> int:
        """Take every chunk that is complete, and the beginning of the next one."""
        have = len(data)
        find = data.find
        append = parts.append
        while pos < have:
            eol = find(_CRLF, pos + 2)
            if eol < 0:
                self._hold_line(data[pos:])
                return have
            size = _chunk_size(data[pos:eol])
            pos = eol + 2
            if not size:
                self._trailer = True
                return pos
            append(data[pos : pos + size])
            pos += size
        self._left = pos - have
        return have

    def _hold_line(self, line: bytes) -> None:
        if not _CRLF.startswith(line[:2]):
            raise _unterminated()
        if len(line) > len(_CRLF) + LINE_LIMIT:
            raise _broken("a chunk size line is too long")
        self._held = line

    def _skip_trailer(self, data: bytes, pos: int) -> None:
        """Pass over trailer fields up to the empty line that ends the body."""
        while (eol := data.find(b"\r\n", pos)) >= 0:
            if eol == pos:
                self.done = True
                self.surplus = len(data) > eol + 2
                return
            self._seen += eol + 2 - pos
            pos = eol + 2
            if self._seen > TRAILER_LIMIT:
                raise _broken("the trailer is too long")
        self._held = data[pos:]
        if len(self._held) > TRAILER_LIMIT:
            raise _broken("the trailer is too long")


@lru_cache(maxsize=1024)
def _chunk_size(line: bytes) -> int:
    """Return the size in a size line with its CRLF before it; those of a stream repeat themselves.

    Raises UpstreamError.
    """
    if not line.startswith(_CRLF):
        raise _unterminated()
    match = _SIZE.fullmatch(line)
    if match is None or len(line) > len(_CRLF) + LINE_LIMIT:
        raise _broken("a chunk size is not a hexadecimal number")
    return int(match[1], 16)


def _unterminated() -> UpstreamError:
    return _broken("a chunk does not end where its size says")


def _broken(how: str) -> UpstreamError:
    return UpstreamError(f"The upstream's chunked body is broken: {how}.")
