"""A multipart body in reads that never end within a boundary.

Werkzeug's decoder (3.1.9, seen 2026-11-25) takes the CR in front of a closing boundary for a part's
last byte if all that it has got ends behind the boundary's first hyphen, or its trailing blanks.
"""

import re
from typing import Protocol

_MOST_BLANKS = 64


class Readable(Protocol):
    """What a body is read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, none at the end."""


class FormStream:
    """The body in ``source``; reads that end badly are a few bytes longer than asked for."""

    def __init__(self, source: Readable, boundary: bytes) -> None:
        self._source = source
        self._cut = re.compile(
            rb"--%b(?:-|[ \t]{1,%d})\Z" % (re.escape(boundary), _MOST_BLANKS), re.ASCII
        )
        self._longest = len(boundary) + _MOST_BLANKS + 2

    def read(self, size: int, /) -> bytes:
        """Return ``size`` bytes, a little more, or what is left."""
        data = self._source.read(size)
        while self._cut.search(data, max(0, len(data) - self._longest)):
            more = self._source.read(1)
            if not more:
                break
            data += more
        return data
