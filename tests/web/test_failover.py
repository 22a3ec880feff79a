"""When an account's quota is used up or its server is down, another one answers, and says so.

Only before the commit point; the client sees one answer and ``x-airelays-route``. A client's own
mistake is told at once and tried nowhere else.
"""

import pytest

BODY = {"model": "gpt-5.5", "input": "[[say Hello]]"}


@pytest.fixture
def relay(start_relay):
    """Return a relay with two subscriptions and a fallback behind them, nobody benched."""
    relay = start_relay(
        further_logins={"second": "second@example.org"},
        ROUTING_FALLBACKS='{"gpt-5.5": "box/sandbox-small"}',
        UPSTREAM_RETRY_ATTEMPTS="0",
        WORKERS="1",
    )
    yield relay
    relay.stop()


def accounts_asked(relay):
    sent = relay.sandbox.requests.to("/codex/responses")
    return [request.headers["chatgpt-account-id"] for request in sent]


def test_requests_are_spread_over_the_accounts(relay):
    for _ in range(24):
        relay.ok("/v1/responses", BODY)
    assert len(set(accounts_asked(relay))) == 2


@pytest.mark.parametrize("name", ["conversation", "prompt_cache_key"])
def test_what_belongs_together_stays_with_one_account(relay, name):
    value = relay.ok("/v1/conversations", {})["id"] if name == "conversation" else "key-1"
    for _ in range(6):
        relay.ok("/v1/responses", {**BODY, name: value})
    assert len(set(accounts_asked(relay))) == 1


def test_what_a_client_of_messages_says_is_one_session_s_stays_together_too(relay):
    asked = {"model": "gpt-5.5", "messages": [{"role": "user", "content": "[[say Hello]]"}]}
    for _ in range(6):
        relay.ok("/v1/messages", {**asked, "metadata": {"user_id": "session_1"}})
    assert len(set(accounts_asked(relay))) == 1


IN_THE_STREAM = {"after": 0, "code": "usage_limit_reached"}


@pytest.mark.parametrize(
    ("stream", "behaviour", "options"),
    [
        (False, "limit", {"resets_in_seconds": 3600}),
        (True, "limit", {"resets_in_seconds": 3600}),
        (True, "failed", IN_THE_STREAM),
    ],
)
def test_the_other_account_answers_for_one_that_is_used_up(relay, stream, behaviour, options):
    relay.sandbox.script(behaviour, **options)
    answer = relay.post("/v1/responses", {**BODY, "stream": stream})
    assert answer.status_code == 200, answer.text
    assert "Hello" in answer.text
    assert answer.headers["x-airelays-route"] == "codex/gpt-5.5"
    used_up, other = accounts_asked(relay)
    assert used_up != other
    for _ in range(8):
        relay.ok("/v1/responses", BODY)
    assert set(accounts_asked(relay)[1:]) == {other}


def test_behind_all_accounts_the_fallback_answers(relay):
    relay.sandbox.script("limit", times=2, resets_in_seconds=3600)
    answer = relay.post("/v1/responses", BODY)
    assert answer.headers["x-airelays-route"] == "box/sandbox-small"
    assert answer.json()["output"][0]["content"][0]["text"] == "Hello"


def test_where_nobody_is_left_the_first_one_s_error_is_told(relay):
    relay.sandbox.script("limit", times=2, resets_in_seconds=3600)
    relay.sandbox.script("status", status=503, path="/v1/chat/completions")
    answer = relay.post("/v1/responses", BODY)
    assert answer.status_code == 429
    assert answer.json()["error"]["type"] == "usage_limit_reached"
    assert 3000 < int(answer.headers["Retry-After"]) <= 3600


def test_a_client_s_mistake_that_the_second_account_finds_is_told_at_once(relay):
    relay.sandbox.script("limit", resets_in_seconds=3600)
    relay.sandbox.script("status", status=400, code="invalid_value", param="input")
    error = relay.refusal("/v1/responses", BODY, 400)
    assert error["param"] == "input"
    assert len(accounts_asked(relay)) == 2
    assert not relay.sandbox.requests.to("/v1/chat/completions")


def test_what_only_the_fallback_refuses_is_not_the_client_s_mistake(relay):
    conversation = relay.ok("/v1/conversations", {})["id"]
    body = {**BODY, "prompt": {"id": "pmpt_1"}, "conversation": conversation}
    for _ in range(2):  # with accounts that are well, and with benched ones
        relay.sandbox.script("limit", times=2, resets_in_seconds=3600)
        assert relay.post("/v1/responses", body).status_code == 429
        assert len(accounts_asked(relay)) == 2
        relay.sandbox.reset()
    assert relay.get(f"/v1/conversations/{conversation}/items").json()["data"] == []
    assert relay.ok("/v1/responses", {**BODY, "conversation": conversation})


def test_a_provider_s_own_address_never_leads_to_another(relay):
    relay.sandbox.script("limit", times=2, resets_in_seconds=3600)
    assert relay.post("/codex/v1/responses", BODY).status_code == 429
    assert not relay.sandbox.requests.to("/v1/chat/completions")


def test_a_client_s_mistake_is_tried_once(relay):
    error = relay.refusal("/v1/responses", {**BODY, "max_output_tokens": 5})
    assert error["param"] == "max_output_tokens"
    relay.refusal("/v1/responses", {"model": "no-such-model", "input": "x"}, 404)
    assert len(accounts_asked(relay)) == 1
    assert not relay.sandbox.requests.to("/v1/chat/completions")


def test_a_used_up_model_leaves_the_others_of_its_account_to_answer(start_relay):
    relay = start_relay(
        ROUTING_FALLBACKS='{"box/sandbox-small": "box/sandbox-large"}',
        UPSTREAM_RETRY_ATTEMPTS="0",
        WORKERS="1",
    )
    body = {"model": "box/sandbox-small", "input": "[[say Hello]]"}
    relay.sandbox.script("limit", resets_in_seconds=3600)

    routes = [
        relay.post("/v1/responses", each).headers["x-airelays-route"]
        for each in (body, {**body, "model": "box/sandbox-large"}, body)
    ]

    assert routes == ["box/sandbox-large"] * 3
    asked = relay.sandbox.requests.to("/v1/chat/completions")
    assert [each.json["model"] for each in asked] == ["sandbox-small", *["sandbox-large"] * 3]
    assert "limited for sandbox-small, left alone for" in relay.command("providers", "list")
