"""The anthropic SDK's errors: which exception it raises, in which words, and how often it asks."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import anthropic
import pytest
from anthropic import Anthropic
from anthropic.types import ErrorResponse

from tests.conftest import parse_sse

RESPONSES_UPSTREAM = "gpt-5.5"
CHAT_UPSTREAM = "box/sandbox-small"
NATIVE = "anthropic/claude-opus-4-8"
MESSAGES = "/v1/messages"


def asked_for(text, **more):
    messages = [{"role": "user", "content": text}]
    return {"model": RESPONSES_UPSTREAM, "max_tokens": 500, "messages": messages, **more}


def ask(client, text="Hi", **more):
    return client.messages.create(**asked_for(text, **more))


def events_of(client, text, **more):
    with client.messages.stream(**asked_for(text, **more)) as stream:
        yield from stream


def error_in(answer):
    """Return the error object of an answer; its form and ids are checked on the way."""
    read = ErrorResponse.model_validate(answer.json())
    assert read.type == "error"
    assert read.request_id == answer.headers["request-id"] == answer.headers["x-request-id"]
    return read.error


@pytest.fixture(scope="module")
def hasty_relay(start_relay, module_relay):
    """Return a relay that tries nothing again and is quick to send a sign of life."""
    return start_relay(
        sandbox=module_relay.sandbox,
        vendors=True,
        UPSTREAM_RETRY_ATTEMPTS="0",
        KEEPALIVE_SECONDS="1",
        MAX_BODY_BYTES="8192",
    )


@pytest.fixture
def hasty(hasty_relay):
    with Anthropic(
        base_url=hasty_relay.url, api_key=hasty_relay.token, max_retries=0, timeout=120
    ) as client:
        yield client


def test_a_wrong_token_is_told(relay):
    with (
        Anthropic(base_url=relay.url, api_key="no-such-token-at-all") as stranger,
        pytest.raises(anthropic.AuthenticationError) as caught,
    ):
        ask(stranger)

    assert caught.value.body["error"]["type"] == "authentication_error"
    assert caught.value.request_id
    assert len(relay.sandbox.requests) == 0


def test_the_token_may_be_a_bearer(relay):
    with Anthropic(base_url=relay.url, api_key=None, auth_token=relay.token) as client:
        assert ask(client, "[[say Yes]]").content[0].text == "Yes"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("POST", MESSAGES, b"{", 400, "invalid_request_error"),
        ("POST", MESSAGES, b"[]", 400, "invalid_request_error"),
        ("POST", MESSAGES, b"{}", 400, "invalid_request_error"),
        ("POST", MESSAGES, b'{"model": "gpt-5.5"}', 400, "invalid_request_error"),
        ("POST", MESSAGES, b'{"model": 5, "messages": []}', 400, "invalid_request_error"),
        ("GET", MESSAGES, None, 405, "invalid_request_error"),
        ("POST", f"{MESSAGES}/nowhere", b"{}", 404, "not_found_error"),
        ("POST", f"{MESSAGES}/batches", b"{}", 501, "api_error"),
    ],
)
def test_every_error_of_the_path_has_the_vendors_form(relay, method, path, body, status, kind):
    answer = relay.request(method, path, data=body, headers={"content-type": "application/json"})

    assert answer.status_code == status
    assert error_in(answer).type == kind


def test_a_body_that_is_too_large_is_told(hasty_relay):
    answer = hasty_relay.post(MESSAGES, asked_for("x" * 10_000))

    assert answer.status_code == 413
    assert answer.json()["error"]["type"] == "request_too_large"


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"messages": [{"role": "robot", "content": "x"}]}, r"messages\[0\].role"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, r"content\[0\].text"),
        ({"temperature": "hot"}, "temperature"),
        ({"tools": [{"description": "nameless"}]}, r"tools\[0\].name"),
        ({"mcp_servers": [{"name": "x", "url": "https://x.example"}]}, "mcp_servers"),
    ],
)
def test_a_refusal_names_the_field(client, relay, wrong, path):
    with pytest.raises(anthropic.BadRequestError, match=path):
        client.messages.create(**asked_for("x"), extra_body=wrong)

    assert len(relay.sandbox.requests) == 0


@pytest.mark.parametrize("model", [NATIVE, CHAT_UPSTREAM])
def test_a_model_that_is_unknown_upstream_is_told_with_its_neighbours(client, model):
    unknown = f"{model}x"
    with pytest.raises(anthropic.NotFoundError) as caught:
        ask(client, model=unknown)

    assert caught.value.body["error"]["type"] == "not_found_error"
    assert model.partition("/")[2] in caught.value.message


def test_what_the_upstream_refuses_is_told_in_its_words(client):
    """The sandbox, like the model, takes no sampling parameters."""
    with pytest.raises(anthropic.BadRequestError, match="temperature"):
        ask(client, model=NATIVE, extra_body={"temperature": 0.5})


def test_limits_are_told_with_the_upstreams_headers(hasty, relay):
    relay.sandbox.script("limit", retry_after=17)

    with pytest.raises(anthropic.RateLimitError) as caught:
        ask(hasty, model=NATIVE)

    headers = caught.value.response.headers
    assert caught.value.body["error"]["type"] == "rate_limit_error"
    assert headers["retry-after"] == "17"
    assert headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert headers["x-airelays-upstream-request-id"].startswith("req_")


def test_an_answer_says_how_much_of_the_limits_is_left(client):
    answer = client.messages.with_raw_response.create(**asked_for("Hi", model=NATIVE))

    assert answer.headers["anthropic-ratelimit-requests-remaining"] == "999"


@pytest.mark.parametrize("model", [RESPONSES_UPSTREAM, CHAT_UPSTREAM])
def test_limits_of_other_upstreams_are_limits_too(hasty, relay, model):
    relay.sandbox.script("limit", resets_in_seconds=90, retry_after=90)

    with pytest.raises(anthropic.RateLimitError) as caught:
        ask(hasty, model=model)

    assert caught.value.body["error"]["type"] == "rate_limit_error"
    assert caught.value.response.headers["retry-after"] == "90"


@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (500, anthropic.InternalServerError),
        (529, anthropic.InternalServerError),
        (400, anthropic.BadRequestError),
        (404, anthropic.NotFoundError),
        (413, anthropic.RequestTooLargeError),
    ],
)
def test_a_status_of_the_upstream_is_the_clients(hasty, relay, model, status, raised):
    relay.sandbox.script("status", status=status, message="Out of order.")

    with pytest.raises(raised, match="Out of order") as caught:
        ask(hasty, model=model)

    assert caught.value.status_code == status
    assert caught.value.body["type"] == "error"


def test_an_overload_is_waited_for(client, relay, model):
    """The relay itself asks again; the client sees the answer only."""
    relay.sandbox.script("status", status=529, message="Overloaded")

    assert ask(client, "[[say Now]]", model=model).content[0].text == "Now"
    assert len(relay.sandbox.requests) == 2


@pytest.mark.parametrize("behaviour", ["failed", "error_event"])
def test_a_failure_in_the_middle_is_raised_after_what_came_before(client, relay, model, behaviour):
    steps = f"[[behave slow 0.5]] [[behave {behaviour} after=2]] [[say One two three four]]"
    events = []

    with pytest.raises(anthropic.APIStatusError, match="in the middle") as caught:
        events.extend(events_of(client, steps, model=model))

    assert "".join(event.text for event in events if event.type == "text").startswith("One")
    assert caught.value.body["type"] == "error"
    assert len(relay.sandbox.requests) == 1


@pytest.mark.parametrize("behaviour", ["cut", "no_terminal", "reset", "garbage"])
def test_a_broken_stream_never_looks_finished(client, model, behaviour):
    steps = f"[[behave slow 0.5]] [[behave {behaviour} after=2]] [[say One two three four]]"
    events = []

    with pytest.raises(anthropic.APIStatusError):
        events.extend(events_of(client, steps, model=model))

    kinds = [event.type for event in events]
    assert "text" in kinds
    assert "message_stop" not in kinds


@pytest.mark.parametrize("behaviour", ["failed", "cut", "no_terminal", "garbage after=2"])
def test_half_a_reply_is_no_reply(hasty, model, behaviour):
    with pytest.raises(anthropic.APIStatusError):
        ask(hasty, f"[[behave {behaviour}]] [[say One two three four]]", model=model)


def test_silence_is_filled_with_pings(hasty_relay):
    def names_of(model):
        body = asked_for("[[behave slow 2.5]] [[say One]]", model=model, stream=True)
        events = parse_sse(hasty_relay.post(MESSAGES, body).text)
        assert all(event.data == {"type": "ping"} for event in events if event.name == "ping")
        return [event.name for event in events]

    with ThreadPoolExecutor(3) as pool:
        plain, translated, native = pool.map(names_of, [RESPONSES_UPSTREAM, CHAT_UPSTREAM, NATIVE])

    assert plain.count("ping") >= 1
    assert translated.count("ping") >= 1
    assert native.count("ping") >= 2  # the vendor sends one itself
    assert {names[-1] for names in (plain, translated, native)} == {"message_stop"}


def test_a_rejected_login_is_no_matter_of_the_token(client, relay):
    """503, so that no client asks its user for another key."""
    relay.sandbox.script("unauthorized", times=9)

    with pytest.raises(anthropic.InternalServerError) as caught:
        ask(client)

    assert caught.value.status_code == 503
    assert caught.value.response.headers["x-airelays-upstream-auth"] == "rejected"


def test_a_rejected_key_is_no_matter_of_the_token(start_relay, relay):
    wrong = start_relay(
        sandbox=relay.sandbox,
        vendors=True,
        PROVIDERS_ANTHROPIC_API_KEY="sk-ant-of-yesterday",
    )
    answer = wrong.post(MESSAGES, asked_for("Hi", model=NATIVE))

    assert answer.status_code == 503
    assert answer.headers["x-airelays-upstream-auth"] == "rejected"
    assert "providers.anthropic.api_key" in error_in(answer).message
    assert "of-yesterday" not in answer.text


def test_a_client_that_leaves_is_let_go(client, relay, model):
    before = relay.log().count("outcome=client_gone")
    with contextlib.closing(events_of(client, "[[behave stalled 2]] [[say One two]]")) as events:
        next(event for event in events if event.type == "text")

    relay.await_log("outcome=client_gone", before + 1)
