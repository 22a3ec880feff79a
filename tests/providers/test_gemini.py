"""Google's API: found by its key, told the model in the path, asked as its models can be asked."""

import json
from pathlib import Path

import pytest

from airelays_app.config import settings_from
from airelays_app.config.toml_document import parse_document
from airelays_app.errors import Unprocessable
from airelays_app.neutral.capabilities import Capabilities
from airelays_app.providers.base import Outgoing, Relayed
from airelays_app.providers.registry import Surroundings, build_accounts, build_providers
from airelays_app.upstream.failures import classify

OLD_KEY, NEW_KEY = "AIzaSyExampleExampleExample", "AQ.Ab8ExampleExample"


def providers(environ=None, table=""):
    environ = {"HOME": "/nonexistent", **(environ or {})}
    settings = settings_from(parse_document(table, path=Path("c.toml")), environ=environ)
    return build_providers(settings, Surroundings(environ=environ))


def google(**environ):
    return providers(environ or {"GEMINI_API_KEY": OLD_KEY})["gemini"]


def sent(**call):
    return google().outbound(Outgoing("gemini", b"{}", **call))


@pytest.mark.parametrize("name", ["GEMINI_API_KEY", "GOOGLE_API_KEY"])
@pytest.mark.parametrize("key", [OLD_KEY, NEW_KEY])
def test_it_is_there_by_itself_with_a_key_of_google(name, key):
    call = google(**{name: key}).outbound(Outgoing("gemini", b"{}", stream=False, model="m"))
    assert call.headers["x-goog-api-key"] == key


def test_a_token_of_the_relay_under_that_name_is_no_key_of_google():
    """Gemini CLI is given the relay's token in the same variable."""
    assert "gemini" not in providers({"GEMINI_API_KEY": "relay-token-of-the-owner"})


def test_each_further_key_is_an_account():
    table = f'[providers.gemini]\napi_keys = ["{OLD_KEY}", "{NEW_KEY}"]'
    environ = {"HOME": "/nonexistent"}
    settings = settings_from(parse_document(table, path=Path("c.toml")), environ=environ)
    accounts = build_accounts(settings, Surroundings(environ=environ))["gemini"]
    assert [account.account for account in accounts] == ["", "key 2"]


@pytest.mark.parametrize(
    ("stream", "verb"),
    [(False, ":generateContent"), (True, ":streamGenerateContent?alt=sse")],
)
@pytest.mark.parametrize(
    ("model", "place"),
    [
        ("gemini-2.5-flash", "models/gemini-2.5-flash"),
        ("models/gemini-2.5-flash", "models/gemini-2.5-flash"),
        ("tunedModels/mine", "tunedModels/mine"),
        ("a?b#c/d e", "models/a%3Fb%23c/d%20e"),
    ],
)
def test_the_model_and_the_stream_stand_in_the_path(model, place, stream, verb):
    call = sent(stream=stream, model=model)
    assert call.url == f"https://generativelanguage.googleapis.com/v1beta/{place}{verb}"


@pytest.mark.parametrize("model", ["../x", "models/../files/x", "a/./b", "a//b", "/a", ""])
def test_no_name_of_a_model_leads_out_of_the_models(model):
    with pytest.raises(Unprocessable) as raised:
        sent(stream=False, model=model)
    assert raised.value.param == "model"


def test_the_key_is_sent_once_in_the_place_that_each_door_wants():
    """Google refuses two credentials at once."""
    relayed = google().relayed(Relayed("POST", "/openai/embeddings"))
    assert relayed.headers == {"Authorization": f"Bearer {OLD_KEY}"}
    relayed = google().relayed(Relayed("POST", "/models/m:countTokens"))
    assert relayed.headers == {"x-goog-api-key": OLD_KEY}


def test_its_address_can_be_set():
    table = f'[providers.gemini]\nbase_url = "http://box.lan/v1beta"\napi_key = "{OLD_KEY}"'
    call = providers(table=table)["gemini"].models_request()
    assert call.url == "http://box.lan/v1beta/models?pageSize=1000"


@pytest.mark.parametrize(
    ("model", "capabilities"),
    [
        ("gemini-3-pro-preview", Capabilities(efforts=("low", "high"), seals_calls=True)),
        (
            "gemini-3.8-flash",
            Capabilities(efforts=("minimal", "low", "medium", "high"), seals_calls=True),
        ),
        ("gemini-2.5-pro", Capabilities(reasoning="budget", budgets=(128, 32_768))),
        ("gemini-2.5-flash-lite", Capabilities(reasoning="budget", budgets=(0, 24_576))),
        ("gemini-2.0-flash", Capabilities(reasoning="none")),
        ("gemma-3-27b-it", Capabilities(reasoning="none")),
    ],
)
def test_each_generation_of_models_is_asked_in_its_own_way(model, capabilities):
    assert google().capabilities(model) == capabilities


def test_only_models_that_answer_or_embed_are_listed():
    def model(name, *methods):
        return {"name": f"models/{name}", "supportedGenerationMethods": list(methods)}

    body = {
        "models": [
            model("gemini-2.5-flash", "generateContent", "countTokens"),
            model("gemini-embedding-001", "embedContent"),
            model("imagen-4", "predict"),
            {"name": "models/odd"},
        ]
    }
    assert [m.id for m in google().read_models(body)] == [
        "gemini-2.5-flash",
        "gemini-embedding-001",
    ]


def error(code, status, **detail):
    return json.dumps({"error": {"code": code, "message": "No.", "status": status, **detail}})


@pytest.mark.parametrize(
    ("code", "status", "detail", "kind", "shown"),
    [
        (400, "INVALID_ARGUMENT", {}, "client", 400),
        (400, "FAILED_PRECONDITION", {}, "client", 400),
        (400, "INVALID_ARGUMENT", {"details": [{"reason": "API_KEY_INVALID"}]}, "auth", 503),
        (403, "PERMISSION_DENIED", {}, "auth", 503),
        (404, "NOT_FOUND", {}, "client", 404),
        (429, "RESOURCE_EXHAUSTED", {"details": [{"retryDelay": "34s"}]}, "limit", 429),
        (500, "INTERNAL", {}, "other", 500),
        (503, "UNAVAILABLE", {}, "other", 503),
    ],
)
def test_every_refusal_has_its_kind(code, status, detail, kind, shown):
    provider = google()
    failure = classify(code, {}, error(code, status, **detail).encode(), provider.failure_rules)
    assert (failure.kind, failure.status) == (kind, shown)
    assert failure.retry_after == (34 if kind == "limit" else None)
