"""The error envelope of Google's APIs.

Statuses: ``google.rpc.Code`` as Google's "API design guide: Errors" maps it to HTTP. Clients find
the field that is wrong in a ``BadRequest`` detail and how long to wait in a ``RetryInfo``: Gemini
CLI 0.61 does not look at ``Retry-After`` (seen 2026-11-25).
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from airelays_app.dialects.base import Json
from airelays_app.neutral.failure import Failure

_STATUSES: Mapping[int, str] = MappingProxyType(
    {
        400: "INVALID_ARGUMENT",
        401: "UNAUTHENTICATED",
        402: "RESOURCE_EXHAUSTED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        405: "UNIMPLEMENTED",
        408: "DEADLINE_EXCEEDED",
        409: "ABORTED",
        429: "RESOURCE_EXHAUSTED",
        499: "CANCELLED",
        500: "INTERNAL",
        501: "UNIMPLEMENTED",
        504: "DEADLINE_EXCEEDED",
    }
)
_TYPE = "type.googleapis.com/google.rpc."


def error_body(failure: Failure, request_id: str = "") -> Json:  # noqa: ARG001
    """Return ``{"error": {"code", "message", "status", "details"}}`` with an upstream's extras."""
    details = list(_details(failure))
    return {
        "error": {
            **({"details": details} if details else {}),
            "status": _status_of(failure),
            **failure.extra,
            "code": failure.status,
            "message": failure.message,
        }
    }


def _status_of(failure: Failure) -> str:
    otherwise = "UNAVAILABLE" if failure.status > 500 else "INVALID_ARGUMENT"
    return _STATUSES.get(failure.status, otherwise)


def _details(failure: Failure) -> Iterator[Json]:
    if failure.param:
        violation = {"field": failure.param, "description": failure.message}
        yield {"@type": f"{_TYPE}BadRequest", "fieldViolations": [violation]}
    if failure.retry_after is not None:
        yield {"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{failure.retry_after}s"}
