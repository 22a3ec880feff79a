"""Operations that are relayed as they are, and ``/p/{provider}/...``.

* Embeddings, audio, images go to the provider that the model names; the provider's own name for the
  model stands in the request, and nothing else is changed.
* Forms are relayed part by part, whatever the order and size of their parts.
* A provider that lacks an operation is 501; its own refusals come back as errors of ours.
* Where the quota or the key of one account is no good, another one of the same provider is asked,
  never another model; ``/p`` stays with the first account, for what it makes is there.
* ``/p`` is untouched both ways: method, path, query, headers, body, status; only credentials, hops
  and cookies stay behind. It is off unless the owner allows it, wants the key even in an open
  relay, and never leaves the provider's base URL.
"""

import base64
import hashlib
import http.client
import json
from urllib.parse import urlsplit

import pytest

from airelays_app.sandbox.operations import tone
from tests.conftest import TOKEN, error_of

MODEL = "box/sandbox-small"


@pytest.fixture(scope="module")
def module_relay(start_relay):
    return start_relay(PROVIDERS_BOX_PASSTHROUGH="true")


def raw(relay, method, target, body=None, **headers):
    """Send a target exactly as it is written."""
    connection = http.client.HTTPConnection(urlsplit(relay.url).netloc, timeout=60)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        named = {"Authorization": f"Bearer {TOKEN}"} | headers
        for name, value in named.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


class TestOperations:
    def test_embeddings_reach_the_provider_of_the_model(self, relay):
        answer = relay.ok("/v1/embeddings", {"model": MODEL, "input": ["a", "b"], "x": 1})
        assert [one["index"] for one in answer["data"]] == [0, 1]
        assert answer["usage"]["prompt_tokens"] == 2
        assert relay.asked("/v1/embeddings") == {
            "model": "sandbox-small",
            "input": ["a", "b"],
            "x": 1,
        }

    def test_embeddings_as_base64_stay_base64(self, relay):
        body = {"model": MODEL, "input": "a", "encoding_format": "base64"}
        vector = relay.ok("/v1/embeddings", body)["data"][0]["embedding"]
        assert len(base64.b64decode(vector)) == 32

    def test_a_provider_without_the_operation_is_501(self, relay):
        error = relay.refusal("/v1/embeddings", {"model": "gpt-5.5", "input": "a"}, 501)
        assert error["type"] == "unsupported_error"
        assert "codex" in error["message"]
        assert relay.refusal("/v1/audio/unheard", {"model": MODEL}, 501)

    def test_a_refusal_of_the_provider_is_passed_on_as_structure(self, relay):
        error = relay.refusal("/v1/embeddings", {"model": MODEL}, 400)
        assert error["param"] == "input"
        assert error["code"] == "missing_required_parameter"

    def test_speech_is_streamed_as_it_comes(self, relay):
        body = {"model": MODEL, "input": "Hello", "voice": "alloy"}
        with_stream = relay.post("/v1/audio/speech", body, stream=True)
        assert with_stream.headers["Content-Type"] == "audio/wav"
        assert b"".join(with_stream.iter_content(1000)) == tone("Hello")

    @pytest.mark.parametrize("model_first", [True, False])
    def test_a_form_is_relayed_part_by_part(self, relay, model_first):
        content = bytes(range(256)) * 9000
        file = ("file", ("né.wav", content, "audio/wav"))
        fields = [("model", (None, MODEL)), ("language", (None, "de")), file]
        answer = relay.request(
            "POST", "/v1/audio/transcriptions", files=fields if model_first else fields[::-1]
        )
        assert answer.status_code == 200, answer.text
        heard = f"{len(content)} bytes, {hashlib.sha256(content).hexdigest()}"
        assert answer.json()["text"] == f"sandbox-small heard né.wav: {heard}"
        sent = relay.sandbox.requests.to("/audio/transcriptions")[-1].body
        assert b'name="language"' in sent
        assert b"audio/wav" in sent

    def test_text_comes_back_as_text(self, relay):
        files = [
            ("model", (None, MODEL)),
            ("response_format", (None, "text")),
            ("file", ("a.wav", b"abc")),
        ]
        answer = relay.request("POST", "/v1/audio/transcriptions", files=files)
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.text.startswith("sandbox-small heard a.wav: 3 bytes")

    def test_a_form_that_is_cut_short_is_refused(self, relay):
        boundary = {"Content-Type": "multipart/form-data; boundary=x"}
        body = f'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\n{MODEL}\r\n--x\r\n'
        answer = relay.request(
            "POST", "/v1/audio/transcriptions", data=body.encode(), headers=boundary
        )
        assert answer.status_code == 400
        assert not relay.sandbox.requests.to("/audio/transcriptions")

    def test_images_are_drawn_where_the_provider_draws(self, relay):
        body = {"model": MODEL, "prompt": "a cat"}
        assert relay.ok("/v1/images/generations", body)["data"][0]["revised_prompt"] == "a cat"

    def test_images_are_edited_with_everything_that_the_form_says(self, relay):
        pictures = [("image[]", (name, b"PNG", "image/png")) for name in ("a.png", "b.png")]
        fields = {"model": MODEL, "prompt": "a cat", "stream": "false", "n": "1"}
        form = [(name, (None, value)) for name, value in fields.items()]
        answer = relay.request("POST", "/v1/images/edits", files=[*form, *pictures])
        assert answer.json()["data"], answer.text
        sent = relay.sandbox.requests.to("/images/edits")[-1].body
        assert sent.count(b'name="image[]"') == 2
        assert b"sandbox-small" in sent
        assert MODEL.encode() not in sent


class TestPassthrough:
    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
    def test_everything_but_credentials_arrives_as_it_was_sent(self, relay, method):
        target = "/p/box/echo/a%20b;c=1/%E2%82%AC?x=%2F&key=nobody&y"
        body = b"\x00\xff not json"
        status, _, answer = raw(
            relay, method, target, body, **{"X-Own": "1", "Cookie": "c=1", "X-Api-Key": "k"}
        )
        assert status == 200
        shown = json.loads(answer)
        assert shown["method"] == method
        assert shown["target"] == "/v1/echo/a%20b;c=1/%E2%82%AC?x=%2F&y"
        assert base64.b64decode(shown["body"]) == body
        assert shown["headers"]["x-own"] == "1"
        assert shown["headers"]["authorization"] == f"Bearer {relay.sandbox.compatible_key}"
        assert not {"cookie", "x-api-key"} & shown["headers"].keys()
        assert TOKEN not in answer.decode()

    def test_the_answer_comes_back_as_it_is(self, relay):
        status, headers, _ = raw(relay, "GET", "/p/box/echo/teapot")
        assert status == 418
        assert headers["x-vendor"] == "kept"
        assert not {"set-cookie", "x-hop"} & {name.lower() for name in headers}
        assert headers["Content-Security-Policy"].startswith("sandbox")
        assert headers["X-Content-Type-Options"] == "nosniff"

    def test_head_has_no_body(self, relay):
        status, headers, body = raw(relay, "HEAD", "/p/box/echo")
        assert (status, body) == (200, b"")
        assert int(headers["content-length"]) > 0

    def test_the_version_may_be_said_again(self, relay):
        shown = json.loads(raw(relay, "GET", "/p/box/v1/echo")[2])
        assert shown["target"] == "/v1/echo"

    @pytest.mark.parametrize(
        "tail",
        [
            "../admin",
            "echo/../../admin",
            "echo/%2e%2e/x",
            "echo/%252e%252e/x",
            "echo/.%2e;x/y",
            "echo%2f..%2fx",
            "echo/..%5cx",
            "/evil.example/x",
            "echo//x",
            "echo/%0d%0aX-Evil:1",
            "echo/a%00b",
        ],
    )
    def test_no_path_leads_out_of_the_base_url(self, relay, tail):
        status, _, body = raw(relay, "GET", f"/p/box/{tail}")
        assert status == 404, body
        assert not relay.sandbox.requests

    def test_an_absolute_target_is_a_path_like_any_other(self, relay):
        shown = json.loads(raw(relay, "GET", "http://evil.example/p/box/echo")[2])
        assert shown["target"] == "/v1/echo"

    def test_it_is_off_unless_the_owner_allows_it(self, relay):
        status, _, body = raw(relay, "GET", "/p/codex/models")
        assert status == 501
        assert "providers.codex.passthrough" in body.decode()
        assert raw(relay, "GET", "/p/nobody/models")[0] == 404
        assert raw(relay, "GET", "/p/box/")[0] == 404
        assert raw(relay, "GET", "/p/box/v1/")[0] == 404

    def test_it_wants_the_key(self, relay):
        assert relay.get("/p/box/echo", token=None).status_code == 401

    def test_an_unknown_route_goes_to_the_provider_of_its_model(self, relay):
        answer = relay.ok("/v1/echo/rerank?deep=1", {"model": MODEL, "query": "q"})
        assert answer["target"] == "/v1/echo/rerank?deep=1"
        sent = json.loads(base64.b64decode(answer["body"]))
        assert sent == {"model": "sandbox-small", "query": "q"}
        assert relay.refusal("/v1/echo/rerank", {"query": "q"}, 404)
        assert relay.refusal("/v1/rerank", {"model": "gpt-5.5"}, 501)


def test_the_model_must_be_named_where_the_default_provider_has_the_operation(start_relay):
    relay = start_relay(DEFAULT_PROVIDER="box")
    for model in (None, "", 7, " "):
        error = relay.refusal("/v1/embeddings", {"model": model, "input": "a"})
        assert error["param"] == "model"
    answer = relay.request("POST", "/v1/audio/transcriptions", files={"file": b"abc"})
    assert error_of(answer)["param"] == "model"


def test_another_account_of_the_provider_is_asked_and_never_another_model(start_relay):
    relay = start_relay(
        PROVIDERS_BOX_API_KEYS="a-key-that-is-refused",
        PROVIDERS_BOX_PASSTHROUGH="true",
        ROUTING_FALLBACKS='{"*": "box/sandbox-large"}',
    )
    form = {"model": (None, MODEL), "file": ("a.wav", b"x" * 2_000_000)}
    for _ in range(6):
        answer = relay.post("/v1/embeddings", {"model": MODEL, "input": "a"})
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-airelays-route"] == MODEL
        answer = relay.request("POST", "/v1/audio/transcriptions", files=form)
        assert "heard a.wav: 2000000 bytes" in answer.json()["text"]
    keys = [each.headers["authorization"] for each in relay.sandbox.requests]
    assert 0 < keys.count("Bearer a-key-that-is-refused") < 4
    relay.sandbox.reset()
    relay.sandbox.script("status", status=500, path="/v1/embeddings", times=9)
    relay.refusal("/v1/embeddings", {"model": MODEL, "input": "a"}, 500)
    asked = relay.sandbox.requests.to("/v1/embeddings")
    assert {each.json["model"] for each in asked} == {"sandbox-small"}
    for _ in range(4):
        assert relay.get("/p/box/echo").status_code == 200


def test_in_an_open_relay_it_still_wants_the_key(start_relay):
    relay = start_relay(PROVIDERS_BOX_PASSTHROUGH="true", REQUIRE_BEARER_AUTH="false")
    assert relay.get("/p/box/echo", token=None).status_code == 401
    assert relay.get("/p/box/echo").status_code == 200
    unknown = {"model": MODEL, "query": "q"}
    assert relay.post("/v1/echo/rerank", unknown, token=None).status_code == 401
    assert relay.post("/v1/echo/rerank", unknown).status_code == 200
