"""What every answer of Anthropic's API has: its errors, its headers, its models."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from airelays_app.sandbox.exchange import Answer, Headers, json_answer

ERROR_TYPES: Mapping[int, str] = MappingProxyType(
    {
        400: "invalid_request_error",
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
        500: "api_error",
        504: "timeout_error",
        529: "overloaded_error",
    }
)
"""The type of an error by its status (API documentation, 2026-11-22)."""


@dataclass(frozen=True, slots=True)
class AnthropicModel:
    """A model on offer. ``thinking`` are the types of thinking it takes, ``samples`` whether it
    takes sampling parameters; the newer ones take system turns within a conversation instead."""

    name: str
    shown: str
    created: str
    max_tokens: int
    thinking: tuple[str, ...]
    samples: bool

    @property
    def takes_system_turns(self) -> bool:
        """Whether it takes messages of role ``system``."""
        return not self.samples


MODELS: Mapping[str, AnthropicModel] = MappingProxyType(
    {
        model.name: model
        for model in (
            AnthropicModel(
                "claude-opus-5-5",
                "Claude Opus 5.5",
                "2026-09-22T00:00:00Z",
                128_000,
                ("adaptive",),
                samples=False,
            ),
            AnthropicModel(
                "claude-opus-4-8",
                "Claude Opus 4.8",
                "2026-05-28T00:00:00Z",
                128_000,
                ("adaptive", "disabled"),
                samples=False,
            ),
            AnthropicModel(
                "claude-sonnet-4-5",
                "Claude Sonnet 4.5",
                "2025-09-29T00:00:00Z",
                64_000,
                ("enabled", "disabled"),
                samples=True,
            ),
        )
    }
)
"""One of each generation: always thinking, thinking when asked, thinking within a budget."""


def error_body(kind: str, message: str, request_id: str) -> dict[str, Any]:
    """Return an error object, the same in an answer and in a stream."""
    error = {"type": kind, "message": message}
    return {"type": "error", "error": error, "request_id": request_id}


def refused(message: str, status: int = 400, headers: Headers = ()) -> Answer:
    """Return an error answer."""
    kind = ERROR_TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    id_ = request_id()
    return json_answer(status, error_body(kind, message, id_), (*usual_headers(id_), *headers))


def usual_headers(id_: str) -> Headers:
    """Return the headers of any answer."""
    return (("request-id", id_), ("anthropic-organization-id", "org-sandbox"))


def limit_headers(remaining: int = 999) -> Headers:
    """Return the headers that tell how much of the rate limits is left."""
    resets = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
    return (
        ("anthropic-ratelimit-requests-limit", "1000"),
        ("anthropic-ratelimit-requests-remaining", str(remaining)),
        ("anthropic-ratelimit-requests-reset", resets),
    )


def request_id() -> str:
    """Return the id of one more request."""
    return f"req_{secrets.token_hex(12)}"
