"""``/{provider}/v1/...``: every route, pinned to one provider.

The model goes as it is; what would lead elsewhere without a scope stays here. A provider that there
is not is 404. The example of a request is run as it stands, on another port.
"""

import shutil
import subprocess

import pytest

from tests.seeds.asking import user
from tests.seeds.gateway import GENERATE, MODELS, chat, contents, messages, said

every_provider = pytest.mark.parametrize("provider", MODELS)
ASKING = {
    "v1/chat/completions": chat,
    "v1/responses": lambda model: {"model": model, "input": "[[say Hi]]"},
    "v1/messages": messages,
}
FURTHER = {
    "v1/messages/count_tokens": messages,
    "v1/responses/input_tokens": ASKING["v1/responses"],
    "v1/responses/compact": lambda model: {"model": model, "input": user("[[say Hi]]")},
}
CURL = """\
curl -sS http://127.0.0.1:8787/openai/v1/chat/completions \
  -H "x-api-key: <key>" \
  -H "content-type: application/json" \
  -d '{ "model": "gpt-4.1", "messages": [{"role":"user","content":"hello"}], "stream": false }'
"""


@pytest.fixture(scope="module")
def module_relay(gateway):
    return gateway


@pytest.mark.parametrize("path", ASKING)
@every_provider
def test_every_dialect_is_spoken_to_every_provider(relay, provider, path):
    answer = relay.post(f"/{provider}/{path}", ASKING[path](MODELS[provider]))

    assert said(answer.json()) == "Hi"
    assert answer.headers["x-airelays-route"] == f"{provider}/{MODELS[provider]}"


@pytest.mark.parametrize("path", FURTHER)
@every_provider
def test_every_other_route_has_its_scoped_form(relay, provider, path):
    answer = relay.post(f"/{provider}/{path}", FURTHER[path](MODELS[provider]))

    assert answer.status_code == 200, answer.text


@every_provider
def test_its_models_are_listed_bare_and_described(relay, provider):
    listed = relay.get(f"/{provider}/v1/models").json()["data"]

    assert not [model for model in listed if model["id"].startswith(f"{provider}/")]
    for model in listed[:3]:
        assert relay.get(f"/{provider}/v1/models/{model['id']}").json() == model


@every_provider
@pytest.mark.parametrize("verb", [GENERATE, "countTokens"])
def test_gemini_targets_are_pinned_too(relay, provider, verb):
    path = f"/{provider}/v1beta/models/{MODELS[provider]}:{verb}"

    assert relay.post(path, contents()).status_code == 200


@pytest.mark.parametrize("provider", ["openai", "box", "gemini"])
def test_embeddings_and_what_the_relay_does_not_know(relay, provider):
    body = {"model": "gpt-4.1" if provider == "openai" else "sandbox-small", "input": "x"}

    assert relay.ok(f"/{provider}/v1/embeddings", body)["data"]
    if provider == "box":
        assert relay.ok("/box/v1/echo/rerank", body)["target"] == "/v1/echo/rerank"


def test_a_name_of_another_provider_stays_here(relay):
    relay.refusal("/box/v1/chat/completions", chat("openai/gpt-4.1"), 404)

    assert relay.sandbox.requests.to("/chat/completions")[-1].json["model"] == "openai/gpt-4.1"


@pytest.mark.parametrize(
    "path", ["openai/v1/responses", "openai/v1/realtime", "openai/v1/realtime/any/tail"]
)
def test_what_wants_an_upgrade_says_so_to_those_with_a_key(relay, path):
    assert relay.get(f"/{path}", token=None).status_code == 401
    answer = relay.get(f"/{path}")
    assert answer.status_code == 426
    assert answer.headers["Upgrade"] == "websocket"


@pytest.mark.parametrize(
    "path", [*ASKING, *FURTHER, "v1/embeddings", f"v1beta/models/x:{GENERATE}"]
)
def test_a_provider_that_there_is_not(relay, path):
    assert relay.post(f"/nobody/{path}", {}).status_code == 404


def test_the_example_of_a_request(relay):
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("there is no curl on this machine")
    command = CURL.replace("http://127.0.0.1:8787", relay.url).replace("<key>", relay.token)
    ran = subprocess.run(["sh", "-c", command], capture_output=True, check=True, timeout=60)

    assert b'"chat.completion"' in ran.stdout
    assert relay.sandbox.requests[-1].json["model"] == "gpt-4.1"
