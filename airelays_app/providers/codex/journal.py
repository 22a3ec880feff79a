"""``auth.json.pending``: the one renewal that is under way, on disk before and after it happens.

The issuer rotates refresh tokens: the moment it answers, the old token is dead and the new one
exists only in that answer. So a record is opened *before* the request is sent, with space for the
answer already taken from the disk, and the raw answer is put into it by the first write after it
has arrived, before anything is parsed. What a later process finds there is one of:

* no record: nothing was under way;
* a record without an answer: the request may or may not have reached the issuer;
* a record with an answer: new tokens, or a refusal, whichever the answer is.

A record speaks only about the refresh token whose fingerprint it holds.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from airelays_app.providers.codex.credentials import sync_directory, write_private
from airelays_app.providers.codex.oauth import IssuerAnswer
from airelays_app.store.private_file import open_private

_ANSWER_BYTES: Final = 64 * 1024
_RECORD_BYTES_MAX: Final = 1 << 20
_PADDING: Final = b"\0"


@dataclass(frozen=True, slots=True)
class Renewal:
    """A record: whose renewal, what was answered and when (unix seconds), as far as known.

    ``cut_off`` says that an earlier renewal of the same token was left without an answer.
    """

    fingerprint: str
    cut_off: bool = False
    answer: IssuerAnswer | None = None
    answered_at: float = 0.0


class PendingRecord:
    """The open record of the renewal under way; made by :meth:`Journal.begin`.

    A process that inherits ``descriptor`` can keep the answer at ``answer_offset`` as well.
    """

    def __init__(self, descriptor: int, *, answer_offset: int) -> None:
        self.descriptor = descriptor
        self.answer_offset = answer_offset

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self.descriptor)

    def keep(self, answer: IssuerAnswer, *, at: float) -> None:
        """Put ``answer``, received ``at`` unix seconds, on disk: one write, then one sync."""
        head = {"status": answer.status, "at": at, "sha256": _digest(answer.raw)}
        content = memoryview(_line(head) + answer.raw)
        offset = self.answer_offset
        while content:
            written = os.pwrite(self.descriptor, content, offset)
            content, offset = content[written:], offset + written
        os.fsync(self.descriptor)


class Journal:
    """The record beside one login file. The caller holds the lock of that file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self, fingerprint: str, *, cut_off: bool) -> PendingRecord:
        """Open a record for a renewal that is about to be sent.

        Raises :class:`OSError` if there is no space for the answer; then nothing may be sent.
        """
        head = _line({"fingerprint": fingerprint, "cut_off": cut_off})
        write_private(self._path, head + _PADDING * _ANSWER_BYTES)
        sync_directory(self._path.parent)
        return PendingRecord(open_private(self._path, os.O_WRONLY), answer_offset=len(head))

    def read(self) -> Renewal | None:
        """Return the record, ``None`` if there is none or it was torn before it was begun."""
        try:
            with self._path.open("rb") as record:
                content = record.read(_RECORD_BYTES_MAX)
        except OSError:
            return None
        first, _, rest = content.partition(b"\n")
        head = _object(first)
        fingerprint = head.get("fingerprint")
        if not isinstance(fingerprint, str):
            return None
        answer, at = _answer(rest)
        return Renewal(fingerprint, head.get("cut_off") is True, answer, at)

    def forget(self) -> None:
        """Remove the record; a crash right after may bring it back, which does no harm."""
        with contextlib.suppress(OSError):  # it speaks about a token that is no longer in use
            self._path.unlink(missing_ok=True)


def _answer(content: bytes) -> tuple[IssuerAnswer | None, float]:
    first, _, rest = content.partition(b"\n")
    head = _object(first)
    raw = rest.rstrip(_PADDING)
    status, at = head.get("status"), head.get("at")
    if not isinstance(status, int) or not isinstance(at, float | int):
        return None, 0.0
    if head.get("sha256") != _digest(raw):
        return None, 0.0
    return IssuerAnswer(status, raw), float(at)


def _line(head: Mapping[str, Any]) -> bytes:
    return json.dumps(head).encode("ascii") + b"\n"


def _object(line: bytes) -> Mapping[str, Any]:
    try:
        parsed = json.loads(line)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw.rstrip(_PADDING)).hexdigest()
