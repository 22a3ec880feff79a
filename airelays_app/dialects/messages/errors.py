"""The error envelope of the Messages dialect.

Its types and their statuses: Anthropic's API documentation, "Errors" (seen 2026-11-22).
"""

from collections.abc import Mapping
from types import MappingProxyType

from airelays_app.dialects.base import Json
from airelays_app.neutral.failure import Failure

_TYPES: Mapping[int, str] = MappingProxyType(
    {
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
        503: "overloaded_error",
        504: "timeout_error",
        529: "overloaded_error",
    }
)
_PRECISE = frozenset(_TYPES.values()) | {"api_error"}
"""Words that are kept; ``invalid_request_error`` gives way to the one that a status has."""


def error_body(failure: Failure, request_id: str = "") -> Json:
    """Return ``{"type": "error", "error": {...}, "request_id"}`` with the upstream's extras."""
    error = {**failure.extra, "type": _type_of(failure), "message": failure.message}
    return {"type": "error", "error": error, "request_id": request_id or None}


def _type_of(failure: Failure) -> str:
    if failure.type in _PRECISE:
        return failure.type
    otherwise = "api_error" if failure.status >= 500 else "invalid_request_error"
    return _TYPES.get(failure.status, otherwise)
