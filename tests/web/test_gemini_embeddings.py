"""``:embedContent`` and ``:batchEmbedContents``: Google's own at Google, OpenAI's way elsewhere.

The model is told in the path and again in the body; upstreams are told their own name of it.
"""

import pytest

from airelays_app.sandbox.operations import vector

GOOGLE, BOX = "gemini/gemini-embedding-001", "box/sandbox-small"
GOOGLES_NAME = "models/gemini-embedding-001"
ONE, ALL = "embedContent", "batchEmbedContents"


@pytest.fixture(scope="module")
def module_relay(start_relay):
    return start_relay(vendors=True, UPSTREAM_RETRY_ATTEMPTS="0")


def path_of(model, verb, version="v1beta"):
    return f"/{version}/models/{model}:{verb}"


def embedding(text, **more):
    return {"content": {"parts": [{"text": text}]}, **more}


def batch(*requests):
    return {"requests": list(requests)}


def values_of(answer):
    return [each["values"] for each in answer["embeddings"]]


@pytest.mark.parametrize("version", ["v1", "v1beta"])
@pytest.mark.parametrize("model", [GOOGLE, "aistudio/gemini-embedding-001", BOX])
def test_vectors_are_made_by_any_provider_that_makes_some(relay, model, version):
    one = relay.ok(path_of(model, ONE, version), embedding("Hello"))
    assert one["embedding"]["values"] == pytest.approx(vector("Hello"))

    name = f"models/{model}"
    both = batch(embedding("Hello", model=name), embedding("Grüße", model=name))
    answer = relay.ok(path_of(model, ALL, version), both)
    assert values_of(answer) == [
        pytest.approx(vector("Hello")),
        pytest.approx(vector("Grüße")),
    ]


def test_google_is_asked_with_its_own_name_of_the_model(relay):
    hints = {"taskType": "RETRIEVAL_QUERY", "outputDimensionality": 4}
    relay.ok(path_of(GOOGLE, ALL), batch(embedding("a", model=f"models/{GOOGLE}", **hints)))
    assert relay.asked(f"{GOOGLES_NAME}:{ALL}") == batch(
        embedding("a", model=GOOGLES_NAME, **hints)
    )

    relay.ok(path_of(GOOGLE, ONE), embedding("a"))
    assert relay.asked(f"{GOOGLES_NAME}:{ONE}") == embedding("a", model=GOOGLES_NAME)


def test_what_already_has_googles_name_passes_as_it_is(relay):
    raw = b'{ "model":"models/gemini-embedding-001", "content":{"parts":[{"text":"a"}]}}'
    answer = relay.request(
        "POST",
        f"/gemini/v1beta/{GOOGLES_NAME}:{ONE}",
        data=raw,
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 200, answer.text
    sent = relay.sandbox.requests[-1]
    assert sent.body == raw
    assert sent.headers["x-goog-api-key"] == relay.sandbox.gemini_key
    assert "authorization" not in sent.headers


@pytest.mark.parametrize("spelling", ["outputDimensionality", "output_dimensionality"])
@pytest.mark.parametrize("place", [None, "embedContentConfig", "embed_content_config"])
def test_the_length_is_carried_over_and_the_purpose_is_disclosed(relay, spelling, place):
    settings = {spelling: 3, "taskType": "RETRIEVAL_DOCUMENT", "title": "T"}
    body = embedding("a", **({place: settings} if place else settings))
    answer = relay.post(path_of(BOX, ALL), batch(body))

    assert relay.asked("/v1/embeddings") == {
        "model": "sandbox-small",
        "input": ["a"],
        "dimensions": 3,
    }
    ignored = answer.headers["x-airelays-ignored-parameters"]
    assert ignored.count("taskType") == ignored.count("title") == 1
    assert answer.json()["usageMetadata"] == {"promptTokenCount": 1}
    assert answer.headers["x-airelays-route"] == BOX


@pytest.mark.parametrize(
    ("verb", "body", "field"),
    [
        (ONE, {}, "content"),
        (ONE, {"content": "Hi"}, "content"),
        (ONE, {"content": {"parts": "Hi"}}, "content.parts"),
        (ONE, {"content": {"parts": [{"inlineData": {}}]}}, "content.parts[0].text"),
        (ONE, embedding("a", outputDimensionality="long"), "outputDimensionality"),
        (ONE, embedding("a", model=5), "model"),
        (ONE, embedding("a", model="models/box/another"), "model"),
        (ALL, {}, "requests"),
        (ALL, batch(), "requests"),
        (ALL, batch(5), "requests[0]"),
        (ALL, batch(embedding("a"), {}), "requests[1].content"),
        (ALL, batch(embedding("a", embedContentConfig=5)), "requests[0].embedContentConfig"),
        (ALL, batch(embedding("a"), embedding("a", outputDimensionality=3)), "requests"),
        (ALL, batch(embedding("a", model="models/box/another")), "requests[0].model"),
    ],
)
def test_what_is_refused_is_400_and_names_the_field(relay, verb, body, field):
    answer = relay.post(path_of(BOX, verb), body)
    assert answer.status_code == 400, answer.text
    (detail,) = answer.json()["error"]["details"]
    assert [each["field"] for each in detail["fieldViolations"]] == [field]
    assert len(relay.sandbox.requests) == 0


@pytest.mark.parametrize("verb", [ONE, ALL])
@pytest.mark.parametrize("model", ["gpt-5.5", "anthropic/claude-opus-4-8"])
def test_a_provider_that_makes_no_vectors_is_501(relay, model, verb):
    body = embedding("a") if verb == ONE else batch(embedding("a"))
    answer = relay.post(path_of(model, verb), body)
    assert answer.status_code == 501
    assert answer.json()["error"]["status"] == "UNIMPLEMENTED"


def test_a_model_that_google_does_not_have_is_googles_404(relay):
    answer = relay.post(path_of("gemini/embedding-of-tomorrow", ONE), embedding("a"))
    assert answer.status_code == 404
    assert "models/embedding-of-tomorrow" in answer.json()["error"]["message"]


def test_clients_of_openai_get_googles_vectors_too(relay):
    body = {"model": GOOGLE, "input": ["a", "b"], "encoding_format": "float"}
    answer = relay.ok("/v1/embeddings", body)
    vectors = [each["embedding"] for each in answer["data"]]
    assert vectors == [pytest.approx(vector("a")), pytest.approx(vector("b"))]
    sent = relay.sandbox.requests[-1]
    assert sent.json["model"] == "gemini-embedding-001"
    assert sent.headers["authorization"] == f"Bearer {relay.sandbox.gemini_key}"
    assert "x-goog-api-key" not in sent.headers
