"""The error envelope that OpenAI's three dialects share, and their way of breaking off."""

from typing import Any

from airelays_app.neutral.failure import Failure


def error_body(failure: Failure, request_id: str = "") -> dict[str, Any]:  # noqa: ARG001
    """Return ``{"error": {"message", "type", "param", "code"}}`` with the upstream's extras."""
    return {
        "error": {
            **failure.extra,
            "message": failure.message,
            "type": failure.type,
            "param": failure.param,
            "code": failure.code,
        }
    }


def incomplete(reason: str = "") -> Failure:
    """Return the failure of a reply that is not whole; ``reason`` is what the upstream says."""
    because = f", for it says {reason}" if reason else ""
    return Failure(
        kind="other",
        status=502,
        type="upstream_error",
        code="stream_incomplete",
        message=f"The upstream's stream ended before the reply was complete{because}.",
    )
