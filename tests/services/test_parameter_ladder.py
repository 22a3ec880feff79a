"""What becomes of a parameter: carried, honoured here, left out and disclosed, or refused by name.

Never anything else: for every field that the routes know, on every kind of upstream.
"""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.providers.base import FieldRules
from airelays_app.providers.codex.body import field_rules
from airelays_app.schemas.generation import build_schema
from airelays_app.services.parameters import disclosure, without_ignored
from tests.seeds.asking import (
    ADD,
    ADD_SCHEMA,
    CHAT,
    CHAT_ADD,
    COMPLETIONS,
    IGNORED,
    RESPONSES,
    question,
    streamed_text,
)

PATHS = {"responses": RESPONSES, "chat": CHAT, "completions": COMPLETIONS}
UPSTREAMS = ["gpt-5.5", "box/sandbox-small", "plain/sandbox-small"]
QUESTION = {"model", "input", "messages", "prompt"}
NAMED = {"type": "json_schema", "name": "sentinel", "schema": ADD_SCHEMA}
NESTED = {"type": "json_schema", "json_schema": {"name": "sentinel", "schema": ADD_SCHEMA}}
FUNCTION = {"name": "add", "parameters": ADD_SCHEMA}

# A value that asks for something, and what shows in the upstream's body that it was carried.
SAMPLES = {
    "stream": (True, '"stream":true'),
    "temperature": (0.123, "0.123"),
    "top_p": (0.456, "0.456"),
    "presence_penalty": (0.789, "0.789"),
    "frequency_penalty": (0.321, "0.321"),
    "seed": (4711, "4711"),
    "logit_bias": ({"4711": 1}, "4711"),
    "stop": (["never-said"], "never-said"),
    "metadata": ({"sentinel": "x"}, "sentinel"),
    "user": ("sentinel", "sentinel"),
    "safety_identifier": ("sentinel", "sentinel"),
    "service_tier": ("priority", "priority"),
    "prompt_cache_key": ("sentinel", "sentinel"),
    "prompt_cache_retention": ("24h", "24h"),
    "instructions": ("sentinel", "sentinel"),
    "tools": ([ADD], '"add"'),
    "tool_choice": ("required", '"required"'),
    "functions": ([FUNCTION], '"add"'),
    "function_call": ({"name": "add"}, '"add"'),
    "parallel_tool_calls": (False, '"parallel_tool_calls":false'),
    "text": ({"format": NAMED}, "sentinel"),
    "response_format": (NESTED, "sentinel"),
    "verbosity": ("low", '"low"'),
    "reasoning": ({"effort": "high"}, '"high"'),
    "reasoning_effort": ("high", '"high"'),
    "include": (["reasoning.encrypted_content"], "encrypted_content"),
    "max_output_tokens": (4711, "4711"),
    "max_completion_tokens": (4711, "4711"),
    "max_tokens": (4711, "4711"),
    "top_logprobs": (3, '"top_logprobs":3'),
    "store": (True, '"store":true'),
    "truncation": ("auto", '"truncation"'),
    "previous_response_id": ("resp_sentinel", "resp_sentinel"),
    "background": (True, '"background":true'),
    "stream_options": ({"include_usage": True}, '"include_usage":true'),
    "n": (2, '"n":2'),
    "best_of": (2, '"best_of"'),
    "echo": (True, '"echo"'),
    "suffix": ("sentinel", "sentinel"),
    "modalities": (["text", "audio"], "audio"),
    "audio": ({"voice": "alloy", "format": "wav"}, "alloy"),
    "prediction": ({"type": "content", "content": "sentinel"}, "sentinel"),
    "logprobs": (True, '"logprobs":true'),
    "a_field_of_tomorrow": ("sentinel", "sentinel"),
}
NEEDS = {
    "tool_choice": {"tools": [CHAT_ADD]},
    "parallel_tool_calls": {"tools": [CHAT_ADD]},
    "function_call": {"functions": [FUNCTION]},
}
OTHERS = {"a_field_of_tomorrow", "prompt_cache_retention"}
"""Fields that reach the dialects without a schema."""
HONOURED = {"stream", "stream_options", "stop"}
"""What the relay itself does, so that the upstream need not."""
KEPT = {(RESPONSES, "store"), (RESPONSES, "background")}
"""What the relay's own store does; its tests tell what."""


def known_fields(dialect):
    return set(build_schema(dialect, FieldRules(), refuses_tools=False).fields) - QUESTION


def asking(path, name):
    value, _ = SAMPLES[name]
    if (path, name) == (COMPLETIONS, "logprobs"):
        value = 3
    more = {
        field: [ADD] if path == RESPONSES and field == "tools" else other
        for field, other in NEEDS.get(name, {}).items()
    }
    return {name: value, **more}


CASES = [
    pytest.param(PATHS[dialect], model, name, id=f"{dialect} to {model}: {name}")
    for dialect in PATHS
    for model in UPSTREAMS
    for name in sorted({*known_fields(dialect), *OTHERS} - {"conversation"})
]


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay with a server that speaks Responses only."""
    return start_relay(plain="responses")


@pytest.mark.parametrize("dialect", PATHS)
def test_there_is_a_sample_of_every_field_that_a_route_knows(dialect):
    assert known_fields(dialect) - {"conversation"} <= SAMPLES.keys()


@pytest.mark.parametrize(("path", "model", "name"), CASES)
def test_nothing_is_dropped_silently(relay, path, model, name):
    body = question(path, model=model, **asking(path, name))

    answer = relay.post(path, body)

    if answer.status_code == 422 or "previous_response_not_found" in answer.text:
        assert answer.json()["error"]["param"].partition(".")[0] == name
        assert len(relay.sandbox.requests) == 0
        return
    if (path, name) in KEPT:
        assert answer.status_code == 200
        assert IGNORED not in answer.headers
        assert relay.sandbox.requests.wait_for(1)
        return
    sent = relay.sandbox.requests[-1].body.decode()
    carried = SAMPLES[name][1] in sent
    disclosed = name in answer.headers.get(IGNORED, "").split(",")
    told_back = name == "metadata" and "sentinel" in answer.text
    assert carried != disclosed or name in HONOURED or told_back
    # What is carried may be refused by the upstream, in its own words.
    if answer.status_code != 200:
        assert carried
        assert name in answer.json()["error"]["message"] or name == "n"


@pytest.mark.parametrize(
    ("hint", "disclosed"),
    [
        ({"truncation": "auto"}, True),
        ({"prompt_cache_retention": "24h"}, True),
        ({"service_tier": "flex"}, True),
        ({"service_tier": "auto"}, False),
        ({"service_tier": "default"}, False),
        ({"service_tier": "priority"}, False),
        ({"background": False}, False),
        ({"stream_options": {"include_obfuscation": False}}, True),
        ({"metadata": {"a": "b"}}, False),
        ({"metadata": {}}, False),
    ],
    ids=str,
)
def test_hints_that_the_subscription_refuses_fail_no_request(relay, hint, disclosed):
    """n8n sends ``background: false``, VS Code ``truncation``."""
    answer = relay.post(RESPONSES, question(RESPONSES, **hint))

    assert answer.status_code == 200, answer.text
    assert answer.headers.get(IGNORED) == (next(iter(hint)) if disclosed else None)


def test_a_system_message_among_the_items_steers_the_subscription_too(relay):
    """The backend knows only developer messages."""
    items = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "[[say Hi]]"}]

    relay.ok(RESPONSES, {"model": "gpt-5.5", "input": items})

    assert relay.asked()["input"] == [{"role": "developer", "content": "Be brief."}, items[1]]


def test_tools_without_a_choice_leave_it_to_the_model(relay):
    """The backend wants to be told so."""
    relay.ok(RESPONSES, question(RESPONSES, tools=[ADD]))

    assert relay.asked()["tool_choice"] == "auto"


@pytest.mark.parametrize("dialect", PATHS)
@pytest.mark.parametrize("stream", [False, True])
def test_all_that_the_subscription_ignores_is_disclosed_together(relay, dialect, stream):
    ignored = {
        name: asking(PATHS[dialect], name)[name]
        for name in sorted(field_rules(dialect, "reject").ignored - {"stop", "background"})
    }

    answer = relay.post(PATHS[dialect], question(PATHS[dialect], **ignored, stream=stream))

    assert answer.status_code == 200, answer.text
    assert answer.headers[IGNORED].split(",") == list(ignored)
    assert not relay.asked().keys() & ignored.keys()


@pytest.mark.parametrize("model", UPSTREAMS)
@pytest.mark.parametrize("dialect", PATHS)
def test_null_everywhere_is_nothing_set(relay, dialect, model):
    nothing = dict.fromkeys(sorted(known_fields(dialect)))

    answer = relay.post(PATHS[dialect], question(PATHS[dialect], model=model, **nothing))

    assert answer.status_code == 200, answer.text
    assert IGNORED not in answer.headers


@pytest.mark.parametrize("path", [RESPONSES, CHAT])
def test_a_field_that_nobody_knows_goes_to_a_server_of_the_same_dialect(relay, path):
    model = "plain/sandbox-small" if path == RESPONSES else "box/sandbox-small"

    answer = relay.post(path, question(path, model=model, a_field_of_tomorrow={"a": [1]}))

    assert relay.sandbox.requests[-1].json["a_field_of_tomorrow"] == {"a": [1]}
    assert IGNORED not in answer.headers


LIMITS = [
    (RESPONSES, "max_output_tokens"),
    (CHAT, "max_completion_tokens"),
    (COMPLETIONS, "max_tokens"),
]
every_limit = pytest.mark.parametrize(("path", "name"), LIMITS)


@pytest.fixture(scope="module")
def ignoring(start_relay):
    """Return a relay that leaves token limits out."""
    return start_relay(COMPAT_TOKEN_LIMITS="ignore")


@pytest.fixture(scope="module")
def forwarding(start_relay):
    """Return a relay that sends token limits, whatever the backend thinks of them."""
    return start_relay(COMPAT_TOKEN_LIMITS="forward")


@every_limit
@pytest.mark.parametrize("stream", [False, True])
def test_token_limits_may_be_left_out_and_disclosed(ignoring, path, name, stream):
    answer = ignoring.post(path, question(path, **{name: 10}, stream=stream))

    assert answer.status_code == 200, answer.text
    assert answer.headers[IGNORED] == name
    assert not ignoring.asked().keys() & {name, "max_output_tokens"}


@every_limit
def test_they_may_be_sent_and_the_upstream_says_what_it_thinks(forwarding, path, name):
    error = forwarding.refusal(path, question(path, **{name: 10}), 400)

    assert forwarding.asked()["max_output_tokens"] == 10
    assert "max_output_tokens" in error["message"]


def test_the_older_limit_of_chat_is_sent_too(forwarding):
    forwarding.refusal(CHAT, question(CHAT, max_tokens=10), 400)

    assert forwarding.asked()["max_output_tokens"] == 10


@every_limit
@pytest.mark.parametrize("model", UPSTREAMS[1:])
def test_other_providers_honour_token_limits(relay, path, name, model):
    body = question(path, "[[say One two three]]", model=model, **{name: 2})

    assert streamed_text(path, relay.events(path, body)) == "One two"


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@given(st.lists(names, max_size=30))
def test_the_header_is_printable_and_says_each_name_once(given):
    value = disclosure(given)

    assert value.isascii()
    assert value.isprintable()
    assert len(value) <= 2048 + len(",...")
    if not value.endswith(",..."):
        assert [unquote(name) for name in value.split(",") if name] == list(dict.fromkeys(given))


def test_a_long_header_is_cut_between_names():
    value = disclosure(f"parameter_{n}" for n in range(1000))

    *whole, last = value.split(",")
    assert last == "..."
    assert whole == [f"parameter_{n}" for n in range(len(whole))]
    assert len(value) > 2000


def test_what_asks_for_nothing_goes_without_a_word():
    body = {"a": None, "b": False, "c": 0, "d": "", "e": 1}

    assert without_ignored(body, frozenset("abcd")) == ({"e": 1}, ("c", "d"))
    assert without_ignored(body, frozenset("xyz")) == (body, ())
