"""Each vendor is a row: known address and key, fields that it refuses left out and disclosed.

A key is found by itself only if it looks like the vendor's own: where clients of the relay run, the
same variable holds the relay's token, which no vendor may see.
"""

import pytest

from airelays_app.config import load_settings
from airelays_app.config.sections.providers import FOUND_BY_KEY, PROVIDER_KINDS
from airelays_app.errors import Unprocessable
from airelays_app.providers.registry import (
    KEY_VARIABLES,
    Surroundings,
    build_providers,
    default_provider,
)
from airelays_app.providers.vendors import VENDORS

MESSAGE = {"role": "user", "content": "Hi", "name": "me", "reasoning_content": "hm"}


def providers(tmp_path, text="", **environ):
    config = tmp_path / "config.toml"
    config.write_text(text)
    variables = {"HOME": str(tmp_path), "AIRELAYS_CONFIG": str(config), **environ}
    settings = load_settings(environ=variables)
    found = build_providers(settings, Surroundings(environ=variables))
    return found, settings


def of_kind(tmp_path, kind):
    text = f'[providers.mine]\nkind = "{kind}"\napi_key = "k"\nbase_url = "http://127.0.0.1:1/v1"\n'
    return providers(tmp_path, text)[0]["mine"]


def test_every_vendor_is_a_kind_and_says_where_that_was_read():
    assert set(VENDORS) <= set(PROVIDER_KINDS)
    assert all("2026" in vendor.source for vendor in VENDORS.values())


@pytest.mark.parametrize("kind", [kind for kind, vendor in VENDORS.items() if vendor.base_url])
def test_a_vendor_needs_no_address(tmp_path, kind):
    provider = providers(tmp_path, f'[providers.{kind}]\napi_key = "k"\n')[0][kind]
    assert provider.kind == kind
    assert provider.is_ready()
    assert provider.dialects == VENDORS[kind].dialects
    assert provider.models_request().url == f"{VENDORS[kind].base_url}/models"
    assert provider.models_request().headers["Authorization"] == "Bearer k"


@pytest.mark.parametrize(
    ("variable", "key", "kind"),
    [(v.key.name, v.key.beginning + "x", k) for k, v in VENDORS.items() if v.key],
)
def test_a_key_in_the_environment_makes_a_provider(tmp_path, variable, key, kind):
    found, _ = providers(tmp_path, **{variable: key})
    assert found[kind].is_ready()
    assert found[kind].models_request().headers["Authorization"] == f"Bearer {key}"


@pytest.mark.parametrize("kind", KEY_VARIABLES)
def test_one_that_is_found_by_its_key_can_be_the_default(tmp_path, kind):
    variable = KEY_VARIABLES[kind][0]
    beginning = variable.beginning if isinstance(variable.beginning, str) else "AIza"
    chosen = {"AIRELAYS_DEFAULT_PROVIDER": kind, variable.name: f"{beginning}x"}
    found, settings = providers(tmp_path, **chosen)
    assert default_provider(settings, found) == kind
    assert set(FOUND_BY_KEY) == set(KEY_VARIABLES)


@pytest.mark.parametrize("key", ["", "a-relay-token-of-ours", "Bearer sk-x"])
def test_what_does_not_look_like_the_vendor_s_key_is_left_alone(tmp_path, key):
    assert "openai" not in providers(tmp_path, OPENAI_API_KEY=key)[0]


def test_a_vendor_without_its_key_says_so(tmp_path):
    provider = providers(tmp_path, '[providers.mine]\nkind = "openai"\n')[0]["mine"]
    assert not provider.is_ready()
    assert provider.status()["problem"] == "no_key"


def test_a_vendor_is_the_default_only_behind_the_subscription(tmp_path):
    found, settings = providers(tmp_path, OPENAI_API_KEY="sk-x")
    assert default_provider(settings, found) == "openai"
    found["codex"].is_ready = lambda: True
    assert default_provider(settings, found) == "codex"


def test_groq_s_unknown_fields_are_left_out_and_disclosed(tmp_path):
    body = {"model": "m", "messages": [MESSAGE], "logprobs": True, "logit_bias": {"1": 2}, "x": 1}
    adapted = of_kind(tmp_path, "groq").adapt(body, "chat")
    assert adapted.body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "x": 1,
    }
    assert [loss.path for loss in adapted.losses] == ["logit_bias", "logprobs"]
    assert of_kind(tmp_path, "groq").rules("chat").refused["n"].refuses(2)


def test_xai_gets_no_penalties_and_one_of_nothing_is_no_loss(tmp_path):
    """Chat programs send both as 0 unasked, and it answers even that with 400."""
    body = {"model": "m", "messages": [MESSAGE], "presence_penalty": 0, "frequency_penalty": 0.5}
    adapted = of_kind(tmp_path, "xai").adapt(body, "chat")
    assert adapted.body == {"model": "m", "messages": [MESSAGE]}
    assert [loss.path for loss in adapted.losses] == ["frequency_penalty"]


def test_openrouter_s_own_models_are_told_from_a_provider_of_that_name(tmp_path):
    """``openrouter/auto`` is one of its models, and also what clients write for its ``auto``."""
    provider = of_kind(tmp_path, "openrouter")
    sent = {
        name: provider.adapt({"model": name, "messages": [MESSAGE]}, "chat").body["model"]
        for name in ("auto", "openrouter/auto", "meta-llama/llama-3")
    }
    assert list(sent.values()) == ["openrouter/auto", "openrouter/auto", "meta-llama/llama-3"]


def test_mistral_gets_its_own_names(tmp_path):
    body = {
        "model": "m",
        "messages": [MESSAGE],
        "max_completion_tokens": 5,
        "seed": 1,
        "stream_options": {"include_usage": True},
        "store": False,
        "user": "u",
        "logprobs": False,
    }
    adapted = of_kind(tmp_path, "mistral").adapt(body, "chat")
    assert adapted.body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 5,
        "random_seed": 1,
    }
    assert [loss.path for loss in adapted.losses] == ["user"]


def test_deepseek_gets_an_empty_thought_where_a_client_has_none(tmp_path):
    answers = [{"role": "assistant", "content": "Hi"}, {**MESSAGE, "role": "assistant"}]
    body = {"model": "m", "messages": [MESSAGE, *answers]}
    sent = of_kind(tmp_path, "deepseek").adapt(body, "chat").body["messages"]
    assert sent[0] == MESSAGE
    assert [message["reasoning_content"] for message in sent[1:]] == ["", "hm"]
    alone = {"model": "m", "messages": [MESSAGE]}
    assert of_kind(tmp_path, "deepseek").adapt(alone, "chat").body is alone


def test_mistral_gets_ids_of_its_own_form(tmp_path):
    """Nine letters and digits; a conversation may have begun at another vendor."""

    def sent(*ids):
        call = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
        calls = [{**call, "id": id_} for id_ in ids]
        results = [{"role": "tool", "tool_call_id": id_, "content": "1"} for id_ in ids]
        messages = [{"role": "assistant", "content": None, "tool_calls": calls}, *results]
        body = of_kind(tmp_path, "mistral").adapt({"model": "m", "messages": messages}, "chat").body
        told = [call["id"] for call in body["messages"][0]["tool_calls"]]
        assert [message["tool_call_id"] for message in body["messages"][1:]] == told
        return told

    first, second, third = sent("call_1", "call_2", "D681PevKs")
    assert first != second
    assert all(len(id_) == 9 and id_.isalnum() for id_ in (first, second))
    assert third == "D681PevKs"
    assert sent("call_1") == [first]


def test_deepseek_takes_no_schema(tmp_path):
    refused = of_kind(tmp_path, "deepseek").rules("chat").refused["response_format.type"]
    assert refused.refuses("json_schema")
    assert not refused.refuses("json_object")


@pytest.mark.parametrize("kind", ["openai", "ollama", "openrouter"])
def test_where_nothing_differs_the_body_stays_the_same_object(tmp_path, kind):
    body = {"model": "a/m", "messages": [MESSAGE], "logprobs": True}
    assert of_kind(tmp_path, kind).adapt(body, "chat").body is body


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": {"format": {"type": "json_schema", "schema": {}}}}, "text.format"),
        ({"text": {"format": {"type": "json_object"}}}, "text.format"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format"),
    ],
)
def test_llamacpp_is_never_asked_for_json_where_it_would_not_heed_that(tmp_path, body, field):
    provider = of_kind(tmp_path, "llamacpp")
    assert provider.dialects == ("chat",)
    with pytest.raises(Unprocessable, match=r"providers\.mine\.dialects") as refusal:
        provider.adapt(body, "responses")
    assert refusal.value.param == field


def test_llamacpp_takes_schemas_in_chat_and_texts_in_any_dialect(tmp_path):
    for body in (
        {"response_format": {"type": "json_schema"}},
        {"text": {"format": {"type": "text"}, "verbosity": "low"}},
        {"text": None},
        {"text": {"format": "json"}},
        {"output_config": {"effort": "low"}},
    ):
        assert of_kind(tmp_path, "llamacpp").adapt(body, "chat").body is body
