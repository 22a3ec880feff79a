"""A path that misses a route by the client's base URL is answered with the path that was meant."""

import pytest

from tests.conftest import error_of

MODEL = {"model": "gpt-5.5"}


@pytest.mark.parametrize(
    ("method", "path", "meant", "advice"),
    [
        ("POST", "/chat/completions", "/v1/chat/completions", "end with /v1"),
        ("POST", "/responses", "/v1/responses", "end with /v1"),
        ("GET", "/models", "/v1/models", "end with /v1"),
        ("POST", "/no-tools/responses", "/no-tools/v1/responses", "end with /v1"),
        ("POST", "/v1/v1/messages", "/v1/messages", "end before /v1"),
        ("GET", "/v1/v1/models", "/v1/models", "end before /v1"),
        ("GET", "/v1/v1beta/models", "/v1beta/models", "end before /v1"),
        ("POST", "/codex/v1/v1/messages", "/codex/v1/messages", "end before /v1"),
        ("POST", "/v1/chat/completions/", "/v1/chat/completions", ""),
    ],
)
def test_the_path_that_was_meant_is_named(relay, method, path, meant, advice):
    answer = relay.request(method, path, json=MODEL)
    assert answer.status_code == 404
    message = error_of(answer)["message"]
    assert f"Did you mean {meant}?" in message
    assert advice in message


@pytest.mark.parametrize("path", ["/nobody/v1/models", "/nobody/v1beta/models"])
def test_a_provider_that_there_is_not_is_named(relay, path):
    answer = relay.get(path)
    assert answer.status_code == 404
    assert "No provider is called 'nobody'" in error_of(answer)["message"]


@pytest.mark.parametrize("path", ["/", "/nothing", "/v1/nothing", "/v1/v1/nothing", "/v1/", "//"])
def test_nothing_is_guessed_where_no_route_is_near(relay, path):
    answer = relay.request("PATCH", path, json={})
    assert answer.status_code in (404, 405)
    assert "Did you mean" not in answer.text


def test_a_call_that_nobody_knows_says_how_it_could_be_relayed(relay):
    answer = relay.request("POST", "/v1/chat/completion", json=MODEL)
    assert answer.status_code == 501
    message = error_of(answer)["message"]
    assert "There is no such route" in message
    assert "providers.codex.passthrough" in message
