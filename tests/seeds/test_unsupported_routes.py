"""Embeddings, images, audio and realtime sessions: known routes that answer 501 for now.

As JSON, so that an SDK can say what is the matter, and not worth a retry.
"""

import pytest

ROUTES = [
    "/v1/embeddings",
    "/v1/images/generations",
    "/v1/images/edits",
    "/v1/images/variations",
    "/v1/audio/speech",
    "/v1/audio/transcriptions",
    "/v1/audio/translations",
    "/v1/realtime/sessions",
]


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("body", [{}, {"model": "gpt-5.5", "input": "x"}, None], ids=repr)
def test_it_is_501_whatever_is_asked(relay, path, body):
    answer = relay.post(path, body)

    error = relay.refusal(path, body, 501)
    assert error["type"] == "unsupported_error"
    assert error["message"]
    assert answer.headers["x-should-retry"] == "false"
    assert len(relay.sandbox.requests) == 0


@pytest.mark.parametrize("path", ["/v1/audio/transcriptions", "/v1/images/edits"])
def test_an_upload_is_501_too(relay, path):
    answer = relay.post(path, files={"file": ("a.wav", b"RIFF"), "image": ("a.png", b"PNG")})

    assert answer.status_code == 501


@pytest.mark.parametrize("path", ROUTES)
def test_the_token_is_asked_for_first(relay, path):
    assert relay.post(path, {}, token=None).status_code == 401
