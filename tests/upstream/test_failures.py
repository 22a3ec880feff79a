"""A failure's kind follows statuses and whole labels; its body is passed on as structure."""

import json

import pytest

from airelays_app.neutral.failure import error_of, failure_of
from airelays_app.upstream.failures import FailureRules, classify, classify_event

RULES = FailureRules(
    limit=frozenset({"usage_limit_reached", "rate_limit_exceeded"}),
    client=frozenset({"invalid_request_error", "context_length_exceeded"}),
    auth=frozenset({"token_expired"}),
    client_sentences=("image input is not supported",),
)
NOW = 1_800_000_000.0


def answered(status, body=b"", headers=None):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return classify(status, headers or {}, raw, RULES, now=lambda: NOW)


def in_stream(event):
    return classify_event(event, RULES, now=lambda: NOW)


@pytest.mark.parametrize(
    ("status", "kind", "shown"),
    [
        (400, "client", 400),
        (404, "client", 404),
        (413, "client", 413),
        (422, "client", 422),
        (402, "limit", 402),
        (429, "limit", 429),
        (401, "auth", 503),
        (403, "auth", 503),
        (408, "other", 408),
        (500, "other", 500),
        (503, "other", 503),
        (529, "other", 529),
        (302, "other", 502),
        (200, "other", 502),
    ],
)
def test_a_status_alone_decides(status, kind, shown):
    failure = answered(status)
    assert (failure.kind, failure.status) == (kind, shown)
    assert str(status) in failure.message


@pytest.mark.parametrize("status", [400, 403, 404, 429])
def test_what_the_words_decide_is_not_decided_again_by_the_status(status):
    """On its way from the answer to whoever looks for another account a failure is raised."""
    failure = answered(status, {"code": "usage_limit_reached"})
    assert failure_of(error_of(failure)).kind == "limit"


@pytest.mark.parametrize(
    ("status", "error", "kind", "shown"),
    [
        (403, {"code": "usage_limit_reached"}, "limit", 403),
        (413, {"code": "usage_limit_reached"}, "client", 413),
        (400, {"type": "usage_limit_reached"}, "limit", 400),
        (429, {"type": "invalid_request_error"}, "limit", 429),
        (401, {"type": "invalid_request_error", "code": "invalid_api_key"}, "auth", 503),
        (400, {"code": "TOKEN_EXPIRED"}, "auth", 503),
        (500, {"code": "context_length_exceeded"}, "client", 400),
        (503, {"status": "rate_limit_exceeded", "code": 503}, "limit", 503),
    ],
)
def test_labels_go_before_the_status_limits_first(status, error, kind, shown):
    failure = answered(status, {"error": error})
    assert (failure.kind, failure.status) == (kind, shown)


@pytest.mark.parametrize("where", ["message", "detail", "param"])
def test_a_marker_echoed_in_a_400_stays_the_clients_error(where):
    text = "usage_limit_reached: your prompt said rate_limit_exceeded and token_expired"
    body = {"detail": text} if where == "detail" else {"error": {where: text}}
    assert answered(400, body).kind == "client"


def test_how_a_sentence_of_the_servers_own_begins_may_decide():
    """llama.cpp answers 500 to an image that its model cannot see."""
    error = {"code": 500, "type": "server_error", "message": "image input is not supported - hint"}
    for failure in (answered(500, {"error": error}), in_stream({"error": error})):
        assert (failure.kind, failure.status) == ("client", 400)
        assert (failure.type, failure.code) == ("invalid_request_error", None)
    echoed = {**error, "message": "Cannot read: image input is not supported"}
    assert answered(500, {"error": echoed}).kind == "other"


def test_labels_are_compared_whole():
    assert answered(400, {"error": {"code": "not_usage_limit_reached"}}).kind == "client"
    assert answered(500, {"error": {"code": "context_length_exceeded_maybe"}}).kind == "other"


def test_the_error_object_is_passed_on_as_structure():
    failure = answered(
        429,
        {
            "error": {
                "message": "The usage limit has been reached",
                "type": "usage_limit_reached",
                "code": "quota",
                "param": "model",
                "plan_type": "plus",
                "resets_in_seconds": 9999,
                "nested": {"a": [1]},
            }
        },
    )
    assert failure.message == "The usage limit has been reached"
    assert (failure.type, failure.code, failure.param) == (
        "usage_limit_reached",
        "quota",
        "model",
    )
    assert failure.extra == {
        "plan_type": "plus",
        "resets_in_seconds": 9999,
        "nested": {"a": [1]},
    }
    assert failure.retry_after == 9999


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        ({"detail": "Unsupported model"}, "Unsupported model", None),
        (
            {"detail": [{"loc": ["body", "n"], "msg": "too big", "type": "x"}, {"msg": "bad"}]},
            "body.n: too big; bad",
            None,
        ),
        ({"detail": {"message": "No"}}, "No", None),
        ({"message": "Not here", "code": "gone"}, "Not here", "gone"),
        ([{"error": {"message": "Quota", "code": 429, "status": "SPENT"}}], "Quota", "SPENT"),
        ({"error": {"message": "Bad", "code": 7}}, "Bad", "7"),
        ({"error": "model not found"}, "model not found", None),
        (
            {"error": "invalid_grant", "error_description": "Token has expired"},
            "Token has expired",
            "invalid_grant",
        ),
        ({"errors": [{"message": "First"}, {"message": "Second"}]}, "First", None),
        (b"Slow down,\n please", "The upstream answered 400 Bad Request: Slow down, please", None),
    ],
)
def test_every_known_shape_gives_its_message(body, message, code):
    failure = answered(400, body)
    assert (failure.message, failure.code) == (message, code)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>secret page</body></html>",
        b"  <!doctype html>secret page",
        b"\xff\xfe secret page",
        b"[]",
        b"null",
        b'"secret page"'[:-1] + b"\x00",
        b"[1, 2]",
        b'{"error": null}',
        b'{"error": {"message": 5, "code": true, "type": []}}',
        b'{"detail": 5}',
        b'{"detail": [5, {"msg": 5}]}',
        b'{"errors": []}',
        b"[" * 10_000,
        b"secret page " * 100,
    ],
)
def test_a_body_without_a_message_gives_the_status_phrase(body):
    failure = answered(502, body)
    assert failure.message.startswith("The upstream answered 502 Bad Gateway")
    assert "secret" not in failure.message
    assert (failure.kind, failure.type, failure.code) == ("other", "upstream_error", None)


def test_a_challenge_page_is_called_one_and_blames_no_login():
    failure = answered(403, b"<html>", {"content-type": "text/html"})
    assert (failure.kind, failure.status) == ("other", 502)
    assert "challenge" in failure.message


def test_a_redirect_names_the_base_url():
    assert "base URL" in answered(301).message


@pytest.mark.parametrize(
    ("headers", "error", "seconds"),
    [
        ({"retry-after": "30"}, {}, 30),
        ({"retry-after": "0.2"}, {}, 1),
        ({"retry-after-ms": "1500"}, {}, 2),
        ({"retry-after": "Fri, 15 Jan 2027 08:01:00 GMT"}, {}, 60),
        ({"retry-after": "Fri, 15 Jan 2021 08:01:00 GMT"}, {}, 0),
        ({"retry-after": "soon"}, {}, None),
        ({"retry-after": "inf"}, {"resets_in_seconds": "nan"}, None),
        ({}, {"resets_in_seconds": 12.1}, 13),
        ({}, {"resets_at": NOW + 77}, 77),
        ({}, {"resets_at": (NOW + 77) * 1000}, 77),
        ({}, {"details": [{}, 5, {"retryDelay": "34.5s"}, {"retryDelay": 3}]}, 35),
        ({"retry-after": "5"}, {"resets_in_seconds": 9999, "resets_at": NOW + 10}, 9999),
        ({}, {"resets_in_seconds": True, "resets_at": None}, None),
        ({}, {"resets_in_seconds": 10**400}, None),
    ],
)
def test_the_longest_signal_says_when_to_retry(headers, error, seconds):
    assert answered(429, {"error": error}, headers).retry_after == seconds


@pytest.mark.parametrize(
    ("event", "kind", "status"),
    [
        ({"type": "error", "code": "rate_limit_exceeded", "message": "m"}, "limit", 429),
        ({"response": {"error": {"code": "context_length_exceeded"}}}, "client", 400),
        ({"error": {"type": "invalid_request_error"}}, "client", 400),
        ({"error": {"code": "strange", "param": "input[0]"}}, "client", 400),
        ({"error": {"code": "rate_limit_exceeded", "param": "input[0]"}}, "limit", 429),
        ({"error": {"code": "token_expired"}}, "auth", 503),
        ({"error": {"code": "server_error", "param": ""}}, "other", 502),
        ({"error": {"message": "rate_limit_exceeded invalid_request_error"}}, "other", 502),
        ({"response": {"error": None}, "error": None}, "other", 502),
        ({}, "other", 502),
        ({"error": "overloaded"}, "other", 502),
    ],
)
def test_a_failure_inside_a_stream(event, kind, status):
    failure = in_stream(event)
    assert (failure.kind, failure.status) == (kind, status)
    assert failure.message


def test_an_event_that_is_its_own_error_keeps_no_event_fields():
    failure = in_stream(
        {"type": "error", "sequence_number": 4, "code": "x", "message": "Stop", "hint": 1}
    )
    assert failure.message == "Stop"
    assert (failure.type, failure.code) == ("upstream_error", "x")
    assert failure.extra == {"hint": 1}


def test_an_error_object_of_a_stream_keeps_its_further_fields():
    failure = in_stream({"error": {"code": "usage_limit_reached", "resets_in_seconds": 5}})
    assert failure.extra == {"resets_in_seconds": 5}
    assert failure.retry_after == 5


def test_what_an_upstream_repeats_of_our_key_is_hidden_wherever_it_stands():
    key = "sk-the-key-it-was-sent"
    error = {"message": f"no {key}", "type": key, "code": key, "param": key, "seen": [{key: key}]}
    answered = classify(401, {}, json.dumps({"error": error}).encode(), RULES, secrets=(key,))
    streamed = classify_event({"error": error}, RULES, secrets=(key,))
    plain = classify(
        400, {"content-type": "text/plain"}, f"no {key}".encode(), RULES, secrets=(key,)
    )
    assert key not in f"{answered}{streamed}{plain}"
    assert answered.message == "no [hidden]"
    assert streamed.extra == {"seen": [{"[hidden]": "[hidden]"}]}
