"""Anthropic's API: where it is called and with what, what its models can be asked for, and which
schemas it takes.
"""

import pytest

from airelays_app.errors import Unprocessable, UpstreamLoginError
from airelays_app.providers.anthropic import AnthropicProvider
from airelays_app.providers.anthropic.models import capabilities_of
from airelays_app.providers.anthropic.schema import Closing
from airelays_app.providers.base import Outgoing, Relayed
from airelays_app.providers.compatible import CompatibleOptions

KEY = "sk-ant-api03-x"
CALL = Outgoing("messages", b"{}", stream=True)
CLOSED = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


def made(**options):
    return AnthropicProvider("anthropic", CompatibleOptions(**{"base_url": "", **options}))


def test_a_key_is_all_it_needs():
    provider = made(api_key=KEY)
    call = provider.outbound(CALL)

    assert provider.dialects == ("messages",)
    assert (call.method, call.url) == ("POST", "https://api.anthropic.com/v1/messages")
    assert call.headers["x-api-key"] == KEY
    assert call.headers["anthropic-version"] == "2023-06-01"
    assert "Authorization" not in call.headers
    assert KEY in provider.secrets()
    assert provider.is_ready()
    assert provider.models_request().url == "https://api.anthropic.com/v1/models?limit=1000"


def test_the_address_can_be_another():
    call = made(api_key=KEY, base_url="https://gateway.example/anthropic/v1/").outbound(CALL)

    assert call.url == "https://gateway.example/anthropic/v1/messages"


def test_without_a_key_it_says_what_to_do():
    provider = made()

    assert not provider.is_ready()
    assert provider.status()["problem"] == "no_key"
    with pytest.raises(UpstreamLoginError) as caught:
        provider.outbound(CALL)
    assert caught.value.headers["x-airelays-upstream-auth"] == "missing"
    assert "providers.anthropic.api_key" in caught.value.message


@pytest.mark.parametrize("name", ["anthropic-version", "Anthropic-Version"])
def test_what_the_client_says_of_the_wire_counts_once(name):
    headers = {name: "2099-01-01", "anthropic-beta": "context-1m"}
    outbound = made(api_key=KEY).outbound(
        Outgoing("messages", b"{}", stream=False, headers=headers)
    )
    relayed = made(api_key=KEY).relayed(Relayed("POST", "/messages/count_tokens", headers, b"{}"))

    for call in (outbound, relayed):
        lower = [header.lower() for header in call.headers]
        assert lower.count("anthropic-version") == 1
        assert call.headers[name] == "2099-01-01"
        assert call.headers["anthropic-beta"] == "context-1m"
        assert call.headers["x-api-key"] == KEY


def test_headers_of_the_owners_own_come_last():
    provider = made(api_key=KEY, headers={"X-Api-Key": "of the gateway", "X-Team": "home"})
    call = provider.outbound(CALL)

    assert call.headers["X-Api-Key"] == "of the gateway"
    assert "x-api-key" not in call.headers
    assert "of the gateway" in provider.secrets()


def test_it_counts_tokens_and_offers_nothing_else():
    assert made(api_key=KEY).operations == {"messages/count_tokens": "/messages/count_tokens"}


def test_its_models_keep_what_it_says_of_them():
    entry = {
        "type": "model",
        "id": "claude-opus-5-5",
        "display_name": "Claude Opus 5.5",
        "created_at": "2026-09-22T00:00:00Z",
    }
    (model, odd) = made(api_key=KEY).read_models(
        {"data": [entry, {"id": "claude-x", "created_at": "soon"}]}
    )

    assert (model.id, model.created, model.native) == ("claude-opus-5-5", 1790035200, entry)
    assert odd.created == 0


@pytest.mark.parametrize(
    ("status", "kind", "meaning"),
    [
        (400, "invalid_request_error", "client"),
        (401, "authentication_error", "auth"),
        (403, "permission_error", "auth"),
        (404, "not_found_error", "client"),
        (413, "request_too_large", "client"),
        (402, "billing_error", "limit"),
        (429, "rate_limit_error", "limit"),
        (500, "api_error", "other"),
        (529, "overloaded_error", "other"),
    ],
)
def test_its_errors_are_understood(status, kind, meaning):
    """In an answer as in a stream."""
    error = {"type": kind, "message": "No."}
    body = b'{"type":"error","error":{"type":"%b","message":"No."}}' % kind.encode()

    refusal = made().refusal(status, {"retry-after": "7"}, body)
    assert (refusal.kind, refusal.message) == (meaning, "No.")
    assert refusal.status == (503 if meaning == "auth" else status)
    assert refusal.retry_after == 7
    assert made().classify({"type": "error", "error": error}).kind == meaning


@pytest.mark.parametrize(
    ("model", "reasoning", "rests", "samples", "limit"),
    [
        ("claude-3-opus-20240229", "none", False, True, 4096),
        ("claude-3-5-haiku-20241022", "none", False, True, 8192),
        ("claude-3-7-sonnet-20250219", "budget", False, True, 32_000),
        ("claude-sonnet-4-5-20250929", "budget", False, True, 32_000),
        ("claude-opus-4-1-20250805", "budget", False, True, 32_000),
        ("claude-haiku-4-5", "budget", False, True, 32_000),
        ("claude-opus-4-6", "effort", True, True, 32_000),
        ("claude-sonnet-4-6", "effort", True, True, 32_000),
        ("claude-opus-4-8", "effort", True, False, 32_000),
        ("claude-opus-5", "effort", True, False, 32_000),
        ("claude-opus-5-5", "effort", False, False, 32_000),
        ("claude-of-tomorrow-9", "effort", False, False, 32_000),
    ],
)
def test_each_generation_of_models_is_asked_its_way(model, reasoning, rests, samples, limit):
    """``rests``: it can be told not to think."""
    found = capabilities_of(model)

    assert (found.reasoning, found.samples, found.max_output_tokens) == (reasoning, samples, limit)
    if reasoning == "effort":
        assert ("none" in found.efforts) == rests


def adapted(schema, dialect="responses"):
    format_ = {"type": "json_schema", "schema": schema}
    body = {"model": "m", "output_config": {"effort": "low", "format": format_}}
    result = made().adapt(body, dialect)
    return result.body["output_config"], {loss.path for loss in result.losses}


def test_a_schema_that_is_closed_already_stays_as_it_is():
    config, losses = adapted(CLOSED)

    assert config == {"effort": "low", "format": {"type": "json_schema", "schema": CLOSED}}
    assert losses == set()


def test_every_object_is_closed_wherever_it_is():
    inner = {"type": "object", "properties": {}}
    config, losses = adapted(
        {
            "type": "object",
            "properties": {"list": {"type": "array", "items": inner}, "one": {"$ref": "#/$defs/x"}},
            "anyOf": [inner],
            "$defs": {"x": inner},
        }
    )
    schema = config["format"]["schema"]

    for part in (
        schema,
        schema["properties"]["list"]["items"],
        schema["anyOf"][0],
        schema["$defs"]["x"],
    ):
        assert part["additionalProperties"] is False
    assert losses == set()


def test_bounds_become_words_and_are_disclosed():
    closing = Closing("text.format.schema")
    count = {"type": "integer", "minimum": 1, "maximum": 9, "description": "How many."}
    names = {"type": "array", "minItems": 2, "items": {"type": "string", "pattern": "^a"}}
    schema = closing.closed({"type": "object", "properties": {"count": count, "names": names}})

    read = schema["properties"]
    assert read["count"] == {
        "type": "integer",
        "description": 'How many.\nWithin {"minimum":1,"maximum":9}.',
    }
    assert "pattern" not in read["names"]["items"]
    assert "minItems" not in read["names"]
    assert sorted(closing.loosened) == [
        "text.format.schema.properties.count",
        "text.format.schema.properties.names",
        "text.format.schema.properties.names.items",
    ]


def test_a_property_called_like_a_bound_is_a_property():
    schema = {"type": "object", "properties": {"minimum": {"type": "integer"}}}

    assert "minimum" in Closing("x").closed(schema)["properties"]


def test_a_property_called_properties_is_no_object_by_itself():
    schema = {"type": "object", "properties": {"properties": {"type": "string"}}}

    assert Closing("x").closed(schema)["properties"] == {"properties": {"type": "string"}}


@pytest.mark.parametrize(
    ("dialect", "path"),
    [
        ("responses", "text.format.schema.properties.map"),
        ("chat", "response_format.json_schema.schema.properties.map"),
    ],
)
def test_a_map_of_anything_is_refused_in_the_clients_words(dialect, path):
    free = {"type": "object", "additionalProperties": {"type": "string"}}

    with pytest.raises(Unprocessable) as caught:
        adapted({"type": "object", "properties": {"map": free}}, dialect)
    assert caught.value.param == path


def test_a_schema_of_its_own_client_is_its_own_business():
    loose = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}}

    assert adapted(loose, "messages")[0]["format"]["schema"] is loose
