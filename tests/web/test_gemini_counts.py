"""``:countTokens``: the upstream's own count, whichever dialect it is spoken to in, or an estimate.

What is counted is what would be sent for a reply. An estimate says that it is one.
"""

import pytest

from tests.conftest import TOKEN

CODEX, GOOGLE, CLAUDE = "gpt-5.5", "gemini/gemini-2.5-flash", "anthropic/claude-opus-4-8"
BOX = "box/sandbox-small"
GOOGLES_PATH = "/gemini/v1beta/models/gemini-2.5-flash:countTokens"
ANTHROPICS_PATH = "/anthropic/v1/messages/count_tokens"
QUESTION = {"contents": [{"role": "user", "parts": [{"text": "How many tokens are these?"}]}]}
TOOLS = [{"functionDeclarations": [{"name": "now", "description": "The time of day, in UTC."}]}]
ESTIMATED = "x-airelays-estimated"


@pytest.fixture(scope="module")
def module_relay(start_relay):
    return start_relay(vendors=True, UPSTREAM_RETRY_ATTEMPTS="0")


def count(relay, model, body, version="v1beta"):
    answer = relay.post(f"/{version}/models/{model}:countTokens", body)
    assert answer.status_code == 200, answer.text
    return answer


def total(relay, model, body):
    return count(relay, model, body).json()["totalTokens"]


@pytest.mark.parametrize("model", [CODEX, GOOGLE, CLAUDE])
@pytest.mark.parametrize("wrapper", ["generateContentRequest", "generate_content_request"])
def test_the_whole_request_can_be_counted(relay, model, wrapper):
    wrapped = {**QUESTION, "model": f"models/{model}", "tools": TOOLS}
    assert total(relay, model, {wrapper: wrapped}) > total(relay, model, QUESTION) > 0
    assert total(relay, model, {**QUESTION, "tools": TOOLS}) > total(relay, model, QUESTION)


@pytest.mark.parametrize("model", [CODEX, BOX, GOOGLE, CLAUDE])
def test_a_conversation_counts_with_what_was_said_in_it(relay, model):
    items = [{"role": "user", "content": "A long time ago something was said here. " * 20}]
    conversation = relay.ok("/v1/conversations", {"items": items})["id"]
    continued = {"conversation": conversation}
    assert total(relay, model, {**QUESTION, **continued}) > total(relay, model, QUESTION) + 100

    body = {"model": model, "messages": [{"role": "user", "content": "How many?"}]}
    path = "/v1/messages/count_tokens"
    alone = relay.ok(path, body)["input_tokens"]
    assert relay.ok(path, {**body, **continued})["input_tokens"] > alone + 100


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_google_is_asked_with_its_own_name_of_the_model(relay, version):
    body = {"generateContentRequest": {"model": "models/another", **QUESTION}}
    answer = count(relay, GOOGLE, body, version)

    assert relay.asked(GOOGLES_PATH) == {
        "generateContentRequest": {"model": "models/gemini-2.5-flash", **QUESTION}
    }
    assert "promptTokensDetails" in answer.json(), "what Google says passes as it is"
    assert ESTIMATED not in answer.headers


def test_an_upstream_of_another_dialect_counts_too(relay):
    answer = count(relay, CLAUDE, {**QUESTION, "generationConfig": {"temperature": 1}})

    assert ESTIMATED not in answer.headers
    asked = relay.asked(ANTHROPICS_PATH)
    assert asked.keys() == {"model", "messages"}, "a count has no room for anything else"


def test_google_counts_for_clients_of_messages(relay):
    body = {"model": GOOGLE, "messages": [{"role": "user", "content": "How many?"}]}
    answer = relay.post("/v1/messages/count_tokens", body)

    assert answer.status_code == 200
    assert answer.json().keys() == {"input_tokens"}
    assert ESTIMATED not in answer.headers
    assert relay.asked(GOOGLES_PATH)["generateContentRequest"]["contents"]


def test_an_estimate_says_that_it_is_one(relay):
    answer = count(relay, CODEX, QUESTION)
    assert answer.headers[ESTIMATED] == "totalTokens"
    assert 5 <= answer.json()["totalTokens"] <= 20


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "contents"),
        ({"generateContentRequest": {}}, "contents"),
        ({"generateContentRequest": []}, "generateContentRequest"),
    ],
)
@pytest.mark.parametrize("model", [CODEX, GOOGLE])
def test_what_is_no_request_is_not_counted(relay, model, body, field):
    answer = relay.post(f"/v1beta/models/{model}:countTokens", body)
    assert answer.status_code == 400
    assert field in answer.json()["error"]["message"]


def test_a_model_that_google_does_not_know_is_not_estimated(relay):
    answer = relay.post("/v1beta/models/gemini/gemini-of-tomorrow:countTokens", QUESTION)
    assert answer.status_code == 404
    assert answer.json()["error"]["status"] == "NOT_FOUND"


def test_the_token_stays_here(relay):
    count(relay, GOOGLE, QUESTION)
    sent = relay.sandbox.requests.to(GOOGLES_PATH)[-1]
    assert TOKEN not in str(sent.headers)
    assert sent.headers["x-goog-api-key"] == relay.sandbox.gemini_key
