"""The google-genai SDK's errors: which exception it raises, in which words, and what it may see.

It has two kinds: what the client did (``ClientError``), and what somebody else did.
"""

import pytest
from google.genai import errors, types

RESPONSES_UPSTREAM = "gpt-5.5"
GEMINI_UPSTREAM = "gemini/gemini-3.5-flash"


def ask(client, model=RESPONSES_UPSTREAM, text="Hi", **config):
    return client.models.generate_content(
        model=model, contents=text, config=types.GenerateContentConfig(**config)
    )


def stream(client, model, text):
    """Return the texts that came, and the error that ended them."""
    texts: list[str] = []

    def read():
        for chunk in client.models.generate_content_stream(model=model, contents=text):
            texts.append(chunk.text or "")

    with pytest.raises(errors.APIError) as caught:
        read()
    return texts, caught.value


def test_a_wrong_token_is_told(connect, relay):
    with pytest.raises(errors.ClientError) as caught:
        ask(connect(version="v1beta", token="no-such-token-at-all"))

    assert (caught.value.code, caught.value.status) == (401, "UNAUTHENTICATED")
    assert len(relay.sandbox.requests) == 0


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_a_model_that_there_is_not_is_told_with_the_nearest(connect, version):
    with pytest.raises(errors.ClientError) as caught:
        ask(connect(version=version), "gemini/gemini-2.5-flush")

    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")
    assert "gemini-2.5-flash" in caught.value.message


def test_what_is_refused_names_the_field(client):
    with pytest.raises(errors.ClientError) as caught:
        ask(client, max_output_tokens=9)

    assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")
    assert "generationConfig.maxOutputTokens" in caught.value.message


def test_a_quota_that_is_used_up_says_when_to_come_again(client, model, relay):
    relay.sandbox.script("limit", resets_in_seconds=34, retry_after=34)
    with pytest.raises(errors.ClientError) as caught:
        ask(client, model)

    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")
    details = caught.value.details["error"]["details"]
    assert [each["retryDelay"] for each in details if "retryDelay" in each] == ["34s"]


def test_an_upstream_that_fails_is_a_fault_of_the_server(client, model, relay):
    relay.sandbox.script("status", status=500)
    with pytest.raises(errors.ServerError) as caught:
        ask(client, model)

    assert caught.value.code in (500, 502, 503)


def test_a_stream_that_breaks_off_raises_after_what_came(client, model):
    texts, error = stream(
        client, model, "[[behave slow 0.3]] [[behave cut 2]] [[say one two three]]"
    )

    assert "".join(texts).startswith("one")
    assert error.code == 502


def test_a_stream_that_fails_raises_with_the_upstreams_words(client, model):
    texts, error = stream(
        client, model, "[[behave slow 0.3]] [[behave failed 2]] [[say one two three]]"
    )

    assert "".join(texts).startswith("one")
    assert isinstance(error, errors.ServerError)


def test_a_prompt_that_is_blocked_has_no_candidates(client):
    answer = ask(client, GEMINI_UPSTREAM, "[[behave blocked]]")
    assert not answer.candidates
    assert answer.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT


def test_a_signature_of_somebody_else_is_refused_by_google_itself(client):
    part = types.Part(text="Hm.", thought=True, thought_signature=b"of somebody else")
    contents = [types.UserContent("Hi"), types.ModelContent([part]), types.UserContent("And?")]
    with pytest.raises(errors.ClientError, match="signature"):
        client.models.generate_content(model=GEMINI_UPSTREAM, contents=contents)


@pytest.mark.parametrize("uri", ["gs://bucket/a.pdf", "https://example.org/a.pdf"])
def test_only_google_reads_files_of_its_own(client, uri):
    part = types.Part.from_uri(file_uri=uri, mime_type="application/pdf")
    if uri.startswith("https"):
        assert ask(client, text=part).candidates
        return
    with pytest.raises(errors.ClientError, match="fileUri"):
        ask(client, text=part)
