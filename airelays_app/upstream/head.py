"""The head of an HTTP/1 answer: status line and headers, parsed from whole bytes.

The standard library parses headers as if they were mail, at nine times the cost.
"""

import re
from collections.abc import ItemsView, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar, overload

from airelays_app.errors import UpstreamError

_T = TypeVar("_T")

HEAD_LIMIT = 65_536
"""Bytes of status line and headers that are accepted."""

HEADER_COUNT_LIMIT = 200

INTERIM_LIMIT = 1_000
"""Heads with a 1xx status that are skipped before the final one."""

_STATUS_LINE = re.compile(r"HTTP/1\.([0-9]) ([1-9][0-9]{2})(?: (.*))?", re.DOTALL)
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""What stands in no header (RFC 9110, section 5.5)."""

_MAGIC = b"HTTP/1."
_END = re.compile(rb"\n\r?\n")


class Headers(Mapping[str, str]):
    """Headers by name in any case; the names are kept in lower case, repeated values joined."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def items(self) -> ItemsView[str, str]:
        """Return the names and values, without looking each one up again."""
        return self._values.items()

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, /, default: str | _T) -> str | _T: ...
    def get(self, name: str, /, default: str | _T | None = None) -> str | _T | None:
        """Return the value of ``name``, or ``default``."""
        return self._values.get(name.lower(), default)

    def __repr__(self) -> str:
        return f"Headers({', '.join(self._values)})"


@dataclass(frozen=True, slots=True)
class Head:
    """A parsed head; ``minor`` is the digit after ``HTTP/1.``."""

    minor: int
    status: int
    reason: str
    headers: Headers


class HeadParser:
    """Takes bytes in any cut until the final head is complete; interim 1xx heads are skipped."""

    __slots__ = ("_held", "_interim")

    def __init__(self) -> None:
        self._held = b""
        self._interim = 0

    @property
    def started(self) -> bool:
        """Say whether any byte of an answer has come."""
        return bool(self._held or self._interim)

    def feed(self, data: bytes) -> tuple[Head, bytes] | None:
        """Return the head and the bytes after it, or None while the head is incomplete.

        Raises UpstreamError for anything that is not an HTTP/1 head, or is too long.
        """
        held = self._held + data if self._held else data
        while (end := _END.search(held)) is not None:
            if end.start() > HEAD_LIMIT:
                raise _too_long()
            head = parse_head(held[: end.start()])
            held = held[end.end() :]
            if head.status >= 200 or head.status == 101:
                return head, held
            self._interim += 1
            if self._interim > INTERIM_LIMIT:
                raise UpstreamError("The upstream sends interim answers without end.")
        if len(held) > HEAD_LIMIT:
            raise _too_long()
        if not held.startswith(_MAGIC) and not _MAGIC.startswith(held[: len(_MAGIC)]):
            raise UpstreamError("The upstream's answer is not HTTP/1.")
        self._held = held
        return None


def parse_head(block: bytes) -> Head:
    """Parse a head without its closing empty line. Raises UpstreamError when it is malformed."""
    lines = block.decode("latin-1").replace("\r\n", "\n").rstrip("\r").split("\n")
    status_line = _STATUS_LINE.fullmatch(lines[0])
    if status_line is None:
        raise UpstreamError("The upstream's answer is not HTTP/1.")
    if len(lines) > HEADER_COUNT_LIMIT + 1:
        raise UpstreamError(f"The upstream sent more than {HEADER_COUNT_LIMIT} headers.")
    if _CONTROLS.search(block):
        raise UpstreamError("The upstream sent a malformed header.")
    values: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or "\r" in value:
            raise UpstreamError("The upstream sent a malformed header.")
        key = field_name(name)
        value = value.strip(" \t")
        values[key] = f"{values[key]}, {value}" if key in values else value
    minor, status, reason = status_line.groups()
    return Head(int(minor), int(status), reason or "", Headers(values))


@lru_cache(maxsize=1024)
def field_name(name: str) -> str:
    """Return a header's name in lower case. Raises UpstreamError if it is no legal name."""
    if _TOKEN.fullmatch(name) is None:
        raise UpstreamError("A header has a malformed name.")
    return name.lower()


def _too_long() -> UpstreamError:
    return UpstreamError(f"The upstream's headers are longer than {HEAD_LIMIT} bytes.")
