"""The one classifier of upstream failures: an error answer, or an error inside a stream.

Kinds follow statuses and whole labels (``code``, ``type``, ``status`` of the error object), never
words inside a message: a message may echo what the client wrote. Only how a server's own sentence
begins may decide, where it has no label for what is the client's mistake.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from airelays_app.errors import FailureKind, UpstreamError
from airelays_app.neutral.discretion import value_without_secrets
from airelays_app.neutral.failure import Failure
from airelays_app.upstream.error_body import UpstreamErrorBody, error_in_body, error_in_event
from airelays_app.upstream.retry_after import seconds_until_retry

_LIMIT_STATUSES = frozenset({402, 429})
_AUTH_STATUSES = frozenset({401, 403})
_NOBODYS_MISTAKES = frozenset({408, 425})
"""Client errors by number that the next attempt may not meet."""

_TOO_LARGE = 413
"""Whatever it is called: Groq says ``rate_limit_exceeded`` of a request that needs more tokens than
any minute has (assafelovic/gpt-researcher, issue 985, seen 2026-11-26), which no time mends."""

_LOGIN_PROBLEM = 503
"""The status of a failed upstream login: a 401 would tell the client that its own token is bad."""

_STREAM_STATUS: dict[FailureKind, int] = {
    "limit": 429,
    "client": 400,
    "auth": _LOGIN_PROBLEM,
    "other": 502,
}

_TYPES: dict[FailureKind, str] = {
    "limit": "rate_limit_error",
    "client": "invalid_request_error",
    "auth": "authentication_error",
    "other": "upstream_error",
}


@dataclass(frozen=True, slots=True)
class FailureRules:
    """A provider's words, in lower case: labels that decide the kind of a failure.

    ``client_sentences`` are beginnings of messages, of mistakes of the client that a server files
    under its own.
    """

    limit: frozenset[str] = frozenset()
    client: frozenset[str] = frozenset()
    auth: frozenset[str] = frozenset()
    client_sentences: tuple[str, ...] = ()


def classify(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    rules: FailureRules,
    *,
    secrets: Sequence[str] = (),
    now: Callable[[], float] = time.time,
) -> Failure:
    """Return what an error answer means.

    ``headers`` are looked up in lower case; ``now`` returns epoch seconds. The client sees the
    upstream's own status, but 503 for a refused login, 400 for a mistake of its own under another
    number, and 502 for what is no error status, or a web page that bars the way. What the upstream
    repeats of ``secrets`` is hidden.
    """
    error = _well_filed(error_in_body(body), rules)
    is_barred = status == HTTPStatus.FORBIDDEN and _is_html(headers, body)
    answered = UpstreamError.status if is_barred else status
    kind = _kind(error.labels, answered, rules)
    failure = _failure(
        error,
        kind=kind,
        status=_status_shown(answered, kind),
        message=error.message or _message_of(status, headers, body),
        retry_after=seconds_until_retry(headers, error.fields, now=now),
    )
    return _discreet(failure, secrets)


def classify_event(
    error_object: Mapping[str, Any],
    rules: FailureRules,
    *,
    secrets: Sequence[str] = (),
    now: Callable[[], float] = time.time,
) -> Failure:
    """Return what an error inside a stream means.

    ``error_object`` is the error itself or an event that carries one as ``error`` or
    ``response.error``. An error that names a parameter is the client's. Limits become 429,
    client errors 400, refused logins 503, everything else 502. ``secrets`` are hidden.
    """
    error = _well_filed(error_in_event(error_object), rules)
    kind = _kind(error.labels, 400 if error.param else 502, rules)
    failure = _failure(
        error,
        kind=kind,
        status=_STREAM_STATUS[kind],
        message=error.message or "The upstream failed without saying why.",
        retry_after=seconds_until_retry({}, error.fields, now=now),
    )
    return _discreet(failure, secrets)


def _well_filed(error: UpstreamErrorBody, rules: FailureRules) -> UpstreamErrorBody:
    """Return the error under the label that it should have."""
    if not (error.message or "").lower().startswith(rules.client_sentences):
        return error
    return replace(error, type=_TYPES["client"], code=None)


def _failure(
    error: UpstreamErrorBody,
    *,
    kind: FailureKind,
    status: int,
    message: str,
    retry_after: int | None,
) -> Failure:
    return Failure(
        kind=kind,
        status=status,
        type=error.type or _TYPES[kind],
        message=message,
        code=error.code,
        param=error.param,
        retry_after=retry_after,
        extra=error.extra,
    )


def _discreet(failure: Failure, secrets: Sequence[str]) -> Failure:
    if not secrets:
        return failure
    words = ("type", "message", "code", "param", "extra")
    hidden = {name: value_without_secrets(getattr(failure, name), secrets) for name in words}
    return replace(failure, **hidden)


def _kind(labels: frozenset[str], status: int, rules: FailureRules) -> FailureKind:
    """Return the kind: a limit goes before a login problem, that before a client error.

    The order matters because vendors call a rejected key an ``invalid_request_error`` too.
    """
    if status == _TOO_LARGE:
        return "client"
    if labels & rules.limit or status in _LIMIT_STATUSES:
        return "limit"
    if labels & rules.auth or status in _AUTH_STATUSES:
        return "auth"
    refused = 400 <= status < 500 and status not in _NOBODYS_MISTAKES
    return "client" if refused or labels & rules.client else "other"


def _status_shown(status: int, kind: FailureKind) -> int:
    if kind == "auth":
        return _LOGIN_PROBLEM
    if kind == "client" and status >= 500:
        return 400
    return status if 400 <= status < 600 else UpstreamError.status


def _message_of(status: int, headers: Mapping[str, str], body: bytes) -> str:
    """Return a message for a body that has none."""
    said = f"The upstream answered {status} {_phrase(status)}".rstrip()
    if 300 <= status < 400:
        return f"{said}, a redirect, which is never followed. Check the provider's base URL."
    if not _is_html(headers, body):
        text = _plain_text(body)
        return f"{said}: {text}" if text else f"{said}."
    if status == HTTPStatus.FORBIDDEN:
        return (
            f"{said} with a web page, probably a challenge of its bot protection. "
            "Try again later, or from another network."
        )
    return f"{said} with a web page."


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _is_html(headers: Mapping[str, str], body: bytes) -> bool:
    return "html" in headers.get("content-type", "").lower() or body.lstrip()[:1] == b"<"


def _plain_text(body: bytes) -> str:
    """Return ``body`` if it is one short plain sentence, else nothing."""
    if len(body) > 300 or body.lstrip()[:1] in {b"{", b"["}:
        return ""
    try:
        text = " ".join(body.decode("utf-8").split())
    except UnicodeDecodeError:
        return ""
    return text if text.isprintable() else ""
