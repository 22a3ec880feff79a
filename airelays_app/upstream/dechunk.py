"""Chunked transfer coding undone in bulk: all that has arrived at once becomes one piece."""

import re
from functools import lru_cache

from airelays_app.errors import UpstreamError

LINE_LIMIT = 1_024
"""Bytes of one chunk-size line, extensions included."""

TRAILER_LIMIT = 8_192

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?")


class Dechunker:
    """A body in chunked coding: takes the bytes in any cut, gives the payload they complete.

    ``surplus`` says that bytes came after the end, which makes the connection useless.
    """

    __slots__ = ("_held", "_left", "_seen", "_trailer", "done", "surplus")

    def __init__(self) -> None:
        self.done = False
        self.surplus = False
        self._held = b""
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
        pos = self._finish_chunk(data, parts)
        if not self._left and not self._trailer:
            pos = self._chunks(data, pos, parts)
        if self._trailer:
            self._skip_trailer(data, pos)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def ended(self) -> bool:
        """Say whether the end of the connection is a clean end of the body."""
        return self.done

    def _finish_chunk(self, data: bytes, parts: list[bytes]) -> int:
        """Take what is missing of the chunk that the last feed began; return the next position.

        ``_left`` counts the chunk's closing CRLF in.
        """
        left = self._left
        if not left:
            return 0
        have = len(data)
        if left > 2:
            parts.append(data[: left - 2])
        if have < left - 2:
            self._left = left - have
            return have
        if have < left:
            self._left, self._held = 2, data[left - 2 :]
            _check_prefix(self._held)
            return have
        if data[left - 2 : left] != b"\r\n":
            raise _broken("a chunk does not end where its size says")
        self._left = 0
        return left

    def _chunks(self, data: bytes, pos: int, parts: list[bytes]) -> int:
        """Take every chunk that is complete, and the beginning of the next one."""
        have = len(data)
        find = data.find
        append = parts.append
        while pos < have:
            eol = find(b"\r\n", pos)
            if eol < 0:
                self._hold_line(data[pos:])
                return have
            size = _chunk_size(data[pos:eol])
            pos = eol + 2
            if not size:
                self._trailer = True
                return pos
            end = pos + size
            if end + 2 > have:
                return self._begin_chunk(data, pos, size, parts)
            if data[end : end + 2] != b"\r\n":
                raise _broken("a chunk does not end where its size says")
            append(data[pos:end])
            pos = end + 2
        return pos

    def _begin_chunk(self, data: bytes, pos: int, size: int, parts: list[bytes]) -> int:
        self._left = size + 2
        rest = data[pos:]
        if rest:
            self._finish_chunk(rest, parts)
        return len(data)

    def _hold_line(self, line: bytes) -> None:
        if len(line) > LINE_LIMIT:
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
    """Return the size that a chunk-size line names; the lines of one stream repeat themselves."""
    match = _SIZE.fullmatch(line)
    if match is None or len(line) > LINE_LIMIT:
        raise _broken("a chunk size is not a hexadecimal number")
    return int(match[1], 16)


def _check_prefix(held: bytes) -> None:
    if not b"\r\n".startswith(held):
        raise _broken("a chunk does not end where its size says")


def _broken(how: str) -> UpstreamError:
    return UpstreamError(f"The upstream's chunked body is broken: {how}.")
