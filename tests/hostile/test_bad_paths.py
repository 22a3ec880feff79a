"""No way of writing a path leads past the credential, out of its route, or to another file."""

import pytest

from tests.hostile.answers import headers_of, refused
from tests.hostile.wire import Wire, ask, request_head
from tests.web.envelope import assert_envelope


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay that shuts nobody out for guessing."""
    return start_relay(FAILED_AUTH_MAX_ATTEMPTS="1000000")


INSIDE = ["/v1/models/", "/v1/files/", "/v1/conversations/", "/no-tools/v1/models/", "/assets/"]
TRICKS = [
    "../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/state.sqlite3",
    "..%5c..%5cstate.sqlite3",
    "..%252f..%252fstate.sqlite3",
    "%c0%ae%c0%ae/x",
    "....//....//x",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    ".",
    "..",
    "%00",
    "a%00.json",
    "%",
    "%zz",
    "%u0041",
    "%ff%fe",
    "%ed%a0%80",
    "%0d%0aX-Injected:%20yes",
    "%e2%80%ae",
    "a;b=c",
    "a\\b",
    "a|b`c'd\"e",
    "{id}",
    "<script>alert(1)</script>",
    "a" * 7_000,
    "a/" * 3_000,
]


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick[:40])
@pytest.mark.parametrize("prefix", INSIDE)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_no_path_leads_out_of_its_route(relay, method, prefix, trick):
    answer = ask(relay.url, method, prefix + trick, b"", headers_of(relay))
    refused(answer, 400, 404, 405, 501)
    assert "x-injected" not in answer.headers
    assert b"root:" not in answer.body
    assert b"SQLite" not in answer.body


@pytest.mark.parametrize(
    "target",
    [
        "/v1/../admin",
        "/v1/./models",
        "//v1/models",
        "/v1//models",
        "/V1/models",
        "/v1/models/../relay/status",
        "/healthz/../v1/models",
        "/assets/../v1/relay/status",
        "/assets/%2e%2e/v1/relay/status",
        "/v1%2fmodels",
        "/%76%31/models",
        "/v1/models;x=y",
        "/v1/models%20",
        "/v1/models%00",
        "http://evil.test/v1/models",
        "http://evil.test@127.0.0.1/v1/models",
        "/healthz?/v1/models",
    ],
)
def test_no_way_of_writing_a_path_gets_past_the_credential(relay, target):
    answer = ask(relay.url, "GET", target)
    assert answer.status in (400, 401, 404) or target.startswith("/healthz?"), answer
    assert b"sandbox" not in answer.body


@pytest.mark.parametrize("target", ["*", "v1/models", "evil.test:443", "", "?", "#", "/#frag"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "CONNECT"])
def test_other_forms_of_a_target_are_no_route(relay, method, target):
    with Wire(relay.url) as wire:
        wire.send(request_head(method, target, headers_of(relay)))
        answer = wire.answer(method)
    assert answer.status in (200, 204, 400, 404, 405), answer
    if answer.status >= 400:
        assert_envelope(answer.status, answer.headers, answer.body)
