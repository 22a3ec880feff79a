"""An HTTP/1.1 answer as a client takes it in: as cheaply as the load needs it."""

import re

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"


class Answer:
    """Collects the bytes of one answer."""

    def __init__(self) -> None:
        self.status = 0
        self._parts: list[bytes] = []
        self._body_from = 0
        self._size = 0
        self._whole_size: int | None = None

    def feed(self, data: bytes) -> bool:
        """Take what has come; true when the answer is complete."""
        self._parts.append(data)
        self._size += len(data)
        if not self._body_from and not self._begin():
            return False
        if self._whole_size is not None:
            return self._size >= self._whole_size
        return self._tail().endswith(_LAST_CHUNK)

    def has(self, mark: bytes) -> bool:
        """Whether ``mark`` has come; the first part decides as a rule."""
        return any(mark in part for part in self._parts)

    def body(self) -> bytes:
        """Return the body, without its chunk framing."""
        raw = b"".join(self._parts)[self._body_from :]
        return raw if self._whole_size is not None else _dechunked(raw)

    def _begin(self) -> bool:
        """Read the head if it is complete."""
        seen = b"".join(self._parts)
        end = seen.find(b"\r\n\r\n") + 4
        if end < 4:
            return False
        self._parts = [seen]
        self._body_from = end
        self.status = int(seen[9:12])
        length = _LENGTH.search(seen, 0, end)
        self._whole_size = end + int(length[1]) if length else None
        return True

    def _tail(self) -> bytes:
        last = self._parts[-1]
        if len(last) >= len(_LAST_CHUNK) or len(self._parts) == 1:
            return last
        return b"".join(self._parts[-len(_LAST_CHUNK) :])


def _dechunked(raw: bytes) -> bytes:
    parts: list[bytes] = []
    start = 0
    while True:
        line_end = raw.index(b"\r\n", start)
        size = int(raw[start:line_end], 16)
        if not size:
            return b"".join(parts)
        start = line_end + 2 + size + 2
        parts.append(raw[line_end + 2 : start - 2])
