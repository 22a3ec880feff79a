"""``POST /v1/completions``: the older shape, a prompt in and text out.

It streams or not, takes part in conversations, and knows the usual controls; what one prompt and
one answer cannot be is refused by name before the upstream is called.
"""

import pytest

from tests.seeds.asking import COMPLETIONS, IGNORED, MODEL, question, streamed_text

PATHS = [COMPLETIONS, "/no-tools/v1/completions"]


def ask(relay, text="[[say Hi]]", **more):
    return relay.ok(COMPLETIONS, question(COMPLETIONS, text, **more))


@pytest.mark.parametrize("path", PATHS)
def test_a_prompt_goes_in_and_text_comes_out(relay, path):
    answer = relay.ok(path, question(path, "[[say One two]]"))

    assert answer["object"] == "text_completion"
    assert answer["model"] == MODEL
    assert type(answer["created"]) is int
    assert answer["id"].startswith("cmpl-")
    assert answer["choices"] == [
        {"text": "One two", "index": 0, "logprobs": None, "finish_reason": "stop"}
    ]
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0


def test_the_upstream_gets_one_user_message_and_no_tools(relay):
    ask(relay, "Once upon a time")

    sent = relay.asked()
    (item,) = sent["input"]
    assert (item["role"], item["content"]) == (
        "user",
        [{"type": "input_text", "text": "Once upon a time"}],
    )
    assert (sent["tools"], sent["tool_choice"]) == ([], "none")
    assert (sent["stream"], sent["store"], sent["instructions"]) == (True, False, ".")


@pytest.mark.parametrize("path", PATHS)
def test_a_stream_is_chunks_of_text_a_reason_and_done(relay, path):
    events = relay.events(path, question(path, "[[say One two three]]"))

    *chunks, last, done = [event.data for event in events]
    assert done == "[DONE]"
    assert len(chunks) > 1
    assert streamed_text(COMPLETIONS, events) == "One two three"
    assert {chunk["object"] for chunk in [*chunks, last]} == {"text_completion"}
    assert len({chunk["id"] for chunk in [*chunks, last]}) == 1
    assert {chunk["choices"][0]["finish_reason"] for chunk in chunks} == {None}
    assert last["choices"][0] == {
        "text": "",
        "index": 0,
        "logprobs": None,
        "finish_reason": "stop",
    }
    assert not [chunk for chunk in chunks if "usage" in chunk]


def test_usage_comes_with_the_stream_when_asked_for(relay):
    body = question(COMPLETIONS, stream_options={"include_usage": True})

    *chunks, last, _ = [event.data for event in relay.events(COMPLETIONS, body)]

    assert {chunk["usage"] for chunk in chunks} == {None}
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] > 0


def test_stop_ends_the_text_though_the_upstream_knows_no_stop(relay):
    answer = ask(relay, "[[say One two three four]]", stop="three")

    assert answer["choices"][0]["text"] == "One two "
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert "stop" not in relay.asked()


def test_stop_ends_a_stream_at_once_and_lets_the_upstream_go(relay):
    body = question(COMPLETIONS, "[[behave slow 0.01]] [[long 100000]]", stop=["never", "12 1"])

    events = relay.events(COMPLETIONS, body)

    assert streamed_text(COMPLETIONS, events) == "".join(f"{n} " for n in range(12))
    assert events[-2].data["choices"][0]["finish_reason"] == "stop"
    assert events[-1].data == "[DONE]"
    (asked,) = relay.sandbox.requests
    assert relay.sandbox.requests.wait_closed(asked)
    assert asked.closed_early


@pytest.mark.parametrize("stream", [False, True])
def test_metadata_is_told_back_though_the_upstream_keeps_none(relay, stream):
    answer = relay.post(COMPLETIONS, question(COMPLETIONS, metadata={"run": "7"}, stream=stream))

    assert answer.status_code == 200
    assert IGNORED not in answer.headers
    assert "metadata" not in relay.asked()
    assert '"metadata":{"run":"7"}' in answer.text


def test_user_is_left_out_and_that_is_disclosed(relay):
    whole = relay.post(COMPLETIONS, question(COMPLETIONS, user="me", seed=7))
    streamed = relay.post(COMPLETIONS, question(COMPLETIONS, user="me", seed=7, stream=True))

    for answer in (whole, streamed):
        assert answer.headers[IGNORED] == "user,seed"
    assert not relay.asked().keys() & {"user", "seed"}


def test_a_conversation_is_remembered(relay):
    conversation = relay.ok("/v1/conversations", {})["id"]

    ask(relay, "[[say first]]", conversation=conversation)
    ask(relay, "[[say second]]", conversation={"id": conversation}, stream=None)

    texts = [part["text"] for item in relay.asked()["input"] for part in item["content"]]
    assert texts == ["[[say first]]", "first", "[[say second]]"]


REFUSED = {
    "n": 2,
    "max_tokens": 10,
    "best_of": 2,
    "echo": True,
    "logprobs": 0,
    "suffix": "and so on",
    "store": True,
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("stream", [False, True])
def test_what_cannot_be_done_is_refused_by_name(relay, name, stream):
    body = question(COMPLETIONS, stream=stream, **{name: REFUSED[name]})

    error = relay.refusal(COMPLETIONS, body)

    assert error["param"] == name
    assert error["type"] == "invalid_request_error"
    assert len(relay.sandbox.requests) == 0


@pytest.mark.parametrize(
    "harmless",
    [{"n": 1}, {"best_of": 1}, {"echo": False}, {"suffix": ""}, {"store": False}],
    ids=str,
)
def test_what_asks_for_nothing_passes(relay, harmless):
    assert ask(relay, **harmless)["choices"][0]["text"] == "Hi"


@pytest.mark.parametrize(
    "name", [*REFUSED, "stop", "metadata", "user", "temperature", "stream", "conversation"]
)
def test_null_is_not_set(relay, name):
    answer = relay.post(COMPLETIONS, question(COMPLETIONS, **{name: None}))

    assert answer.status_code == 200, answer.text
    assert IGNORED not in answer.headers


@pytest.mark.parametrize("prompt", [["a", "b"], [1, 2, 3], [[1]], 7, {"text": "a"}])
def test_one_prompt_only(relay, prompt):
    error = relay.refusal(COMPLETIONS, {"model": MODEL, "prompt": prompt})

    assert error["param"] == "prompt"


def test_a_list_of_one_prompt_is_one_prompt(relay):
    body = {"model": MODEL, "prompt": ["[[say Hi]]"]}

    assert relay.ok(COMPLETIONS, body)["choices"][0]["text"] == "Hi"


@pytest.mark.parametrize("body", [{"model": MODEL}, {"model": MODEL, "prompt": ""}])
def test_an_empty_prompt_is_a_prompt(relay, body):
    assert relay.ok(COMPLETIONS, body)["choices"][0]["text"]
