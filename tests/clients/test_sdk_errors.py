"""The openai SDK's errors and retries: which exception it raises, and how often it asks."""

import time

import openai
import pytest

from tests.clients.conftest import CHAT_SERVER, RESPONSES_SERVER


def ask(client, **more):
    return client.responses.create(model="gpt-5.5", input="Hi", **more)


def chat_stream(client, prompt):
    messages = [{"role": "user", "content": prompt}]
    return client.chat.completions.create(model="gpt-5.5", messages=messages, stream=True)


def asked(relay):
    return len(relay.sandbox.requests.to("/codex/responses"))


def test_a_wrong_token_is_not_tried_again(relay):
    before = relay.log().count("path=/v1/responses")
    stranger = openai.OpenAI(base_url=relay.base_url, api_key="no-such-token-at-all")
    with stranger as client, pytest.raises(openai.AuthenticationError) as caught:
        ask(client)

    assert caught.value.code == "invalid_api_key"
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert caught.value.response.headers["www-authenticate"].startswith("Bearer")
    relay.await_log("path=/v1/responses", before + 1)
    assert relay.log().count("path=/v1/responses") == before + 1
    assert asked(relay) == 0


def test_what_cannot_be_done_is_not_tried_again(client, relay):
    patient = client.with_options(max_retries=2)

    with pytest.raises(openai.InternalServerError) as caught:
        patient.embeddings.create(model="gpt-5.5", input="Hi")

    assert caught.value.status_code == 501
    assert caught.value.type == "unsupported_error"
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert caught.value.response.request.headers["x-stainless-retry-count"] == "0"


def test_a_refusal_names_the_field(client, relay):
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        ask(client, max_output_tokens=5)

    assert caught.value.param == "max_output_tokens"
    assert caught.value.request_id
    assert asked(relay) == 0


@pytest.mark.parametrize("model", [CHAT_SERVER, RESPONSES_SERVER])
def test_what_the_model_cannot_see_is_the_clients_mistake_and_asked_once(client, relay, model):
    """llama.cpp says that it is its own, with 500."""
    relay.sandbox.settings.variant = "llamacpp"
    image = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="}
    with pytest.raises(openai.BadRequestError, match="image input is not supported"):
        client.responses.create(model=model, input=[{"role": "user", "content": [image]}])
    assert len(relay.sandbox.requests) == 1


def test_a_short_limit_is_waited_for(client, relay):
    """The relay itself waits for what passes within its budget; the client never sees the 429."""
    relay.sandbox.script("limit", resets_in_seconds=1, retry_after=1)
    begun = time.monotonic()

    assert ask(client).output_text

    assert time.monotonic() - begun > 0.5
    assert asked(relay) == 2


def test_a_long_limit_is_told_at_once(client, relay):
    relay.sandbox.script("limit", resets_in_seconds=7200)

    with pytest.raises(openai.RateLimitError) as caught:
        ask(client)

    assert caught.value.type == "usage_limit_reached"
    assert 7100 < int(caught.value.response.headers["retry-after"]) <= 7200
    assert caught.value.body["resets_in_seconds"] == 7200
    assert asked(relay) == 1


def test_the_sdk_waits_as_long_as_it_is_told(start_relay, relay):
    """429 with Retry-After, then success: the SDK's own retry, the relay's switched off."""
    hasty = start_relay(sandbox=relay.sandbox, UPSTREAM_RETRY_ATTEMPTS="0")
    relay.sandbox.script("limit", resets_in_seconds=1, retry_after=1)
    with openai.OpenAI(base_url=hasty.base_url, api_key=hasty.token, max_retries=2) as client:
        begun = time.monotonic()
        answer = client.responses.with_raw_response.create(model="gpt-5.5", input="Hi")

    assert answer.retries_taken == 1
    assert time.monotonic() - begun > 0.9
    assert asked(relay) == 2


def test_an_outage_is_an_error_with_the_upstreams_words(client, relay):
    relay.sandbox.script("status", status=500, message="Out of order", times=9)

    with pytest.raises(openai.InternalServerError) as caught:
        ask(client)

    assert "Out of order" in caught.value.message


def test_a_failure_before_anything_was_sent_is_made_good(client, relay):
    relay.sandbox.script("failed", after=0)

    events = list(client.responses.create(model="gpt-5.5", input="[[say One]]", stream=True))

    assert events[-1].response.output_text == "One"
    assert asked(relay) == 2


@pytest.mark.parametrize("behaviour", ["failed", "error_event"])
def test_a_failure_in_the_middle_is_raised(client, relay, behaviour):
    """Both in Responses and in chat streams, after what came before it."""
    relay.sandbox.script(f"{behaviour}+slow", after=2, times=2)

    seen = []
    events = client.responses.create(
        model="gpt-5.5", input="[[say One two three four]]", stream=True
    )
    with pytest.raises(openai.APIError) as caught:
        seen.extend(event.type for event in events)
    assert seen.count("response.output_text.delta") == 2
    assert "in the middle" in caught.value.message

    texts = []
    chunks = chat_stream(client, "[[say One two three four]]")
    with pytest.raises(openai.APIError) as caught:
        texts.extend(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert "".join(texts) == "One two"
    assert "in the middle" in caught.value.message


@pytest.mark.parametrize("behaviour", ["cut", "no_terminal", "reset"])
def test_a_broken_stream_never_looks_finished(client, relay, behaviour):
    relay.sandbox.script(f"{behaviour}+slow", after=2, times=2)

    with pytest.raises((openai.APIError, openai.APIConnectionError)):
        list(client.responses.create(model="gpt-5.5", input="[[say One two three]]", stream=True))
    with pytest.raises((openai.APIError, openai.APIConnectionError)):
        list(chat_stream(client, "[[say One two three]]"))


def test_a_rejected_login_is_no_matter_of_the_token(client, relay):
    """503, so that no client asks its user for another API key.

    The SDKs do not try again; a client that does, like Codex CLI, need not wait long.
    """
    relay.sandbox.script("unauthorized", times=9)

    with pytest.raises(openai.InternalServerError) as caught:
        ask(client.with_options(max_retries=2))

    assert caught.value.response.request.headers["x-stainless-retry-count"] == "0"
    assert caught.value.response.headers["retry-after"] == "1"
    assert caught.value.status_code == 503
    assert caught.value.type == "authentication_error"
    assert caught.value.response.headers["x-airelays-upstream-auth"] == "rejected"
