"""Answers that the server gives itself, where no application is there to give them.

They name neither the offending bytes nor their place: a malformed header may be a credential.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus

from gunicorn.http import errors as http_errors

from airelays_app.errors import BadRequest, RelayError


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is answered. Python's own phrases for a status change (3.13 did), so none is used."""

    status: HTTPStatus
    code: str | None
    message: str


MALFORMED = Refusal(HTTPStatus.BAD_REQUEST, "bad_request", "The request is not valid HTTP/1.1.")
UNKNOWN_CODING = Refusal(
    HTTPStatus.BAD_REQUEST,
    "unsupported_transfer_coding",
    "Transfer-Encoding: the only coding understood is chunked, once.",
)
OVERDUE = Refusal(
    HTTPStatus.REQUEST_TIMEOUT,
    "request_timeout",
    "The request arrived too slowly. Send it again.",
)
LONG_LINE = Refusal(
    HTTPStatus.REQUEST_URI_TOO_LONG, "request_uri_too_long", "The request line is too long."
)
UNKNOWN_EXPECTATION = Refusal(
    HTTPStatus.EXPECTATION_FAILED,
    "expectation_failed",
    "The only Expect header understood is 100-continue.",
)
LONG_HEAD = Refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "request_header_fields_too_large",
    "The request has too many or too long headers.",
)
FAILED = Refusal(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "internal_server_error",
    "The relay failed to answer. Its log says why.",
)

_BY_ERROR: tuple[tuple[type[Exception], Refusal], ...] = (
    (http_errors.InvalidResponseHeader, FAILED),
    (http_errors.InvalidResponseHeaderName, FAILED),
    (http_errors.ConfigurationProblem, FAILED),
    (http_errors.LimitRequestLine, LONG_LINE),
    (http_errors.LimitRequestHeaders, LONG_HEAD),
    (http_errors.UnsupportedTransferCoding, UNKNOWN_CODING),
    (http_errors.ExpectationFailed, UNKNOWN_EXPECTATION),
    (http_errors.ParseException, MALFORMED),
)


def refusal_of(error: Exception) -> Refusal:
    """Return what answers ``error``: a failure of ours unless the request is to blame."""
    if isinstance(error, RelayError):
        return Refusal(HTTPStatus(error.status), error.code, error.message)
    if isinstance(error, http_errors.InvalidHeader) and error.hdr == "TRANSFER-ENCODING":
        return UNKNOWN_CODING
    return next((refusal for kind, refusal in _BY_ERROR if isinstance(error, kind)), FAILED)


def reply_of(refusal: Refusal, request_id: str) -> bytes:
    """Return a whole HTTP answer in the OpenAI error envelope; the connection closes after it."""
    status = refusal.status
    error = {
        "message": refusal.message,
        "type": type_of(status),
        "param": None,
        "code": refusal.code,
    }
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
    return BadRequest.type if status < HTTPStatus.INTERNAL_SERVER_ERROR else RelayError.type
