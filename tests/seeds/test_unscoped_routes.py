"""Routes without a provider in the path: the model's name has it in front.

* Each of them reaches the provider that the name says, which is told its own name of the model.
* Where the owner wants it so, a name without a provider is refused with 400, in the path of a
  Gemini target as in a body.
* ``GET /v1/responses`` without an upgrade says that it wants one.
"""

import pytest

from tests.seeds.asking import CHAT, RESPONSES, question, user
from tests.seeds.gateway import GENERATE, MODELS, PREFIXED, chat, contents, messages, said

BODIES = {
    CHAT: chat,
    RESPONSES: lambda model: question(RESPONSES, model=model),
    f"{RESPONSES}/input_tokens": lambda model: question(RESPONSES, model=model),
    f"{RESPONSES}/compact": lambda model: {"model": model, "input": user("[[say Hi]]")},
    "/v1/messages": messages,
    "/v1/messages/count_tokens": messages,
    "/v1/embeddings": lambda model: {"model": model, "input": "x"},
}
every_provider = pytest.mark.parametrize("provider", MODELS)


@pytest.fixture(scope="module")
def module_relay(gateway):
    return gateway


@pytest.fixture(scope="module")
def strict(start_relay, gateway):
    """Return a relay on the same upstreams that wants every name to have its provider."""
    return start_relay(sandbox=gateway.sandbox, vendors=True, REQUIRE_PREFIX="true")


@pytest.mark.parametrize("path", [CHAT, RESPONSES, "/v1/messages"])
@every_provider
def test_the_name_decides_and_the_provider_gets_its_own(relay, provider, path):
    model = MODELS[provider]

    answer = relay.post(path, BODIES[path](f"{provider}/{model}"))

    assert said(answer.json()) == "Hi"
    assert answer.headers["x-airelays-route"] == f"{provider}/{model}"
    (sent,) = relay.sandbox.requests
    assert model in (sent.json.get("model"), sent.path.rpartition("/")[2].partition(":")[0])


@pytest.mark.parametrize("path", BODIES)
def test_every_route_takes_such_a_name(relay, path):
    answer = relay.post(path, BODIES[path]("openai/gpt-4.1"))

    assert answer.status_code == 200, answer.text


def test_a_model_s_own_name_may_have_slashes(relay):
    assert said(relay.ok(CHAT, chat("box/sandbox/reasoner:7b"))) == "Hi"
    assert relay.sandbox.requests[-1].json["model"] == "sandbox/reasoner:7b"


@pytest.mark.parametrize("path", ["/v1/models/{}", "/v1beta/models/{}"])
@pytest.mark.parametrize("model", sorted(set(PREFIXED) - {"openai/gpt-4.1"}))
def test_a_model_is_described_by_such_a_name(relay, path, model):
    described = relay.get(path.format(model)).json()

    assert model in (described.get("id"), described.get("name", "").removeprefix("models/"))


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("model", ["gpt-5.5", "nobody/gpt-5.5", "/gpt-5.5", "codex/"])
def test_a_name_without_a_provider_may_be_refused(strict, path, model):
    answer = strict.post(path, BODIES[path](model))

    assert answer.status_code == 400, answer.text
    assert "codex" in answer.json()["error"]["message"]


@pytest.mark.parametrize("target", [f"models/gemini-2.5-flash:{GENERATE}", f"nobody/x:{GENERATE}"])
def test_so_may_a_gemini_target(strict, target):
    answer = strict.post(f"/v1beta/{target}", contents())

    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert said(strict.ok(f"/v1beta/models/aistudio/gemini-2.5-flash:{GENERATE}", contents()))


def test_what_the_relay_does_not_know_goes_to_the_provider_of_its_model(relay):
    shown = relay.ok("/v1/echo/rerank?deep=1", {"model": "box/sandbox-small", "query": "q"})

    assert shown["target"] == "/v1/echo/rerank?deep=1"


def test_responses_want_an_upgrade_or_a_post(relay):
    assert relay.get(RESPONSES, token=None).status_code == 401
    answer = relay.get(RESPONSES)
    assert answer.status_code == 426
    assert answer.json()["error"]["code"] == "upgrade_required"
