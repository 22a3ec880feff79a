"""``POST /v1/chat/completions`` on the subscription: messages in, a choice out.

Steering messages become instructions, the others input items, calls and their results call items;
streamed and whole, in local conversations. What the backend cannot do is refused by name, or left
out and disclosed.
"""

import json

import pytest

from tests.seeds.asking import (
    ADD_SCHEMA,
    CHAT,
    CHAT_ADD,
    IGNORED,
    MODEL,
    RESPONSES,
    question,
    sent_texts,
    streamed_text,
    user,
)

CALLS = '[[call add {"a": 1, "b": 2}]] [[call add {"a": 30, "b": 40}]]'


def ask(relay, messages, **more):
    return relay.ok(CHAT, {"model": MODEL, "messages": messages, **more})


def chunks_of(events):
    return [event.data for event in events if event.data != "[DONE]"]


def test_a_whole_answer_is_a_chat_completion(relay):
    answer = ask(relay, user("[[say One two]]"))

    assert answer["object"] == "chat.completion"
    assert answer["id"].startswith("chatcmpl-")
    assert type(answer["created"]) is int
    assert answer["model"] == MODEL
    assert answer["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "One two", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
    assert not usage.keys() & {"input_tokens", "output_tokens"}


def test_a_stream_is_chunks_a_reason_and_done(relay):
    events = relay.events(CHAT, question(CHAT, "[[say One two three]]"))

    assert [event.name for event in events] == [""] * len(events)
    assert events[-1].data == "[DONE]"
    chunks = chunks_of(events)
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert sum("role" in chunk["choices"][0]["delta"] for chunk in chunks) == 1
    assert streamed_text(CHAT, events) == "One two three"
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
    assert reasons == [None] * (len(chunks) - 1) + ["stop"]
    assert not [chunk for chunk in chunks if "usage" in chunk]


def test_usage_is_a_last_chunk_without_choices_when_asked_for(relay):
    body = question(CHAT, stream_options={"include_usage": True})

    *chunks, last = chunks_of(relay.events(CHAT, body))

    assert {chunk["usage"] for chunk in chunks} == {None}
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] > 0


def test_steering_messages_become_instructions_in_their_order(relay):
    messages = [
        {"role": "system", "content": "Be brief."},
        *user("[[say Hi]]"),
        {
            "role": "developer",
            "content": [{"type": "text", "text": "In"}, {"type": "text", "text": "Latin."}],
        },
    ]

    ask(relay, messages, instructions="Be kind.")

    sent = relay.asked()
    assert sent["instructions"] == "Be kind.\n\nBe brief.\n\nIn\nLatin."
    assert [item["role"] for item in sent["input"]] == ["user"]


def test_without_any_the_least_that_is_accepted_is_sent(relay):
    ask(relay, user("[[say Hi]]"))

    assert relay.asked()["instructions"] == "."


def test_steering_alone_is_still_a_question(relay):
    """The backend refuses an empty input."""
    ask(relay, [{"role": "system", "content": "Say hello."}])

    (item,) = relay.asked()["input"]
    assert (item["role"], item["content"][0]["text"]) == ("developer", "Say hello.")


def test_user_and_assistant_messages_become_input_items(relay):
    messages = [
        *user("One"),
        {"role": "assistant", "content": "Two", "refusal": None},
        {"role": "assistant", "content": None, "refusal": "Never"},
        *user([{"type": "text", "text": "Three"}, {"type": "text", "text": "[[say Hi]]"}]),
    ]

    ask(relay, messages)

    assert [(item["role"], item["content"]) for item in relay.asked()["input"]] == [
        ("user", [{"type": "input_text", "text": "One"}]),
        ("assistant", [{"type": "output_text", "text": "Two"}]),
        ("assistant", [{"type": "refusal", "refusal": "Never"}]),
        (
            "user",
            [{"type": "input_text", "text": "Three"}, {"type": "input_text", "text": "[[say Hi]]"}],
        ),
    ]


@pytest.mark.parametrize(
    ("image", "detail"),
    [
        ({"url": "https://example.org/a.png", "detail": "low"}, "low"),
        ({"url": "https://example.org/a.png"}, "auto"),
        ("https://example.org/a.png", "auto"),
    ],
    ids=str,
)
def test_images_become_image_inputs(relay, image, detail):
    ask(relay, user([{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": image}]))

    assert relay.asked()["input"][0]["content"][1] == {
        "type": "input_image",
        "image_url": "https://example.org/a.png",
        "detail": detail,
    }


@pytest.mark.parametrize(
    "tool",
    [CHAT_ADD, {"type": "function", "name": "add", "parameters": ADD_SCHEMA}],
    ids=["nested", "flat"],
)
def test_calls_come_out_and_their_results_go_in(relay, tool):
    first = ask(relay, user(CALLS), tools=[tool])

    assert relay.asked()["tools"][0]["name"] == "add"
    assert relay.asked()["tool_choice"] == "auto"
    choice = first["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    message = choice["message"]
    assert message["content"] is None
    assert [call["type"] for call in message["tool_calls"]] == ["function", "function"]
    arguments = [json.loads(call["function"]["arguments"]) for call in message["tool_calls"]]
    assert arguments == [{"a": 1, "b": 2}, {"a": 30, "b": 40}]

    ids = [call["id"] for call in message["tool_calls"]]
    results = [
        {"role": "tool", "tool_call_id": ids[0], "content": "three"},
        {"role": "tool", "tool_call_id": ids[1], "content": [{"type": "text", "text": "seventy"}]},
    ]
    second = ask(relay, [*user(CALLS), message, *results], tools=[tool])

    assert "“three” and “seventy”" in second["choices"][0]["message"]["content"]
    sent = [item for item in relay.asked()["input"] if item["type"] != "message"]
    assert [(item["type"], item["call_id"]) for item in sent] == [
        ("function_call", ids[0]),
        ("function_call", ids[1]),
        ("function_call_output", ids[0]),
        ("function_call_output", ids[1]),
    ]
    assert json.loads(sent[0]["arguments"]) == {"a": 1, "b": 2}
    assert [item["output"] for item in sent[2:]] == ["three", "seventy"]


def test_calls_are_streamed_as_they_come(relay):
    events = relay.events(CHAT, question(CHAT, CALLS, tools=[CHAT_ADD]))

    deltas = [chunk["choices"][0]["delta"] for chunk in chunks_of(events)]
    assert deltas[0]["role"] == "assistant"
    pieces = [call for delta in deltas for call in delta.get("tool_calls") or ()]
    assert len(pieces) > 4, "arguments come in pieces"
    for index, wanted in ((0, {"a": 1, "b": 2}), (1, {"a": 30, "b": 40})):
        own = [piece for piece in pieces if piece["index"] == index]
        assert own[0]["id"]
        assert own[0]["function"]["name"] == "add"
        assert json.loads("".join(piece["function"]["arguments"] for piece in own)) == wanted
    assert chunks_of(events)[-1]["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("none", "none"),
        ("required", "required"),
        ({"type": "function", "function": {"name": "add"}}, {"type": "function", "name": "add"}),
    ],
    ids=str,
)
def test_tool_choice_is_carried(relay, choice, sent):
    ask(relay, user("Hi"), tools=[CHAT_ADD], tool_choice=choice)

    assert relay.asked()["tool_choice"] == sent


def test_without_tools_none_may_be_called(relay):
    ask(relay, user("Hi"))

    assert (relay.asked()["tools"], relay.asked()["tool_choice"]) == ([], "none")


def test_the_older_interface_of_functions(relay):
    functions = [{"name": "add", "parameters": ADD_SCHEMA}]
    choice = ask(relay, user(CALLS), functions=functions)["choices"][0]

    assert choice["finish_reason"] == "function_call"
    call = choice["message"]["function_call"]
    assert json.loads(call["arguments"]) == {"a": 1, "b": 2}

    result = {"role": "function", "name": "add", "content": "three"}
    history = [*user(CALLS), choice["message"], result]
    second = ask(relay, history, functions=functions)
    assert "“three”" in second["choices"][0]["message"]["content"]


def test_orphan_results_are_refused(relay):
    orphan = {"role": "tool", "tool_call_id": "call_none", "content": "three"}

    error = relay.refusal(CHAT, {"model": MODEL, "messages": [*user("Hi"), orphan]}, 400)

    assert "call_none" in error["message"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_is_kept_here_and_shared_with_the_other_routes(relay, stream):
    id_ = relay.ok("/v1/conversations", {})["id"]
    relay.ok(RESPONSES, question(RESPONSES, "[[say first]]", conversation=id_))
    ask_here = relay.events if stream else relay.ok

    ask_here(CHAT, question(CHAT, "[[say second]]", conversation={"id": id_}))
    ask_here(CHAT, question(CHAT, "[[say third]]", conversation=id_))

    assert sent_texts(relay.asked()) == [
        "[[say first]]",
        "first",
        "[[say second]]",
        "second",
        "[[say third]]",
    ]


def test_general_parameters_are_carried(relay):
    carried = {
        "service_tier": "priority",
        "prompt_cache_key": "mine",
        "parallel_tool_calls": False,
    }

    ask(relay, user("[[say Hi]]"), verbosity="low", reasoning_effort="high", **carried)

    sent = relay.asked()
    assert {name: sent[name] for name in carried} == carried
    assert sent["text"] == {"verbosity": "low"}
    assert sent["reasoning"]["effort"] == "high"


@pytest.mark.parametrize("stream", [False, True])
def test_what_the_backend_does_not_take_is_left_out_and_disclosed(relay, stream):
    ignored = {
        "temperature": 0.5,
        "top_p": 0.5,
        "presence_penalty": 0.5,
        "frequency_penalty": 0.5,
        "user": "me",
        "safety_identifier": "me",
        "seed": 7,
        "logit_bias": {"50256": -100},
        "top_logprobs": 2,
        "logprobs": True,
        "max_tokens": 10,
        "web_search_options": {},
        "metadata": {"run": "7"},
        "some_field_of_tomorrow": 1,
    }

    answer = relay.post(CHAT, question(CHAT, **ignored, stream=stream))

    assert answer.status_code == 200, answer.text
    assert set(answer.headers[IGNORED].split(",")) == set(ignored)
    assert not relay.asked().keys() & ignored


def test_stop_is_honoured_by_the_relay(relay):
    answer = relay.post(CHAT, question(CHAT, "[[say One two three]]", stop=["three", "two"]))

    choice = answer.json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("One ", "stop")
    assert IGNORED not in answer.headers
    assert "stop" not in relay.asked()


REFUSED = {
    "n": 2,
    "max_completion_tokens": 100,
    "audio": {"voice": "alloy", "format": "wav"},
    "modalities": ["text", "audio"],
    "prediction": {"type": "content", "content": "x"},
    "store": True,
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("stream", [False, True])
def test_what_cannot_be_done_is_refused_by_name(relay, name, stream):
    error = relay.refusal(CHAT, question(CHAT, stream=stream, **{name: REFUSED[name]}))

    assert error["param"] == name
    assert error["type"] == "invalid_request_error"
    assert len(relay.sandbox.requests) == 0


@pytest.mark.parametrize("name", [*REFUSED, "temperature", "tools", "stop", "reasoning_effort"])
def test_null_is_not_set(relay, name):
    answer = relay.post(CHAT, question(CHAT, **{name: None}))

    assert answer.status_code == 200, answer.text
    assert IGNORED not in answer.headers


@pytest.mark.parametrize(
    "harmless", [{"n": 1}, {"modalities": ["text"]}, {"store": False}], ids=str
)
def test_what_asks_for_nothing_passes(relay, harmless):
    answer = relay.post(CHAT, question(CHAT, **harmless))

    assert answer.status_code == 200, answer.text
    assert IGNORED not in answer.headers


@pytest.mark.parametrize(
    ("format_", "param"),
    [
        ({"type": "json_object"}, "response_format.type"),
        ({"type": "xml"}, "response_format.type"),
        ({"type": "json_schema"}, "response_format.json_schema"),
        (
            {"type": "json_schema", "json_schema": {"schema": {}}},
            "response_format.json_schema.name",
        ),
        (
            {
                "type": "json_schema",
                "json_schema": {
                    "name": "x",
                    "schema": {"type": "object", "additionalProperties": True},
                },
            },
            "response_format.json_schema.schema",
        ),
    ],
    ids=str,
)
def test_formats_that_cannot_be_are_refused_by_name(relay, format_, param):
    error = relay.refusal(CHAT, question(CHAT, "Some JSON", response_format=format_))

    assert error["param"] == param
    assert len(relay.sandbox.requests) == 0


@pytest.mark.parametrize("stream", [False, True])
def test_a_json_schema_is_brought_into_the_backends_form(relay, stream):
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    format_ = {"type": "json_schema", "json_schema": {"name": "place", "schema": schema}}
    body = question(CHAT, "A city.", response_format=format_)

    if stream:
        text = streamed_text(CHAT, relay.events(CHAT, body))
    else:
        text = relay.ok(CHAT, body)["choices"][0]["message"]["content"]

    sent = relay.asked()["text"]["format"]
    assert (sent["type"], sent["name"]) == ("json_schema", "place")
    assert sent["schema"] == {
        "type": "object",
        "properties": {"city": {"type": ["string", "null"]}},
        "required": ["city"],
        "additionalProperties": False,
    }
    assert "city" in json.loads(text)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": user("Hi")}, "model"),
        ({"model": MODEL}, "messages"),
        ({"model": MODEL, "messages": []}, "messages"),
        ({"model": MODEL, "messages": "Hi"}, "messages"),
        ({"model": MODEL, "messages": ["Hi"]}, "messages[0]"),
        ({"model": MODEL, "messages": [{"content": "Hi"}]}, "messages[0].role"),
        ({"model": MODEL, "messages": [{"role": "robot", "content": "Hi"}]}, "messages[0].role"),
        ({"model": MODEL, "messages": user(7)}, "messages[0].content"),
        ({"model": MODEL, "messages": user([{"type": "smell"}])}, "messages[0].content[0].type"),
        ({"model": MODEL, "messages": user("Hi"), "input": "Hi"}, "input"),
        ({"model": MODEL, "messages": user("Hi"), "tools": {}}, "tools"),
        ({"model": MODEL, "messages": user("Hi"), "tools": [{"type": "smell"}]}, "tools[0].type"),
        ({"model": MODEL, "messages": user("Hi"), "tool_choice": "maybe"}, "tool_choice"),
    ],
    ids=str,
)
def test_what_is_no_conversation_is_refused_by_name(relay, body, param):
    assert relay.refusal(CHAT, body)["param"] == param
    assert len(relay.sandbox.requests) == 0
