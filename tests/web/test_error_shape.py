"""Every route answers every kind of wrong request in one shape, with the status of the contract.

Errors are JSON with all four of OpenAI's keys and a request id, on every route, in every method:
no credential and a wrong one 401, a method that the route lacks 405, malformed JSON 400, another
content type 415, an unknown id 404, a body over the limit 413, an unsupported operation 501. HEAD
answers like GET without a body; OPTIONS without a credential is a preflight.
"""

import pytest

from tests.hostile.wire import Wire, ask, request_head
from tests.web.envelope import assert_envelope
from tests.web.routes import PATHS, ROUTES, TAKES_JSON, methods_of

MAX_BODY = 131_072
_PUBLIC = ("/", "/healthz", "/health", "/health/ready", "/favicon.ico")
GUARDED = [
    route for route in ROUTES if route[1] not in _PUBLIC and not route[1].startswith("/assets/")
]


def shown(routes):
    return pytest.mark.parametrize(("method", "path"), routes, ids=[" ".join(r) for r in routes])


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay that nobody is locked out of, with a small body limit."""
    return start_relay(
        FAILED_AUTH_MAX_ATTEMPTS="1000000",
        MAX_BODY_BYTES=str(MAX_BODY),
        MAX_UPLOAD_BYTES=str(MAX_BODY),
    )


def asked(relay, method, path, body=b"", **headers):
    """Send a request as it is, without a credential unless ``headers`` has one."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(relay.url, method, path, body, named)


def with_token(relay):
    return {"Authorization": f"Bearer {relay.token}"}


def assert_error(answer, status, code=None):
    """Return the error object; ``code`` is what it must have where the dialect has codes."""
    assert answer.status == status, answer
    error = assert_envelope(answer.status, answer.headers, answer.body)
    assert code in (None, error.get("code", code)), answer
    return error


@shown(GUARDED)
def test_without_a_credential(relay, method, path):
    answer = asked(relay, method, path)

    assert_error(answer, 401, "invalid_api_key")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["x-should-retry"] == "false"


@shown(GUARDED)
@pytest.mark.parametrize(
    "credential",
    [
        {"Authorization": "Bearer not-the-token-of-this-relay"},
        {"Authorization": "Bearer t\xf6ken-\xff\xfe-that-is-not-ascii"},
        {"Authorization": "Basic bm90OnRoaXM="},
        {"x-api-key": "sk-" + "x" * 3000},
        {"x-goog-api-key": "\x80"},
    ],
    ids=["wrong", "non-ascii", "basic", "long", "byte"],
)
def test_with_a_wrong_credential(relay, method, path, credential):
    assert_error(asked(relay, method, path, **credential), 401, "invalid_api_key")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["PATCH", "PUT", "TRACE", "BREW", "DELETE", "POST", "GET"])
def test_with_a_method_that_the_route_lacks(relay, method, path):
    has = methods_of(path)
    if method in has:
        return
    answer = asked(relay, method, path, **with_token(relay))

    assert_error(answer, 405, "method_not_allowed")
    assert has <= set(answer.headers["allow"].split(", "))


@shown(TAKES_JSON)
@pytest.mark.parametrize("body", [b"{", b"[1]", b'"text"', b"\xff", b'{"a":NaN}', b"[" * 100_000])
def test_with_malformed_json(relay, method, path, body):
    headers = {"Content-Type": "application/json"}

    error = assert_error(asked(relay, method, path, body, **headers, **with_token(relay)), 400)
    assert "JSON" in error["message"]


@shown(TAKES_JSON)
@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "application/xml", "json"])
def test_with_another_content_type(relay, method, path, kind):
    answer = asked(relay, method, path, b"{}", **{"Content-Type": kind}, **with_token(relay))

    assert_error(answer, 415, "unsupported_media_type")


@shown(TAKES_JSON)
@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "x", "identity;q=0"])
def test_with_an_unknown_content_encoding(relay, method, path, encoding):
    answer = asked(relay, method, path, b"{}", Content_Encoding=encoding, **with_token(relay))

    assert_error(answer, 415, "unsupported_media_type")


@shown(TAKES_JSON)
def test_with_a_body_over_the_limit(relay, method, path):
    """It is refused by its announcement, before any of it has come."""
    headers = {"Content-Type": "application/json", **with_token(relay)}
    with Wire(relay.url) as wire:
        wire.send(request_head(method, path, headers, length=MAX_BODY + 1))
        answer = wire.answer()

    assert_error(answer, 413, "request_too_large")


def test_with_an_upload_over_the_limit(relay):
    answer = relay.post("/v1/files", files={"file": ("a.txt", b"x" * (MAX_BODY + 1))})

    error = assert_envelope(answer.status_code, lower(answer.headers), answer.content)
    assert answer.status_code == 413
    assert error["param"] in (None, "file")
    assert relay.get("/v1/files").json()["data"] == []


@pytest.mark.parametrize(
    ("method", "path", "param"),
    [
        ("GET", "/v1/files/none", "file_id"),
        ("GET", "/v1/files/none/content", "file_id"),
        ("DELETE", "/v1/files/none", "file_id"),
        ("GET", "/v1/conversations/none", None),
        ("POST", "/v1/conversations/none", None),
        ("DELETE", "/v1/conversations/none", None),
        ("GET", "/v1/conversations/none/items", None),
        ("GET", "/v1/conversations/none/items/none", None),
        ("DELETE", "/v1/conversations/none/items/none", None),
        ("GET", "/v1/models/none", None),
        ("GET", "/no-tools/v1/models/no/such/model", None),
        ("GET", "/v1/no/such/route", None),
        ("GET", "/v1/messages/none", None),
        ("POST", "/no-tools/v1/nothing", None),
    ],
)
def test_with_an_unknown_id(relay, method, path, param):
    error = assert_error(asked(relay, method, path, b"{}", **with_token(relay)), 404)

    assert param in (None, error.get("param"))


@pytest.mark.parametrize("path", ["/no/such/route", "/assets/none.css", "/index.php", "/v1x"])
def test_unknown_paths_outside_of_the_api_need_no_credential(relay, path):
    assert_error(asked(relay, "GET", path), 404)


@pytest.mark.parametrize(
    "path", ["/v1/nothing", "/no-tools/v1/", "/v1beta/x", "/admin/x", "//v1/x"]
)
def test_unknown_paths_inside_of_it_do(relay, path):
    assert_error(asked(relay, "GET", path), 401)


@pytest.mark.parametrize("path", PATHS)
def test_head_is_get_without_a_body(relay, path):
    if "GET" not in methods_of(path):
        assert asked(relay, "HEAD", path, **with_token(relay)).status == 405
        return
    got = asked(relay, "GET", path, **with_token(relay))
    head = asked(relay, "HEAD", path, **with_token(relay))

    assert (head.status, head.body) == (got.status, b"")
    assert head.headers["x-request-id"] != got.headers["x-request-id"]
    assert head.headers.get("content-type") == got.headers.get("content-type")


@pytest.mark.parametrize("path", PATHS)
def test_options_without_a_credential_is_a_preflight(relay, path):
    answer = asked(
        relay, "OPTIONS", path, Origin="https://web.test", Access_Control_Request_Method="POST"
    )

    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    "path", ["/v1/embeddings", "/v1/vector_stores", "/v1/messages/batches", "/v1beta/files"]
)
def test_what_no_provider_has_is_501(relay, path):
    assert_error(asked(relay, "POST", path, b"{}", **with_token(relay)), 501, "unsupported")


@pytest.mark.parametrize("offered", ["id-1.of_a.client", "x" * 128])
def test_the_request_id_of_the_client_is_kept(relay, offered):
    answer = asked(relay, "GET", "/v1/nothing", X_Request_Id=offered, **with_token(relay))

    assert answer.headers["x-request-id"] == offered


@pytest.mark.parametrize("offered", ["x" * 129, "a b", "\xe9", "<script>", "a,b", ""])
def test_an_unfit_one_is_replaced(relay, offered):
    answer = asked(relay, "GET", "/v1/nothing", X_Request_Id=offered, **with_token(relay))

    assert answer.headers["x-request-id"] != offered
    assert answer.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/chat/completions", 405),
        ("GET", "/no/such/route", 404),
        ("POST", "/v1/chat/completions", 401),
    ],
)
def test_each_refusal_has_its_line_in_the_log(relay, method, path, status):
    id_ = f"refused-{status}"
    token = {} if status == 401 else with_token(relay)
    assert asked(relay, method, path, X_Request_Id=id_, **token).status == status

    relay.await_log(f"id={id_} ")
    (line,) = [line for line in relay.log().splitlines() if f"id={id_} " in line]
    assert f"method={method} path={path} status={status}" in line


def test_without_anything_optional_every_route_answers_in_its_shape(start_relay):
    """No login, no further server, no WebSockets: nothing that is missing makes a route fail."""
    relay = start_relay(
        login=False,
        PROVIDERS_BOX_ENABLED="false",
        REALTIME_ENABLED="false",
        RESPONSES_WEBSOCKET="false",
        FAILED_AUTH_MAX_ATTEMPTS="1000000",
    )
    for method, path in GUARDED:
        headers = {"Content-Type": "application/json", **with_token(relay)}
        answer = asked(relay, method, path, b"{}" * (method == "POST"), **headers)
        if answer.status >= 400:
            assert_envelope(answer.status, answer.headers, answer.body)
        assert answer.status != 500, (method, path, answer)


def lower(headers):
    return {name.lower(): value for name, value in headers.items()}
