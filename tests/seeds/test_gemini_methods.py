"""The Gemini methods, in both forms of the path and on every provider.

``models.list`` and ``models.get``; ``countTokens``, ``generateContent``, ``embedContent``;
``streamGenerateContent`` as server-sent events or as a line for each object.
"""

import json

import pytest

from tests.dialects.readers import read_gemini
from tests.seeds.gateway import GENERATE, MODELS, STREAM, contents, said

every_provider = pytest.mark.parametrize("provider", MODELS)
every_form = pytest.mark.parametrize("scoped", [False, True], ids=["unscoped", "scoped"])


@pytest.fixture(scope="module")
def module_relay(gateway):
    return gateway


def path_of(provider, verb="", *, scoped, model=None):
    name = model or MODELS[provider]
    target = f"/{provider}/v1beta/models/{name}" if scoped else f"/v1beta/models/{provider}/{name}"
    return f"{target}:{verb}" if verb else target


@every_form
@every_provider
def test_content_is_generated(relay, provider, scoped):
    answer = relay.ok(path_of(provider, GENERATE, scoped=scoped), contents("[[say Größe]]"))

    assert said(answer) == "Größe"
    assert answer["candidates"][0]["finishReason"] == "STOP"


@every_form
@every_provider
def test_content_is_streamed_as_events(relay, provider, scoped):
    path = path_of(provider, STREAM, scoped=scoped)

    answer = relay.post(f"{path}?alt=sse", contents("[[say One two]]"))

    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert said(read_gemini(answer.content.replace(b"\r\n", b"\n"))) == "One two"


@every_form
@every_provider
def test_content_is_streamed_as_lines(relay, provider, scoped):
    path = path_of(provider, STREAM, scoped=scoped)

    answer = relay.post(f"{path}?alt=ndjson", contents("[[say One two]]"))

    assert answer.headers["Content-Type"] == "application/x-ndjson"
    pieces = [json.loads(line) for line in answer.content.splitlines()]
    assert "".join(said(piece) for piece in pieces if "candidates" in piece) == "One two"


@every_form
@every_provider
def test_tokens_are_counted(relay, provider, scoped):
    path = path_of(provider, "countTokens", scoped=scoped)

    assert relay.ok(path, contents("One two three"))["totalTokens"] > 0


@every_form
@pytest.mark.parametrize(
    ("provider", "model"), [("gemini", "gemini-embedding-001"), ("box", None), ("openai", None)]
)
def test_content_is_embedded(relay, provider, model, scoped):
    path = path_of(provider, "embedContent", scoped=scoped, model=model)

    assert relay.ok(path, {"content": {"parts": [{"text": "One"}]}})["embedding"]["values"]


@every_form
@pytest.mark.parametrize("provider", ["codex", "anthropic"])
def test_who_embeds_nothing_says_so(relay, provider, scoped):
    path = path_of(provider, "embedContent", scoped=scoped)

    answer = relay.post(path, {"content": {"parts": [{"text": "One"}]}})

    assert answer.status_code == 501
    assert answer.json()["error"]["status"] == "UNIMPLEMENTED"


def test_models_are_listed_and_described(relay):
    listed = relay.get("/v1beta/models").json()["models"]
    own = relay.get("/gemini/v1beta/models").json()["models"]

    assert "models/gemini/gemini-2.5-flash" in [model["name"] for model in listed]
    assert "models/gemini-2.5-flash" in [model["name"] for model in own]
    for model in (listed[0], listed[-1]):
        assert relay.get(f"/v1beta/{model['name']}").json() == model
    assert relay.get(f"/gemini/v1beta/{own[0]['name']}").json() == own[0]
