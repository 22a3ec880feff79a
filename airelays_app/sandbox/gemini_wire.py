"""What every answer of Google's API has: its errors, its models, the names of its fields."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from airelays_app.sandbox.exchange import Answer, json_answer

STATUSES: Mapping[int, str] = MappingProxyType(
    {
        400: "INVALID_ARGUMENT",
        401: "UNAUTHENTICATED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        429: "RESOURCE_EXHAUSTED",
        500: "INTERNAL",
        503: "UNAVAILABLE",
        504: "DEADLINE_EXCEEDED",
    }
)
"""The word of an error by its status (API documentation, "Troubleshooting", 2026-11-25)."""

_TYPE = "type.googleapis.com/google.rpc."
_SNAKE_CASE = re.compile("_([a-z])")
_THE_CLIENTS = frozenset(
    {"args", "response", "parametersJsonSchema", "responseJsonSchema", "properties", "labels"}
)
"""Fields within which the names are not the API's."""


@dataclass(frozen=True, slots=True)
class GeminiModel:
    """A model on offer. ``levels`` are the words in which its thought is measured, ``budgets`` the
    least and the most tokens of it; ``checks_calls`` says that calls must bring their signatures.
    """

    name: str
    shown: str
    levels: tuple[str, ...] = ()
    budgets: tuple[int, int] | None = None
    checks_calls: bool = False
    methods: tuple[str, ...] = ("generateContent", "countTokens")

    @property
    def thinks(self) -> bool:
        """Whether it thinks at all."""
        return bool(self.levels or self.budgets)


_EMBEDDING = ("embedContent", "countTextTokens", "countTokens")
MODELS: Mapping[str, GeminiModel] = MappingProxyType(
    {
        model.name: model
        for model in (
            GeminiModel(
                "gemini-3.5-flash",
                "Gemini 3.5 Flash",
                levels=("MINIMAL", "LOW", "MEDIUM", "HIGH"),
                checks_calls=True,
            ),
            GeminiModel("gemini-2.5-pro", "Gemini 2.5 Pro", budgets=(128, 32_768)),
            GeminiModel("gemini-2.5-flash", "Gemini 2.5 Flash", budgets=(0, 24_576)),
            GeminiModel("gemma-3-27b-it", "Gemma 3 27B"),
            GeminiModel("gemini-embedding-001", "Gemini Embedding 001", methods=_EMBEDDING),
        )
    }
)
"""One of each kind: levels, budget that must think, budget that may rest, no thought, vectors."""


def error_body(message: str, status: int, *details: dict[str, Any]) -> dict[str, Any]:
    """Return an error object, the same in an answer and in a stream."""
    word = STATUSES.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
    error: dict[str, Any] = {"code": status, "message": message, "status": word}
    return {"error": {**error, "details": list(details)} if details else error}


def refused(message: str, status: int = 400, *details: dict[str, Any]) -> Answer:
    """Return an error answer."""
    return json_answer(status, error_body(message, status, *details))


def detail(kind: str, **fields: Any) -> dict[str, Any]:
    """Return an entry of an error's ``details``."""
    return {"@type": f"{_TYPE}{kind}", **fields}


def quota_used_up(retry_seconds: int) -> Answer:
    """Return the refusal of a caller whose quota is used up; no header says when to come again."""
    violation = {
        "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
        "quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
        "quotaValue": "10",
    }
    return refused(
        f"You exceeded your current quota. Please retry in {retry_seconds}s.",
        429,
        detail("QuotaFailure", violations=[violation]),
        detail("Help", links=[{"url": "https://ai.google.dev/gemini-api/docs/rate-limits"}]),
        detail("RetryInfo", retryDelay=f"{retry_seconds}s"),
    )


def in_camel_case(value: Any) -> Any:
    """Return a request with the API's names in the one spelling in which it is looked at."""
    if isinstance(value, list):
        return [in_camel_case(item) for item in value]
    if not isinstance(value, dict):
        return value
    named = (
        (_SNAKE_CASE.sub(lambda m: m[1].upper(), name), inner) for name, inner in value.items()
    )
    return {name: inner if name in _THE_CLIENTS else in_camel_case(inner) for name, inner in named}
