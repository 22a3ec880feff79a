"""Web clients may call the relay from their own pages.

* A preflight is answered 204 without a credential on every path, known or not, and echoes the
  headers that were asked for if they are header names.
* Every other answer, errors and streams included, says who may read it and which headers.
* Credentials of the browser are never allowed; with listed origins answers vary by origin.
"""

import threading

import pytest

from tests.web.admission_kit import TOKEN, HandClock, Relay, ask, bearer, listening

PAGE = "https://chat.example"


@pytest.fixture
def relay(tmp_path):
    relay = Relay(tmp_path, clock=HandClock())
    yield relay
    relay.close()


@pytest.fixture
def listed(tmp_path):
    relay = Relay(tmp_path, clock=HandClock(), cors_origins=frozenset({PAGE}))
    yield relay
    relay.close()


def preflight(relay, path="/v1/models", **headers):
    asked = {"Origin": PAGE, "Access_Control_Request_Method": "POST", **headers}
    return relay.get(path, method="OPTIONS", **asked)


@pytest.mark.parametrize("path", ["/v1/models", "/v1/nothing", "/nothing", "/", "/admin/users"])
def test_a_preflight_is_answered_on_every_path(relay, path):
    response = preflight(relay, path)
    assert (response.status_code, response.data) == (204, b"")
    assert "Content-Type" not in response.headers
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert int(response.headers["Access-Control-Max-Age"]) > 0
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert "Access-Control-Allow-Private-Network" not in response.headers


def test_requested_headers_are_echoed(relay):
    wanted = "authorization, x-api-key,x-stainless-os , anthropic-beta"
    response = preflight(relay, Access_Control_Request_Headers=wanted)
    allowed = response.headers["Access-Control-Allow-Headers"]
    assert allowed == "authorization, x-api-key, x-stainless-os, anthropic-beta"


@pytest.mark.parametrize(
    "wanted", ["<script>", "a b", "x:y", "ü", "x" * 200, ",".join(["x-a"] * 5000)]
)
def test_what_is_no_header_name_is_not_echoed(relay, wanted):
    response = preflight(relay, Access_Control_Request_Headers=wanted)
    assert response.status_code == 204
    allowed = response.headers.get("Access-Control-Allow-Headers", "")
    assert set(allowed.split(", ")) <= {"", "x-a"}
    assert len(allowed) < 1000


def test_private_network_access_is_granted_when_asked(relay):
    response = preflight(relay, Access_Control_Request_Private_Network="true")
    assert response.headers["Access-Control-Allow-Private-Network"] == "true"


def test_options_without_any_credential_is_harmless_and_free(relay):
    for _ in range(20):
        assert relay.get(method="OPTIONS").status_code == 204
    assert relay.get().status_code == 401


@pytest.mark.parametrize("path", ["/v1/models", "/v1/nothing", "/nothing", "/v1/crash"])
@pytest.mark.parametrize("token", [TOKEN, None])
def test_answers_and_errors_are_readable(relay, path, token):
    response = relay.get(path, token=token, Origin=PAGE)
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    exposed = response.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"x-request-id", "request-id", "retry-after"} <= set(exposed)
    assert "Access-Control-Allow-Credentials" not in response.headers


def test_a_stream_is_readable_and_its_own_headers_are_exposed(relay):
    relay.gates["open"].set()
    fields = [bearer(TOKEN), b"Origin: " + PAGE.encode()]
    with listening(relay.app) as port:
        status, headers, body = ask(port, "/v1/stream", headers=fields)
    assert (status, headers["access-control-allow-origin"]) == (200, "*")
    assert "x-airelays-ignored-parameters" in headers["access-control-expose-headers"]
    assert body.endswith(b"data: last\n\n")


def test_only_listed_origins_may_read_and_answers_vary(listed):
    welcome = listed.get(token=TOKEN, Origin=PAGE)
    assert welcome.headers["Access-Control-Allow-Origin"] == PAGE
    for response in (
        listed.get(token=TOKEN, Origin="https://evil.example"),
        listed.get(token=TOKEN, Origin="null"),
        listed.get(token=TOKEN),
        preflight(listed, Origin="https://evil.example"),
    ):
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Access-Control-Allow-Methods" not in response.headers
        assert "Origin" in response.headers["Vary"]
    assert preflight(listed).headers["Access-Control-Allow-Origin"] == PAGE


def test_preflights_at_once_take_no_place_and_no_rate(relay):
    statuses = []

    def send():
        statuses.extend(preflight(relay).status_code for _ in range(20))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert statuses == [204] * 120
    assert relay.slots.count("127.0.0.1") == 0
