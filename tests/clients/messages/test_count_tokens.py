"""Tokens are counted by the upstream where it counts, else estimated, and the answer says which."""

import pytest
from anthropic import BadRequestError, NotFoundError

NATIVE = "anthropic/claude-opus-4-8"
ESTIMATING = ["gpt-5.5", "box/sandbox-small"]
COUNT_PATH = "/anthropic/v1/messages/count_tokens"
ESTIMATED = "x-airelays-estimated"
QUESTION = [{"role": "user", "content": "How many tokens are in this sentence, do you think?"}]
TOOL = {
    "name": "weather",
    "description": "The weather of a place, for some days from today on.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def counted(client, model, **more):
    return client.messages.count_tokens(model=model, messages=QUESTION, **more).input_tokens


def test_more_is_more(client, model):
    alone = counted(client, model)

    assert alone > 0
    assert counted(client, model, tools=[TOOL]) > alone
    assert counted(client, model, system="Answer with a number and nothing else.") > alone


@pytest.mark.parametrize("model", ESTIMATING)
def test_an_estimate_says_that_it_is_one(client, model):
    raw = client.messages.with_raw_response.count_tokens(model=model, messages=QUESTION)

    assert raw.headers[ESTIMATED] == "input_tokens"
    assert 8 <= raw.parse().input_tokens <= 30


@pytest.mark.parametrize("path", ["/v1", "/no-tools/v1", "/anthropic/v1"])
def test_an_upstream_that_counts_is_asked(relay, path):
    asked = {"model": NATIVE, "messages": QUESTION}
    beta = {"anthropic-beta": "token-counting-2024-11-01"}
    answer = relay.post(f"{path}/messages/count_tokens?beta=true", asked, headers=beta)

    sent = relay.sandbox.requests.to(COUNT_PATH)[-1]
    assert answer.status_code == 200
    assert ESTIMATED not in answer.headers
    assert sent.json == {**asked, "model": "claude-opus-4-8"}
    assert sent.headers["anthropic-beta"] == "token-counting-2024-11-01"
    assert answer.headers["x-airelays-upstream-request-id"]


def test_a_conversation_with_thinking_of_another_upstream_is_counted(client):
    """Its seal would be refused; the count is of what would be sent."""
    thinking = {"type": "adaptive", "display": "summarized"}
    first = client.messages.create(
        model="gpt-5.5",
        max_tokens=1000,
        thinking=thinking,
        messages=[{"role": "user", "content": "[[think Hm.]] [[say Yes.]]"}],
    )
    assert first.content[0].type == "thinking"
    said = {"role": "assistant", "content": [block.model_dump() for block in first.content]}

    again = client.messages.count_tokens(
        model=NATIVE, messages=[*QUESTION, said, *QUESTION], thinking=thinking
    )

    assert again.input_tokens > counted(client, NATIVE)


def test_a_server_that_cannot_count_is_estimated_for(client):
    raw = client.messages.with_raw_response.count_tokens(
        model="plain/sandbox-small", messages=QUESTION
    )

    assert raw.headers[ESTIMATED] == "input_tokens"
    assert raw.parse().input_tokens > 0


def test_a_model_that_is_unknown_upstream_is_not_counted(client):
    with pytest.raises(NotFoundError) as raised:
        counted(client, "anthropic/claude-of-tomorrow")

    assert "claude-of-tomorrow" in raised.value.message


@pytest.mark.parametrize("messages", ["hello", [{"role": "robot", "content": "x"}], [5]])
def test_what_is_no_request_is_not_counted(client, model, messages):
    with pytest.raises(BadRequestError):
        client.messages.count_tokens(model=model, messages=messages)
