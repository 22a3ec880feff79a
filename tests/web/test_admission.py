"""Who gets in: where credentials may stand, which routes are open, and that no trick goes round.

* A credential counts in any of four places; the known one decides; it is judged before the body
  is read and never reaches a log.
* Public routes are a short list; every other matched route needs a credential, unknown paths
  inside the protected prefixes too; spelling a path differently changes nothing.
* Without a required token the model routes are open and nothing else is.
"""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.web.credentials import offered_credentials, scrub_query
from airelays_app.web.route_class import RouteClass, RouteRules, classify
from tests.web.admission_kit import TOKEN, HandClock, Relay, ask, bearer, error_code, listening


@pytest.fixture
def relay(tmp_path):
    relay = Relay(tmp_path, clock=HandClock(), attempts=1000)
    yield relay
    relay.close()


@pytest.fixture
def open_relay(tmp_path):
    relay = Relay(tmp_path, clock=HandClock(), require_token=False)
    yield relay
    relay.close()


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/models", {"Authorization": f"Bearer {TOKEN}"}),
        ("/v1/models", {"Authorization": f"bEARER   {TOKEN}  "}),
        ("/v1/models", {"x_api_key": TOKEN}),
        ("/v1/models", {"x_goog_api_key": TOKEN}),
        (f"/v1/models?key={TOKEN}", {}),
        (f"/v1/models?alt=sse&k%65y={TOKEN.replace('-', '%2D')}", {}),
        (f"/v1/models?key=old&key={TOKEN}", {"Authorization": "Bearer sk-dummy"}),
    ],
)
def test_a_credential_counts_in_any_place(relay, path, headers):
    response = relay.get(path, **headers)
    assert (response.status_code, response.json["name"]) == (200, "main")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": TOKEN},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN},Bearer other"},
        {"Cookie": f"key={TOKEN}"},
    ],
)
def test_anything_else_is_not_a_credential(relay, headers):
    assert relay.get(**headers).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v1/",
        "/v1/models",
        "/v1/models/",
        "//v1/models",
        "///v1//models",
        "/v1//models",
        "/v1/../healthz",
        "/v1/%2e%2e/healthz",
        "/%76%31/models",
        "/v1%2Fmodels",
        "/v1/nothing",
        "/no-tools/v1/models",
        "/v1beta/models",
        "/admin/users",
        "/admin/nothing",
        "/metrics",
        "/p/openai/v1/models",
        "/later/added",
    ],
)
def test_no_spelling_of_a_closed_path_is_open(relay, path):
    with listening(relay.app) as port:
        status, headers, body = ask(port, path)
    assert status == 401
    assert error_code(body) == "invalid_api_key"
    assert "location" not in headers


@pytest.mark.parametrize(
    "path", ["/V1/models", "/v1x", "/healthz/", "/healthz/../v1/models", "/x/../v1/models", "/v2"]
)
def test_paths_outside_are_a_plain_404(relay, path):
    assert relay.get(path).status_code == 404


def test_public_paths_need_nothing(relay):
    for path in ("/", "/healthz", "/assets/logo.svg"):
        assert relay.get(path).status_code == 200
    assert relay.get("/favicon.ico").status_code == 404


def test_a_path_that_looks_public_does_not_open_a_route_that_is_not():
    rules = RouteRules()
    assert classify("/assets/v1/models", "/<provider>/v1/models", rules) is RouteClass.KEYED
    assert classify("/v1/x", "/<path:anything>", rules) is RouteClass.MODEL
    scoped = RouteRules(model_prefixes=("/v1", "/<provider>/v1"))
    assert classify("/openai/v1/models", "/<provider>/v1/models", scoped) is RouteClass.MODEL


@given(st.text(alphabet="/v1.no-tlsbeta%2eE5cadmin ", max_size=24))
def test_whatever_flask_would_route_to_a_closed_view_is_closed(path):
    rules = RouteRules()
    for rule in ("/v1/models", "/admin/users", "/later/added"):
        assert classify(f"/{path}", rule, rules) in (RouteClass.MODEL, RouteClass.KEYED)


def test_a_wrong_token_is_answered_before_the_body_comes(relay):
    head = b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    with listening(relay.app) as port, socket.create_connection(("127.0.0.1", port), 30) as sock:
        sock.sendall(head)
        assert b" 401 " in sock.recv(65536).split(b"\r\n")[0]


def test_a_crash_inside_keeps_no_place(relay):
    assert relay.get("/v1/crash", token=TOKEN).status_code == 500
    assert relay.slots.count("127.0.0.1") == 0


def test_without_a_required_token_only_model_routes_are_open(open_relay):
    assert open_relay.get("/v1/models").json == {"name": None, "ip": "127.0.0.1"}
    assert open_relay.get("/v1/models", token="any-value-goes").status_code == 200
    assert open_relay.get("/v1/models", token=TOKEN).json["name"] == "main"
    assert open_relay.get("/v1/nothing").status_code == 404
    for path in ("/admin/users", "/metrics", "/p/openai/x", "/user/keys", "/swagger/index.html"):
        assert open_relay.get(path).status_code == 401
    assert open_relay.get("/admin/users", token=TOKEN).status_code == 200


@given(
    st.text(alphabet=st.characters(max_codepoint=255), max_size=60),
    st.text(alphabet=st.characters(max_codepoint=255), max_size=60),
)
def test_any_header_and_query_yield_bytes(authorization, query):
    environ = {"HTTP_AUTHORIZATION": authorization, "QUERY_STRING": query}
    assert all(isinstance(offered, bytes) and offered for offered in offered_credentials(environ))


@pytest.mark.parametrize(
    ("query", "scrubbed"),
    [
        ("key=secret", "key=REDACTED"),
        ("alt=sse&key=secret&x=1", "alt=sse&key=REDACTED&x=1"),
        ("k%65y=secret", "k%65y=REDACTED"),
        ("KEY=secret&api_key=other", "KEY=REDACTED&api_key=REDACTED"),
        ("/v1beta/models?key=secret", "/v1beta/models?key=REDACTED"),
        ("monkey=1&keys=2", "monkey=1&keys=2"),
        ("", ""),
    ],
)
def test_a_key_in_the_query_is_scrubbed(query, scrubbed):
    assert scrub_query(query) == scrubbed


def test_the_credential_and_the_address_are_in_the_environment(relay):
    seen = {}

    def spy(environ, start_response, inner=relay.app.wsgi_app):
        body = inner(environ, start_response)
        seen.update(environ)
        return body

    relay.app.wsgi_app = spy
    relay.get(token=TOKEN)
    assert seen["airelays.credential"].name == "main"
    assert seen["airelays.client_address"].text == "127.0.0.1"
    relay.get(token="wrong-wrong-wrong-wrong")
    assert bearer(TOKEN).decode() not in repr(relay.admission.__dict__)
