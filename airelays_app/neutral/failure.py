"""What went wrong, as a value: the same in a status line, in a stream and in a log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airelays_app.errors import FailureKind, RelayError, UpstreamRefused


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure, in the words of the OpenAI error envelope.

    ``kind`` decides what follows: ``client`` is deterministic and never retried; ``limit`` is a
    quota or rate limit of the upstream; ``auth`` is the upstream login; ``other`` is an outage.
    ``status`` is what the client is to see. ``retry_after`` is in seconds. ``extra`` holds the
    further keys of the upstream's error object.
    """

    kind: FailureKind
    status: int
    type: str
    message: str
    code: str | None = None
    param: str | None = None
    retry_after: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


_KIND_BY_STATUS: dict[int, FailureKind] = {
    401: "auth",
    402: "limit",
    403: "auth",
    408: "other",
    425: "other",
    429: "limit",
}

PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
"""Those of an upstream that another attempt at the same may not meet."""


def failure_of(error: RelayError) -> Failure:
    """Return ``error`` as a value, for the dialects' error renderers."""
    retry_after = error.headers.get("Retry-After", "")
    return Failure(
        kind=_kind_of(error),
        status=error.status,
        type=error.type,
        message=error.message,
        code=error.code,
        param=error.param,
        retry_after=int(retry_after) if retry_after.isdecimal() else None,
        extra=error.extra if isinstance(error, UpstreamRefused) else {},
    )


def _kind_of(error: RelayError) -> FailureKind:
    if isinstance(error, UpstreamRefused) and error.kind is not None:
        return error.kind
    return _KIND_BY_STATUS.get(error.status, "client" if error.status < 500 else "other")


def error_of(failure: Failure, headers: Mapping[str, str] | None = None) -> UpstreamRefused:
    """Return ``failure`` as an exception, with ``Retry-After`` when it is known."""
    known = dict(headers or {})
    if failure.retry_after is not None:
        known.setdefault("Retry-After", str(failure.retry_after))
    return UpstreamRefused(
        failure.message,
        status=failure.status,
        type=failure.type,
        kind=failure.kind,
        code=failure.code,
        param=failure.param,
        extra=failure.extra,
        headers=known,
    )
