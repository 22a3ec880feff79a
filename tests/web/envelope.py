"""The shapes in which the relay words an error, as assertions: OpenAI's, Messages', Google's."""

import json
from collections.abc import Mapping
from typing import Any

TYPES_BY_STATUS = {
    400: {"invalid_request_error"},
    401: {"authentication_error"},
    403: {"permission_error"},
    404: {"invalid_request_error"},
    405: {"invalid_request_error"},
    408: {"invalid_request_error"},
    409: {"invalid_request_error"},
    413: {"invalid_request_error"},
    414: {"invalid_request_error"},
    415: {"invalid_request_error"},
    417: {"invalid_request_error"},
    422: {"invalid_request_error"},
    426: {"invalid_request_error"},
    429: {"rate_limit_error"},
    431: {"invalid_request_error"},
    499: {"invalid_request_error"},
    501: {"unsupported_error"},
    502: {"upstream_error"},
    503: {"authentication_error", "server_error"},
    504: {"upstream_error"},
}
"""The statuses of the contract, each with the types that may stand in its body."""


MESSAGES_TYPES_BY_STATUS = {
    401: {"authentication_error"},
    402: {"billing_error"},
    403: {"permission_error"},
    404: {"not_found_error"},
    413: {"request_too_large"},
    429: {"rate_limit_error"},
    500: {"api_error"},
    501: {"api_error"},
    502: {"api_error"},
    503: {"authentication_error", "overloaded_error"},
    504: {"timeout_error"},
    529: {"overloaded_error"},
}
"""The same for Messages; every other status of a client's fault is an invalid request."""


GOOGLE_STATUS_BY_STATUS = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""The same for Google's APIs; every other one is an invalid argument."""


def assert_envelope(status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Return the error object of an error answer, which has all that every one must have.

    ``headers`` are looked up in lower case; ``request-id`` is among them in Messages.
    """
    shown = f"{status} {dict(headers)} {body[:500]!r}"
    assert headers["content-type"] == "application/json", shown
    assert headers.get("x-request-id"), f"no request id: {shown}"
    assert status != 429 or int(headers["retry-after"]) > 0, shown
    document = json.loads(body)
    if "request-id" in headers:
        return _messages_error(status, document, headers["request-id"], shown)
    assert list(document) == ["error"], shown
    error = document["error"]
    if isinstance(error.get("code"), int):
        return _google_error(status, error, shown)
    assert {"message", "type", "param", "code"} <= error.keys(), shown
    assert isinstance(error["message"], str), shown
    assert error["message"], shown
    assert error["param"] is None or isinstance(error["param"], str), shown
    assert error["code"] is None or isinstance(error["code"], str), shown
    assert error["type"] in TYPES_BY_STATUS.get(status, ()), shown
    assert "Traceback" not in error["message"], shown
    return dict(error)


def _messages_error(
    status: int, document: dict[str, Any], request_id: str, shown: str
) -> dict[str, Any]:
    assert document.keys() == {"type", "error", "request_id"}, shown
    assert (document["type"], document["request_id"]) == ("error", request_id), shown
    error = document["error"]
    assert {"type", "message"} <= error.keys(), shown
    assert error["message"], shown
    types = MESSAGES_TYPES_BY_STATUS.get(status, {"invalid_request_error"})
    assert error["type"] in types, shown
    assert status != 422, shown
    assert "Traceback" not in error["message"], shown
    return dict(error)


def _google_error(status: int, error: dict[str, Any], shown: str) -> dict[str, Any]:
    """Return the object without its code, which is the status once more."""
    assert error.pop("code") == status, shown
    assert error["status"] == GOOGLE_STATUS_BY_STATUS.get(status, "INVALID_ARGUMENT"), shown
    assert error["message"], shown
    assert status != 422, shown
    assert "Traceback" not in error["message"], shown
    return dict(error)
