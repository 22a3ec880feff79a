"""The optional traffic log: one JSON object per line, redacted, bounded, never in the way.

Each line has ``logged_at`` (ISO 8601, UTC), ``phase`` and ``request_id``, and what is known of
``method``, ``path``, ``query``, ``status``, ``headers``, ``fields`` and ``body``.
"""

import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airelays_app.framing import jsontext
from airelays_app.store import redaction
from airelays_app.store.traffic_files import HourlyFiles
from airelays_app.store.traffic_retention import remove_old_logs

_MEGABYTE = 1024 * 1024
_RETENTION_SECONDS = 60.0
_RETENTION_SHARE = 16

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrafficRecord:
    """One moment of a request.

    ``target`` is a path or URL with its query; ``fields`` are further facts, of which those
    with an allowed name are kept. A body's type is taken from the ``content-type`` header.
    """

    phase: str
    request_id: str
    method: str | None = None
    target: str | None = None
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


class TrafficLog:
    """Writes records to hourly files below ``directory``, shared with other processes.

    Files are kept ``retention_days``, ``max_total_mb`` in all (exceeded by at most a sixteenth
    per process before the next look) and ``max_file_mb`` each. ``bodies`` adds prompts and
    answers. :meth:`write` never raises: what cannot be written is counted in ``dropped`` and
    reported once through :mod:`logging`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        retention_days: float,
        max_total_mb: float,
        max_file_mb: float,
        bodies: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.dropped = 0
        self._directory = directory
        self._retention_days = retention_days
        self._max_total_bytes = int(max_total_mb * _MEGABYTE)
        self._max_file_bytes = min(int(max_file_mb * _MEGABYTE), self._max_total_bytes)
        self._bodies = bodies
        self._clock = clock
        self._writer_of_process: dict[int, _Writer] = {}

    def write(self, record: TrafficRecord) -> None:
        """Append the record, redacted; never raises."""
        writer = self._writer()
        try:
            now = datetime.fromtimestamp(self._clock(), tz=UTC)
            line = self._line(record, now)
            writer.files.append(line, at=now)
        except Exception as error:  # whatever it is, the request goes on
            self._report_drop(writer, error)
            return
        writer.is_failing = False
        if writer.retention_is_due(len(line), every_bytes=self._retention_bytes()):
            self._retain(now)

    def close(self) -> None:
        """Close this process's file; a later write opens it again."""
        writer = self._writer_of_process.pop(os.getpid(), None)
        if writer is not None:
            writer.files.close()

    def _writer(self) -> "_Writer":
        process = os.getpid()
        writer = self._writer_of_process.get(process)
        if writer is not None:
            return writer
        files = HourlyFiles(self._directory, max_file_bytes=self._max_file_bytes)
        return self._writer_of_process.setdefault(process, _Writer(files))

    def _line(self, record: TrafficRecord, now: datetime) -> bytes:
        head = {
            "logged_at": now.isoformat(timespec="milliseconds"),
            "phase": record.phase,
            "request_id": record.request_id,
        }
        line = jsontext.dumps(head | self._details(record)) + b"\n"
        if len(line) <= self._max_file_bytes:
            return line
        digest = hashlib.sha256(line).hexdigest()
        return jsontext.dumps(head | {"omitted_bytes": len(line), "sha256": digest}) + b"\n"

    def _details(self, record: TrafficRecord) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if record.method is not None:
            found["method"] = redaction.word(record.method)
        if record.target is not None:
            found |= redaction.target(record.target)
        if record.status is not None:
            found["status"] = record.status
        if record.headers:
            found["headers"] = redaction.header_values(record.headers)
        if record.fields:
            found["fields"] = redaction.fields(record.fields)
        if record.body is not None:
            snapshot = redaction.body_text if self._bodies else redaction.body_shape
            found["body"] = snapshot(record.body, _content_type(record))
        return found

    def _retention_bytes(self) -> int:
        return max(1, self._max_total_bytes // _RETENTION_SHARE)

    def _retain(self, now: datetime) -> None:
        try:
            remove_old_logs(
                self._directory,
                now=now,
                retention_days=self._retention_days,
                max_total_bytes=self._max_total_bytes,
            )
        except OSError as error:
            _log.warning("Old traffic logs cannot be removed: %s", error.strerror)

    def _report_drop(self, writer: "_Writer", error: Exception) -> None:
        self.dropped += 1
        if writer.is_failing:
            return
        writer.is_failing = True
        reason = error.strerror if isinstance(error, OSError) else type(error).__name__
        _log.warning("The traffic log cannot be written, records are dropped: %s", reason)


class _Writer:
    """What one process keeps between records."""

    def __init__(self, files: HourlyFiles) -> None:
        self.files = files
        self.is_failing = False
        self._lock = threading.Lock()
        self._bytes_since_retention = 0
        self._next_retention = 0.0

    def retention_is_due(self, written: int, *, every_bytes: int) -> bool:
        """Tell whether old files should be looked for now; counts as done when it says so."""
        with self._lock:
            self._bytes_since_retention += written
            now = time.monotonic()
            if now < self._next_retention and self._bytes_since_retention < every_bytes:
                return False
            self._next_retention = now + _RETENTION_SECONDS
            self._bytes_since_retention = 0
            return True


def _content_type(record: TrafficRecord) -> str:
    return next((value for name, value in record.headers if name.lower() == "content-type"), "")
