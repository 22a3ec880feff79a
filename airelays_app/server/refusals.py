"""Answers that the server gives itself, where no application is there to give them.

They name neither the offending bytes nor their place: a malformed header may be a credential.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from gunicorn.http import errors as http_errors

from airelays_app.errors import BadRequest, RelayError, Unsupported

_STATUS_BY_ERROR: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (http_errors.InvalidResponseHeader, HTTPStatus.INTERNAL_SERVER_ERROR),
    (http_errors.InvalidResponseHeaderName, HTTPStatus.INTERNAL_SERVER_ERROR),
    (http_errors.ConfigurationProblem, HTTPStatus.INTERNAL_SERVER_ERROR),
    (http_errors.LimitRequestLine, HTTPStatus.REQUEST_URI_TOO_LONG),
    (http_errors.LimitRequestHeaders, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    (http_errors.UnsupportedTransferCoding, HTTPStatus.NOT_IMPLEMENTED),
    (http_errors.ExpectationFailed, HTTPStatus.EXPECTATION_FAILED),
    (http_errors.ParseException, HTTPStatus.BAD_REQUEST),
)
ANSWERS: Mapping[HTTPStatus, tuple[str, str]] = MappingProxyType(
    {
        HTTPStatus.BAD_REQUEST: ("bad_request", "The request is not valid HTTP/1.1."),
        HTTPStatus.REQUEST_TIMEOUT: (
            "request_timeout",
            "The request arrived too slowly. Send it again.",
        ),
        HTTPStatus.REQUEST_URI_TOO_LONG: ("request_uri_too_long", "The request line is too long."),
        HTTPStatus.EXPECTATION_FAILED: (
            "expectation_failed",
            "The only Expect header understood is 100-continue.",
        ),
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
            "request_header_fields_too_large",
            "The request has too many or too long headers.",
        ),
        HTTPStatus.NOT_IMPLEMENTED: (
            "not_implemented",
            "The only transfer coding understood is chunked.",
        ),
        HTTPStatus.INTERNAL_SERVER_ERROR: (
            "internal_server_error",
            "The relay failed to answer. Its log says why.",
        ),
    }
)
"""The code and the message that go with each status. Python's own phrases change (3.13 did)."""


def status_of(error: Exception) -> HTTPStatus:
    """Return the status that answers ``error``: 500 unless the request is to blame."""
    if isinstance(error, RelayError):
        return HTTPStatus(error.status)
    for kind, status in _STATUS_BY_ERROR:
        if isinstance(error, kind):
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def reply_of(status: HTTPStatus, request_id: str) -> bytes:
    """Return a whole HTTP answer in the OpenAI error envelope; the connection closes after it."""
    code, message = ANSWERS.get(status) or (status.name.lower(), status.phrase)
    error = {"message": message, "type": type_of(status), "param": None, "code": code}
    body = json.dumps({"error": error}).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "Connection: close\r\n"
        "Content-Type: application/json\r\n"
        f"X-Request-Id: {request_id}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def type_of(status: HTTPStatus) -> str:
    """Return the ``type`` of the error envelope for a status."""
    if status == HTTPStatus.NOT_IMPLEMENTED:
        return Unsupported.type
    return BadRequest.type if status < HTTPStatus.INTERNAL_SERVER_ERROR else RelayError.type
