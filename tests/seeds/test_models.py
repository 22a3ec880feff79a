"""``GET /v1/models``: an OpenAI list of what the subscription's own catalogue offers."""

import pytest

from tests.seeds.asking import CHAT, COMPLETIONS, MODEL, RESPONSES, question


def upstream_catalogue(relay):
    return [request for request in relay.sandbox.requests if request.path.endswith("/codex/models")]


def test_the_list_is_that_of_the_subscription_in_its_order(relay):
    listed = relay.get("/v1/models").json()

    assert listed["object"] == "list"
    ids = [model["id"] for model in listed["data"] if "/" not in model["id"]]
    assert ids[:3] == [MODEL, "gpt-5.5-mini", "gpt-5.4"]
    assert len(ids) == len(set(ids))


def test_an_entry_has_exactly_the_fields_that_sdks_know(relay):
    for model in relay.get("/v1/models").json()["data"]:
        assert model.keys() == {"id", "object", "created", "owned_by"}
        assert model["object"] == "model"
        assert type(model["created"]) is int
        assert model["owned_by"]


def test_the_upstream_is_asked_with_the_login_and_a_client_version(start_relay):
    relay = start_relay()

    relay.get("/v1/models")

    (asked,) = upstream_catalogue(relay)
    assert asked.method == "GET"
    assert asked.query["client_version"]
    assert asked.headers["authorization"].startswith("Bearer ey")
    assert asked.headers["chatgpt-account-id"]
    assert relay.token not in str(asked.headers)


def test_the_catalogue_is_remembered(relay):
    for _ in range(10):
        assert relay.get("/v1/models").status_code == 200

    assert len(upstream_catalogue(relay)) <= 2, "at most once for each worker"


def test_the_twin_without_tools_lists_the_same(relay):
    assert relay.get("/no-tools/v1/models").json() == relay.get("/v1/models").json()


def test_other_providers_are_listed_under_their_name(relay):
    ids = [model["id"] for model in relay.get("/v1/models").json()["data"]]

    assert "box/sandbox-small" in ids
    assert "box/sandbox/reasoner:7b" in ids, "an id may hold slashes"


def test_every_listed_model_can_be_asked_for(relay):
    listed = relay.get("/v1/models").json()["data"]

    for model in listed:
        assert relay.get(f"/v1/models/{model['id']}").json() == model


def test_a_model_that_is_not_there_is_named_with_its_neighbours(relay):
    answer = relay.get("/v1/models/gpt-5.5-minni")

    assert answer.status_code == 404
    error = answer.json()["error"]
    assert error["code"] == "model_not_found"
    assert "gpt-5.5-mini" in error["message"]


@pytest.mark.parametrize("path", [RESPONSES, CHAT, COMPLETIONS])
@pytest.mark.parametrize("stream", [False, True])
def test_a_model_that_is_not_listed_is_still_asked_for(relay, path, stream):
    """Catalogues lag; it is the upstream that says no, and the relay what there is instead."""
    error = relay.refusal(path, question(path, model="gpt-5.5-minni", stream=stream), 404)

    assert relay.asked()["model"] == "gpt-5.5-minni"
    assert (error["code"], error["param"]) == ("model_not_found", "model")
    assert "gpt-5.5-mini" in error["message"]


def test_without_a_login_the_list_is_a_503_that_says_so(start_relay):
    relay = start_relay(login=False, DEFAULT_PROVIDER="codex")

    answer = relay.get("/v1/models")

    assert answer.status_code == 503
    assert answer.headers["x-airelays-upstream-auth"] == "missing"
    assert answer.json()["error"]["type"] == "authentication_error"


def test_codex_cli_gets_its_own_list_of_the_models_that_have_an_entry_in_it(relay):
    asked = {"client_version": "0.169.0"}
    models = relay.get("/v1/models", params=asked).json()["models"]

    assert [model["slug"] for model in models][:3] == [MODEL, "gpt-5.5-mini", "gpt-5.4"]
    assert models[0]["display_name"] == "GPT-5.5"
    assert models[0]["truncation_policy"], "as the vendor described it"
    assert not [model for model in models if "/" in model["slug"]]
