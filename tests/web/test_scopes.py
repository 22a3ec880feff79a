"""Which provider answers: scoped paths, prefixes, aliases, the catalogue, the default.

``/{provider}/v1/...`` pins every route to that provider: bare names are its own, and its list is
all there is. Without a scope a name's prefix decides, then an alias, then the catalogue of another
provider if the default one lacks the name, then the default.
"""

import pytest

from tests.conftest import error_of

CHAT = {"messages": [{"role": "user", "content": "[[say Hello]]"}]}


@pytest.fixture(scope="module")
def module_relay(start_relay):
    return start_relay(PROVIDERS_BOX_PASSTHROUGH="true", MODELS_ALIASES="nick=box/sandbox-large")


def asked_model(relay):
    return relay.sandbox.requests[-1].json["model"], relay.sandbox.requests[-1].path


@pytest.mark.parametrize("model", ["sandbox-small", "box/sandbox-small"])
def test_a_scope_pins_the_provider(relay, model):
    answer = relay.ok("/box/v1/chat/completions", {"model": model, **CHAT})
    assert answer["choices"][0]["message"]["content"] == "Hello"
    assert asked_model(relay) == ("sandbox-small", "/v1/chat/completions")


def test_a_scope_pins_even_names_of_others(relay):
    relay.refusal("/box/v1/chat/completions", {"model": "gpt-5.5", **CHAT}, 404)
    asked = relay.sandbox.requests.to("/v1/chat/completions")[-1]
    assert asked.json["model"] == "gpt-5.5"


def test_a_scope_lists_its_own_models_bare(relay):
    ids = [one["id"] for one in relay.get("/box/v1/models").json()["data"]]
    assert ids == ["sandbox-small", "sandbox-large", "sandbox/reasoner:7b"]
    assert relay.get("/box/v1/models/sandbox/reasoner:7b").json()["id"] == "sandbox/reasoner:7b"
    assert relay.get("/codex/v1/models").json()["data"][0]["id"] == "gpt-5.5"


def test_every_route_has_its_scoped_form(relay):
    body = {"model": "sandbox-small", "input": "x"}
    assert relay.ok("/box/v1/embeddings", body)["data"]
    assert relay.ok("/box/v1/responses", {"model": "sandbox-small", "input": "Hi"})["id"]
    assert relay.get("/box/v1/files").json()["object"] == "list"
    shown = relay.ok("/box/v1/echo/x", {"model": "sandbox-small"})
    assert shown["target"] == "/v1/echo/x"
    assert relay.refusal("/codex/v1/embeddings", body, 501)


def test_a_scope_wants_the_token_like_any_route(relay):
    assert relay.get("/box/v1/models", token=None).status_code == 401


@pytest.mark.parametrize("path", ["/nobody/v1/models", "/box/v2/models", "/box/v1x", "/box"])
def test_what_is_no_provider_s_is_not_found(relay, path):
    answer = relay.get(path)
    assert answer.status_code == 404
    error_of(answer)


def test_the_log_has_the_whole_path(relay):
    relay.get("/box/v1/models")
    relay.await_log("path=/box/v1/models")


def test_an_alias_names_a_model_of_any_provider(relay):
    relay.ok("/v1/chat/completions", {"model": "nick", **CHAT})
    assert asked_model(relay) == ("sandbox-large", "/v1/chat/completions")


def test_the_catalogue_finds_who_has_a_bare_name(relay):
    relay.get("/v1/models")
    for _ in range(8):  # every worker has read both lists by then
        relay.get("/v1/models")
        relay.post("/v1/chat/completions", {"model": "sandbox-small", **CHAT})
    relay.ok("/v1/chat/completions", {"model": "sandbox-small", **CHAT})
    assert asked_model(relay) == ("sandbox-small", "/v1/chat/completions")


def test_the_rest_is_the_default_provider_s(relay):
    relay.refusal("/v1/chat/completions", {"model": "never-heard-of", **CHAT}, 404)
    assert relay.asked()["model"] == "never-heard-of"


def test_a_prefix_can_be_required(start_relay):
    relay = start_relay(REQUIRE_PREFIX="true", MODELS_ALIASES="nick=box/sandbox-large")
    error = relay.refusal("/v1/chat/completions", {"model": "gpt-5.5", **CHAT}, 400)
    assert error["param"] == "model"
    assert "codex" in error["message"]
    assert relay.ok("/v1/chat/completions", {"model": "nick", **CHAT})
    assert relay.ok("/v1/chat/completions", {"model": "codex/gpt-5.5", **CHAT})
    assert relay.ok("/codex/v1/chat/completions", {"model": "gpt-5.5", **CHAT})
