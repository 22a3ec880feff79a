"""Every error as JSON in the dialect of its path; nothing else ever leaves as an error."""

import logging
from dataclasses import replace

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from airelays_app.errors import (
    BadRequest,
    ClientGone,
    ClosedEarly,
    MethodNotAllowed,
    NotFound,
    RelayError,
    TooLarge,
    Unprocessable,
    UnsupportedMediaType,
)
from airelays_app.neutral.failure import failure_of
from airelays_app.web.answering_dialect import answering_dialect
from airelays_app.web.context import record
from airelays_app.web.near_routes import near_route
from airelays_app.web.replies import json_response

_log = logging.getLogger("airelays.web")

_WAITED_FOR = frozenset({429, 503})
_RETRY_SECONDS = "5"
"""For an upstream that has not said when: Codex CLI 0.169 gives up at a 429 without Retry-After,
and waits as long as it is told with one (measured 2026-11-22)."""


def install(app: Flask) -> None:
    """Let ``app`` answer every exception."""
    app.register_error_handler(RelayError, error_response)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(ClientGone, _client_gone)
    app.register_error_handler(Exception, _crash)


def error_response(error: RelayError) -> Response:
    """Return an error with its status and headers, in the dialect of the request."""
    entry = record()
    entry.outcome = error.code or error.type
    if error.status in _WAITED_FOR:
        error.headers.setdefault("Retry-After", _RETRY_SECONDS)
    dialect = answering_dialect(request)
    status = dialect.refuses_with if error.status == Unprocessable.status else error.status
    failure = replace(failure_of(error), status=status)
    response = json_response(dialect.error_body(failure, entry.request_id), status)
    response.headers.extend(error.headers)
    return response


def _http_error(error: HTTPException) -> Response:
    """Errors that Werkzeug finds before a view runs."""
    status = error.code or 500
    if status == 405:
        allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
        refusal: RelayError = MethodNotAllowed(
            f"{request.method} is not possible here; use {allowed}.", headers={"Allow": allowed}
        )
    elif status == 404:
        refusal = NotFound(f"There is no such route.{near_route()}")
    elif status == 413:
        refusal = TooLarge("The body is too large.")
    elif status == 415:
        refusal = UnsupportedMediaType("The body's content type is not supported here.")
    elif status < 500:
        refusal = BadRequest(error.description or "The request is malformed.")
        refusal.status = status
    else:
        return _crash(error)
    return error_response(refusal)


def _client_gone(error: ClientGone) -> Response:  # noqa: ARG001
    return error_response(
        ClosedEarly("The client closed its side of the connection before it had its answer.")
    )


def _crash(error: Exception) -> Response:
    _log.error("request %s crashed", record().request_id, exc_info=error)
    return error_response(RelayError("AIRelays failed; its log tells more.", code="internal_error"))
