"""What a request asks for and the upstream's dialect cannot say is disclosed, never just dropped.

null and false ask for nothing, so there is nothing to disclose. A translated request is never
stored upstream: only a Responses client may expect that, and the relay itself keeps its replies.
"""

import pytest

from airelays_app.dialects import DIALECTS

MINIMAL = {
    "responses": {"model": "m", "input": "Hi"},
    "chat": {"model": "m", "messages": [{"role": "user", "content": "Hi"}]},
    "completions": {"model": "m", "prompt": "Hi"},
    "messages": {"model": "m", "messages": [{"role": "user", "content": "Hi"}]},
}
TARGETS = [name for name, dialect in DIALECTS.items() if dialect.encode_request]
ANY_PAIR = [(source, target) for source in MINIMAL for target in TARGETS if source != target]


def translated(source, target, **fields):
    """Return the body for the upstream and the paths that are disclosed."""
    request, losses = DIALECTS[source].decode_request(MINIMAL[source] | fields)
    body, further = DIALECTS[target].encode_request(request)
    return body, {loss.path for loss in (*losses, *further)}


@pytest.mark.parametrize(("source", "target"), ANY_PAIR)
@pytest.mark.parametrize("name", ["store", "an_unknown_field"])
def test_what_no_dialect_carries_over_is_disclosed(source, target, name):
    told = name in translated(source, target, **{name: True})[1]

    assert told or (source, name) == ("responses", "store")


@pytest.mark.parametrize(("source", "target"), ANY_PAIR)
@pytest.mark.parametrize("nothing", [None, False])
def test_what_asks_for_nothing_is_not_disclosed(source, target, nothing):
    assert not translated(source, target, store=nothing, an_unknown_field=nothing)[1]


@pytest.mark.parametrize("source", ["chat", "completions", "responses"])
def test_a_translated_request_is_not_stored_upstream(source):
    assert translated(source, "responses")[0]["store"] is False


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("include", ["reasoning.encrypted_content"]),
        ("prompt_cache_retention", "24h"),
        ("client_metadata", {"session": "1"}),
        ("truncation", "auto"),
    ],
)
def test_what_only_responses_can_say_is_disclosed_to_its_clients(name, value):
    body, disclosed = translated("responses", "chat", **{name: value})
    assert name in disclosed
    assert name not in body
