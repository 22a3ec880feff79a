"""Health and status: always an answer, nothing secret, and honest while storage is down."""

import pytest

from airelays_app.version import VERSION
from tests.web.status_kit import NO_LOGIN, READY_LOGIN, SECRETS, FakeProvider, status_app

SECRET_IN_HEADER = {"AIRELAYS_PROVIDERS_HOUSE_API_KEY": SECRETS[1]}
TABLE = '[providers.house]\nbase_url = "http://127.0.0.1:9/v1"\n'


@pytest.fixture
def running(tmp_path):
    config = tmp_path / ".config/airelays/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(TABLE)
    providers = {
        "codex": FakeProvider("codex", **READY_LOGIN),
        "local": FakeProvider("local", ready=False, problem="not_installed", model="m"),
    }
    with status_app(tmp_path, providers, **SECRET_IN_HEADER) as (app, switches):
        yield app.test_client(), switches


@pytest.fixture
def client(running):
    return running[0]


@pytest.fixture
def switches(running):
    return running[1]


def test_healthz(client):
    assert client.get("/healthz").json == {"ok": True, "app_name": "AIRelays", "version": VERSION}


def test_health_answers_whatever_is_broken(client, switches):
    switches.storage_down = switches.limiter_down = True
    answer = client.get("/health")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_ready(client):
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json == {"status": "ready", "components": {"storage": "ok", "limiter": "ok"}}


def test_without_the_limiters_storage_it_is_degraded(client, switches):
    switches.limiter_down = True
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")


def test_without_storage_it_is_503_with_the_error_in_the_usual_shape(client, switches):
    switches.storage_down = True
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json["status"]) == (503, "not_ready")
    assert answer.json["components"]["storage"] == "down"
    assert set(answer.json["error"]) == {"message", "type", "param", "code"}
    assert int(answer.headers["Retry-After"]) > 0


def test_readiness_is_probed_once_a_second_at_most(client, switches):
    assert client.get("/health/ready").status_code == 200
    switches.storage_down = True
    assert client.get("/health/ready").status_code == 200


def test_relay_status_has_its_keys(client):
    found = client.get("/v1/relay/status").json
    assert {
        "object",
        "app_name",
        "version",
        "ready",
        "auth",
        "relay",
        "security",
        "storage",
        "supported_routes",
    } <= set(found)
    assert found["object"] == "relay.status"
    assert found["ready"] == {
        "upstream_auth": True,
        "relay_token": True,
        "any_provider": True,
        "storage": True,
        "providers": {"codex": True, "local": False},
    }
    assert found["auth"]["email"] == "owner@example.org"
    assert found["auth"]["storage_mode"] == "auto"
    assert found["storage"] == {"file_count": 0, "total_bytes": 0, "conversation_count": 0}
    assert found["relay"]["bearer_token_source"] == "file"
    assert found["relay"]["client_base_url"] == "http://localhost/v1"
    assert found["next_steps"] == []


def test_relay_status_tells_the_caller_how_it_stands(client):
    security = client.get("/v1/relay/status").json["security"]
    assert security["rate_limit_per_minute"] == 120
    assert security["tracked_clients"] == security["blocked_clients"] == 0
    assert security["client"] == {
        "ip": "192.168.1.9",
        "allowance_remaining": 40,
        "active_requests": 0,
        "failed_auth_attempts": 0,
        "blocked_for_seconds": 0,
    }


def test_routes_are_those_of_the_application(client):
    routes = client.get("/v1/relay/status").json["supported_routes"]
    assert "GET /v1/account/rate_limits" in routes
    assert "GET /assets/{name}" in routes
    assert routes == sorted(routes)
    assert not [route for route in routes if route.startswith(("HEAD", "OPTIONS")) or "<" in route]


def test_relay_status_works_while_storage_is_down(client, switches):
    switches.storage_down = True
    answer = client.get("/v1/relay/status")
    assert answer.status_code == 200
    assert answer.json["ready"]["storage"] is False
    assert answer.json["storage"] == {
        "file_count": None,
        "total_bytes": None,
        "conversation_count": None,
    }
    assert answer.json["security"]["client"]["failed_auth_attempts"] is None


@pytest.mark.parametrize("path", ["/v1/relay/status", "/health/ready", "/healthz", "/"])
def test_nothing_secret_is_shown(client, path):
    body = client.get(path).data
    for secret in SECRETS:
        assert secret.encode() not in body


@pytest.mark.parametrize("path", ["/v1/subscription/status", "/v1/account/rate_limits"])
def test_usage_under_both_names(client, path):
    assert client.get(path).json == {"object": "subscription_status"}
    assert client.get(f"{path}?raw=false").json == {"object": "subscription_status"}
    for word in ("true", "True", "1"):
        assert client.get(f"{path}?raw={word}").json["raw"] == {"a": 1}


@pytest.mark.parametrize(
    "path", ["/healthz", "/health", "/health/ready", "/v1/relay/status", "/v1/account/rate_limits"]
)
def test_head_works_where_get_does_and_nothing_is_stored(client, path):
    answer = client.head(path)
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_a_token_and_a_login_the_steps_are_named(tmp_path):
    with status_app(tmp_path, {"codex": FakeProvider("codex", **NO_LOGIN)}, token=None) as (app, _):
        found = app.test_client().get("/v1/relay/status").json
    assert found["ready"]["relay_token"] is found["ready"]["upstream_auth"] is False
    assert [step.partition(": ")[2].split(" (")[0] for step in found["next_steps"]] == [
        "airelays init",
        "airelays login",
    ]
