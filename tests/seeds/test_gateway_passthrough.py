"""Provider passthrough: ``/p/{provider}/...`` in seven methods, opaque both ways.

What the client sends is what the provider gets, and the other way round: status, headers, bytes,
refusals included. Only the credentials are others. A leading ``v1/`` may be left out.
"""

import json

import pytest

from tests.conftest import TOKEN
from tests.seeds.gateway import MODELS, chat, messages
from tests.web.test_relayed import raw

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@pytest.fixture(scope="module")
def module_relay(gateway):
    return gateway


@pytest.mark.parametrize("method", METHODS)
def test_every_method_arrives(relay, method):
    status, _, body = raw(relay, method, "/p/box/echo/a?b=c", b"said" * (method != "GET"))

    shown = json.loads(body)
    assert (status, shown["method"], shown["target"]) == (200, method, "/v1/echo/a?b=c")


def test_head_arrives_and_has_no_body(relay):
    status, headers, body = raw(relay, "HEAD", "/p/box/echo")

    assert (status, body) == (200, b"")
    assert relay.sandbox.requests[-1].method == "HEAD"
    assert int(headers["content-length"]) > 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/p/box/chat/completions", chat(MODELS["box"], stream=True)),
        ("/p/box/v1/chat/completions", chat(MODELS["box"])),
        ("/p/anthropic/messages", messages(MODELS["anthropic"])),
        ("/p/anthropic/v1/messages", messages(MODELS["anthropic"], stream=True)),
    ],
)
def test_the_vendor_s_own_call_is_the_vendor_s_own_answer(relay, path, body):
    answer = relay.post(path, body, headers={"anthropic-version": "2023-06-01"})

    assert answer.status_code == 200, answer.text
    assert "Hi" in answer.text
    sent = relay.sandbox.requests[-1]
    assert sent.json == body
    assert TOKEN not in str(sent.headers)
    assert sent.headers["anthropic-version"] == "2023-06-01"
    own = {relay.sandbox.compatible_key, relay.sandbox.anthropic_key}
    assert any(key in value for key in own for value in sent.headers.values())


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/p/box/chat/completions", 400, "missing_required_parameter"),
        ("/p/box/no/such/thing", 404, "Not Found"),
        ("/p/anthropic/messages", 400, "invalid_request_error"),
    ],
)
def test_a_refusal_is_opaque_too(relay, path, status, words):
    answer = relay.post(path, {})

    assert answer.status_code == status
    assert words in answer.text
    own = answer.json()
    assert "request_id" not in own or own["request_id"] != answer.headers["x-request-id"]


def test_a_large_body_arrives_whole(relay):
    said = bytes(range(256)) * 20_000

    status, _, body = raw(relay, "PUT", "/p/box/echo", said)

    assert status == 200
    assert relay.sandbox.requests[-1].body == said
    assert len(body) > len(said)
