"""Requests of a client that has the token, and what every answer to bad input has in common."""

from typing import Any

from tests.conftest import RunningRelay
from tests.hostile.wire import WireAnswer, ask
from tests.web.envelope import assert_envelope


def headers_of(relay: RunningRelay, **headers: str) -> dict[str, str]:
    """Return the headers of a JSON request with the token; ``_`` in a name stands for ``-``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"Authorization": f"Bearer {relay.token}", "Content-Type": "application/json"} | named


def post(relay: RunningRelay, path: str, body: bytes, **headers: str) -> WireAnswer:
    """POST ``body`` as it is."""
    return ask(relay.url, "POST", path, body, headers_of(relay, **headers))


def refused(answer: WireAnswer | None, *statuses: int) -> dict[str, Any]:
    """Return the error object of an answer that must have one of ``statuses``."""
    assert answer, "no answer"
    assert answer.status in statuses, answer
    return assert_envelope(answer.status, answer.headers, answer.body)


def innocent(answer: WireAnswer | None) -> WireAnswer:
    """Return an answer that must be no fault of the relay, and in shape if it is an error."""
    assert answer, "no answer"
    assert answer.status < 500, answer
    if answer.status >= 400:
        assert_envelope(answer.status, answer.headers, answer.body)
    return answer
