"""``GET /v1/relay/status``: protected diagnostics for whoever runs the relay.

Readiness of the upstream login and of the relay token, the configuration in force, the login, how
the calling address stands with the limiter, and what is stored.
"""

import pytest

from tests.seeds.asking import MODEL, RESPONSES, user

STATUS = "/v1/relay/status"


def status_of(relay):
    answer = relay.get(STATUS)
    assert answer.status_code == 200
    return answer.json()


def test_it_needs_the_relay_token(relay):
    assert relay.get(STATUS, token=None).status_code == 401


def test_readiness_is_told_for_login_and_token(relay):
    ready = status_of(relay)["ready"]

    assert ready["upstream_auth"] is True
    assert ready["relay_token"] is True


def test_a_missing_login_is_told_and_the_route_still_answers(start_relay):
    status = status_of(start_relay(login=False))

    assert status["ready"]["upstream_auth"] is False
    assert status["auth"]["credentials_present"] is False
    assert status["auth"]["problem"] == "missing"


def test_the_configuration_in_force_is_summed_up(relay):
    summary = status_of(relay)["relay"]

    assert summary["host"] == "127.0.0.1"
    assert summary["data_dir"] == str(relay.data_dir)
    assert summary["require_bearer_auth"] is True
    assert summary["bearer_token_source"] == "env"
    assert summary["max_upload_bytes"] == 32 * 1024 * 1024
    assert summary["max_total_upload_bytes"] == 256 * 1024 * 1024
    assert summary["client_base_url"] == relay.base_url


def test_the_login_is_summed_up_without_its_secrets(relay):
    answer = relay.get(STATUS)
    auth = answer.json()["auth"]

    assert auth["authenticated"] is True
    assert auth["email"] == relay.sandbox.settings.email
    assert auth["account_id"] == auth["bound_account_id"]
    assert relay.token not in answer.text
    assert "eyJ" not in answer.text, "a token of the upstream"


def test_the_caller_learns_how_it_stands_with_the_limiter(start_relay):
    relay = start_relay(RATE_LIMIT_PER_MINUTE="6", RATE_LIMIT_BURST="20", WORKERS="1")
    relay.get(STATUS, token="a-wrong-token-of-a-client")

    first = status_of(relay)["security"]
    second = status_of(relay)["security"]["client"]

    assert first["rate_limit_burst"] == 20
    assert first["client"]["ip"] == "127.0.0.1"
    assert first["client"]["failed_auth_attempts"] == 1
    assert first["client"]["active_requests"] == 1
    assert first["client"]["blocked_for_seconds"] == 0
    assert second["allowance_remaining"] < first["client"]["allowance_remaining"] <= 20


def test_stored_files_and_conversations_are_counted(relay):
    before = status_of(relay)["storage"]
    relay.post("/v1/files", files={"file": ("a.txt", b"12345")})
    relay.ok("/v1/conversations", {})

    after = status_of(relay)["storage"]

    assert after["file_count"] == before["file_count"] + 1
    assert after["total_bytes"] == before["total_bytes"] + 5
    assert after["conversation_count"] == before["conversation_count"] + 1


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/chat/completions", "/v1/completions"])
def test_supported_routes_are_listed_and_unsupported_ones_are_not(relay, path):
    routes = status_of(relay)["supported_routes"]

    assert f"POST {path}" in routes
    assert not [route for route in routes if "/v1/vector_stores" in route]


def test_asking_costs_the_upstream_nothing(relay):
    status_of(relay)

    assert len(relay.sandbox.requests) == 0
    relay.ok(RESPONSES, {"model": MODEL, "input": user("Hi")})
    assert len(relay.sandbox.requests) == 1
