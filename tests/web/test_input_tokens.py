"""``POST /v1/responses/input_tokens``: what a request would cost, history included.

The upstream counts what it would be sent, where it counts; elsewhere it is an estimate, and the
answer says so.
"""

import pytest

from tests.seeds.asking import ADD, RESPONSES, question

PATH = f"{RESPONSES}/input_tokens"
ESTIMATED = "x-airelays-estimated"
QUESTION = "How many tokens are in this sentence, do you think?"
ESTIMATING = ["gpt-5.5", "box/sandbox-small"]
COUNTING = "plain/sandbox-small"
ALL = [*ESTIMATING, COUNTING]


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay with a server that speaks Responses, too."""
    return start_relay(plain="responses")


def counted(relay, model, text=QUESTION, **more):
    answer = relay.ok(PATH, question(RESPONSES, text, model=model, **more))
    assert answer["object"] == "response.input_tokens"
    return answer["input_tokens"]


@pytest.mark.parametrize("model", ALL)
def test_more_is_more(relay, model):
    alone = counted(relay, model)

    assert 5 <= alone <= 40
    assert counted(relay, model, f"{QUESTION} {QUESTION}") > alone
    if model != COUNTING:
        assert counted(relay, model, tools=[ADD]) > alone
        assert counted(relay, model, instructions="Answer with a number.") > alone


@pytest.mark.parametrize("model", ESTIMATING)
def test_an_estimate_says_that_it_is_one(relay, model):
    answer = relay.post(PATH, question(RESPONSES, QUESTION, model=model))

    assert answer.headers[ESTIMATED] == "input_tokens"
    assert len(relay.sandbox.requests) == 0


def test_an_upstream_that_counts_is_asked_for_nothing_else(relay):
    asked = question(RESPONSES, QUESTION, model=COUNTING, tools=[ADD], stream=True, store=True)

    answer = relay.post(PATH, asked)

    assert ESTIMATED not in answer.headers
    sent = relay.sandbox.requests.to(PATH)[-1].json
    assert sent == {"model": "sandbox-small", "input": QUESTION, "tools": [ADD]}


@pytest.mark.parametrize("model", ALL)
def test_what_is_continued_counts_too(relay, model):
    first = relay.ok(RESPONSES, question(RESPONSES, f"{QUESTION} [[say {QUESTION}]]", model=model))
    conversation = relay.ok("/v1/conversations", {"items": [{"role": "user", "content": QUESTION}]})
    alone = counted(relay, model)

    assert counted(relay, model, previous_response_id=first["id"]) >= alone + 10
    assert counted(relay, model, conversation=conversation["id"]) >= alone + 5
    items = relay.get(f"/v1/conversations/{conversation['id']}/items").json()["data"]
    assert len(items) == 1


def test_nothing_is_kept_of_it(relay):
    answer = relay.ok(PATH, question(RESPONSES, model=COUNTING, store=True))

    assert set(answer) == {"object", "input_tokens"}


@pytest.mark.parametrize(
    ("wrong", "status", "param"),
    [
        ({"model": None}, 422, "model"),
        ({"input": 7}, 422, "input"),
        ({"previous_response_id": "resp_none"}, 400, "previous_response_id"),
        ({"input": [{"type": "item_reference", "id": "msg_none"}]}, 404, "input[0].id"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(relay, wrong, status, param):
    assert relay.refusal(PATH, question(RESPONSES) | wrong, status)["param"] == param
