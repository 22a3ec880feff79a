"""Requests from one dialect to another: nothing that matters is lost, invented or moved.

Each case is what a client of one dialect writes and what an upstream of the other is sent for it.
The fields of the top level that have no place are in test_disclosure.
"""

import pytest

from airelays_app.dialects import DIALECTS
from airelays_app.dialects.responses.request_in import decode_request as decode_responses
from airelays_app.errors import Unprocessable
from airelays_app.neutral.custom_calls import as_functions
from airelays_app.neutral.request import Image, Message, Refusal, Text, ToolCall, ToolResult

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
PNG = "data:image/png;base64,iVBORw0KGgo="
PDF = "data:application/pdf;base64,JVBERi0="

FLAT = {"type": "function", "name": "add", "description": "Adds.", "parameters": SCHEMA}
NESTED = {
    "type": "function",
    "function": {"name": "add", "description": "Adds.", "parameters": SCHEMA},
}


def user(content):
    return {"role": "user", "content": content}


def item(role, *content):
    return {"type": "message", "role": role, "content": list(content)}


def said(text):
    return {"type": "input_text", "text": text}


def chat_call(call_id, arguments='{"a":1}', name="add"):
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def call(call_id, arguments='{"a":1}', name="add"):
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}


def output(call_id, result):
    return {"type": "function_call_output", "call_id": call_id, "output": result}


def decoded(dialect, **fields):
    minimal = {
        "responses": {"model": "m", "input": "Hi"},
        "chat": {"model": "m", "messages": [user("Hi")]},
        "completions": {"model": "m", "prompt": "Hi"},
    }
    return DIALECTS[dialect].decode_request(minimal[dialect] | fields)


def translated(source, target, **fields):
    """Return the body for the upstream and the paths of what was lost on the way."""
    request, losses = decoded(source, **fields)
    if not DIALECTS[target].has_custom_tools:
        request = as_functions(request)
    body, further = DIALECTS[target].encode_request(request)
    return body, [loss.path for loss in (*losses, *further)]


CHAT_MESSAGES = {
    "text": ([user("Hi")], [item("user", said("Hi"))]),
    "parts": (
        [user([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])],
        [item("user", said("a"), said("b"))],
    ),
    "parts by their Responses names": (
        [user([said("a"), {"type": "input_image", "image_url": PNG}])],
        [item("user", said("a"), {"type": "input_image", "image_url": PNG, "detail": "auto"})],
    ),
    "image": (
        [user([{"type": "image_url", "image_url": {"url": PNG, "detail": "high"}}])],
        [item("user", {"type": "input_image", "image_url": PNG, "detail": "high"})],
    ),
    "document": (
        [user([{"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}}])],
        [item("user", {"type": "input_file", "filename": "a.pdf", "file_data": PDF})],
    ),
    "sound": (
        [user([{"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}])],
        [item("user", {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}})],
    ),
    "assistant's text": (
        [user("Hi"), {"role": "assistant", "content": "Ho"}, user("Hu")],
        [
            item("user", said("Hi")),
            item("assistant", {"type": "output_text", "text": "Ho"}),
            item("user", said("Hu")),
        ],
    ),
    "assistant's refusal": (
        [user("Hi"), {"role": "assistant", "content": None, "refusal": "No."}],
        [item("user", said("Hi")), item("assistant", {"type": "refusal", "refusal": "No."})],
    ),
    "calls without text": (
        [
            user("Hi"),
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [chat_call("c1"), chat_call("c2")],
            },
            {"role": "tool", "tool_call_id": "c2", "content": "two"},
            {"role": "tool", "tool_call_id": "c1", "content": "one"},
        ],
        [
            item("user", said("Hi")),
            call("c1"),
            call("c2"),
            output("c2", "two"),
            output("c1", "one"),
        ],
    ),
    "calls after text": (
        [{"role": "assistant", "content": "Look:", "tool_calls": [chat_call("c1")]}],
        [item("assistant", {"type": "output_text", "text": "Look:"}), call("c1")],
    ),
    "a call without an id": (
        [
            {"role": "assistant", "tool_calls": [{"function": {"name": "add", "arguments": "{}"}}]},
            {"role": "tool", "content": "one"},
        ],
        [call("call_0", "{}"), output("call_0", "one")],
    ),
    "arguments that are no JSON": (
        [{"role": "assistant", "content": "", "tool_calls": [chat_call("c1", '{"a":')]}],
        [call("c1", '{"a":')],
    ),
    "the older interface": (
        [
            {
                "role": "assistant",
                "content": None,
                "function_call": {"name": "f", "arguments": "{}"},
            },
            {"role": "function", "name": "f", "content": "one"},
        ],
        [call("call_f", "{}", "f"), output("call_f", "one")],
    ),
    "a result in parts": (
        [{"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "one"}]}],
        [output("c1", "one")],
    ),
    "a result with an image": (
        [
            {
                "role": "tool",
                "tool_call_id": "c1",
                "content": [
                    {"type": "text", "text": "one"},
                    {"type": "image_url", "image_url": {"url": PNG}},
                ],
            }
        ],
        [output("c1", [said("one"), {"type": "input_image", "image_url": PNG, "detail": "auto"}])],
    ),
    "a free-text call": (
        [
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c1", "type": "custom", "custom": {"name": "run", "input": "x = 1"}}
                ],
            }
        ],
        [{"type": "custom_tool_call", "call_id": "c1", "name": "run", "input": "x = 1"}],
    ),
}


@pytest.mark.parametrize("case", CHAT_MESSAGES)
def test_chat_messages_as_input_items(case):
    messages, items = CHAT_MESSAGES[case]

    body, losses = translated("chat", "responses", messages=messages)

    assert body["input"] == items
    assert losses == []
    assert "instructions" not in body


RESPONSES_ITEMS = {
    "string": ("Hi", [user("Hi")]),
    "object": (user("Hi"), [user("Hi")]),
    "text": ([item("user", said("Hi"))], [user("Hi")]),
    "steering": (
        [item("developer", said("Be")), item("system", said("brief")), user("Hi")],
        [
            {"role": "system", "content": "Be"},
            {"role": "system", "content": "brief"},
            user("Hi"),
        ],
    ),
    "image and text": (
        [item("user", said("Look"), {"type": "input_image", "image_url": PNG, "detail": "low"})],
        [
            user(
                [
                    {"type": "text", "text": "Look"},
                    {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
                ]
            )
        ],
    ),
    "document": (
        [item("user", {"type": "input_file", "filename": "a.pdf", "file_data": PDF})],
        [user([{"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}}])],
    ),
    "an answer as it came": (
        [
            user("Hi"),
            {
                "id": "msg_1",
                "status": "completed",
                **item("assistant", {"type": "output_text", "text": "Ho", "annotations": []}),
            },
        ],
        [user("Hi"), {"role": "assistant", "content": "Ho"}],
    ),
    "a refusal": (
        [item("assistant", {"type": "refusal", "refusal": "No."})],
        [{"role": "assistant", "content": None, "refusal": "No."}],
    ),
    "calls are one message": (
        [
            user("Hi"),
            item("assistant", {"type": "output_text", "text": "Look:"}),
            {"id": "fc_1", "status": "completed", **call("c1")},
            call("c2"),
            output("c1", "one"),
            output("c2", [said("two"), said("three")]),
        ],
        [
            user("Hi"),
            {
                "role": "assistant",
                "content": "Look:",
                "tool_calls": [chat_call("c1"), chat_call("c2")],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "one"},
            {"role": "tool", "tool_call_id": "c2", "content": "two\nthree"},
        ],
    ),
    "images of results stand behind the last result": (
        [
            call("c1"),
            call("c2"),
            output("c1", [said("one"), {"type": "input_image", "image_url": PNG}]),
            output("c2", "two"),
            user("And?"),
        ],
        [
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [chat_call("c1"), chat_call("c2")],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "one"},
            {"role": "tool", "tool_call_id": "c2", "content": "two"},
            user([{"type": "image_url", "image_url": {"url": PNG}}]),
            user("And?"),
        ],
    ),
    "a free-text call": (
        [
            {"type": "custom_tool_call", "call_id": "c1", "name": "run", "input": "x = 1"},
            {"type": "custom_tool_call_output", "call_id": "c1", "output": "done"},
        ],
        [
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [chat_call("c1", '{"input":"x = 1"}', "run")],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "done"},
        ],
    ),
    "reasoning that was shown only": (
        [
            user("Hi"),
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "Hm"}],
            },
            item("assistant", {"type": "output_text", "text": "Ho"}),
        ],
        [user("Hi"), {"role": "assistant", "content": "Ho"}],
    ),
    "nothing": ("", [user("")]),
}


@pytest.mark.parametrize("case", RESPONSES_ITEMS)
def test_input_items_as_chat_messages(case):
    given, messages = RESPONSES_ITEMS[case]

    body, losses = translated("responses", "chat", input=given)

    assert body["messages"] == messages
    assert losses == []


def test_instructions_come_first():
    body, _ = translated("responses", "chat", instructions="Be brief.", input="Hi")
    assert body["messages"] == [{"role": "system", "content": "Be brief."}, user("Hi")]


def test_steering_messages_are_gathered_in_order():
    messages = [
        {"role": "developer", "content": "One"},
        user("Hi"),
        {"role": "system", "content": [{"type": "text", "text": "two"}]},
    ]
    body, losses = translated("chat", "responses", messages=messages, instructions="Zero")

    assert body["instructions"] == "Zero\n\nOne\n\ntwo"
    assert body["input"] == [item("user", said("Hi"))]
    assert losses == []


@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_server_is_asked_for_the_usage_of_a_stream(stream):
    body, _ = translated("responses", "chat", stream=stream)

    assert body["stream"] is stream
    assert body.get("stream_options") == ({"include_usage": True} if stream else None)


# What both dialects say, each in its own words.
SAME = [
    ({"tools": [FLAT]}, {"tools": [NESTED]}),
    (
        {"tools": [{**FLAT, "strict": True}]},
        {"tools": [{"type": "function", "function": {**NESTED["function"], "strict": True}}]},
    ),
    ({"tools": [FLAT], "tool_choice": "required"}, {"tools": [NESTED], "tool_choice": "required"}),
    ({"tools": [FLAT], "tool_choice": "none"}, {"tools": [NESTED], "tool_choice": "none"}),
    (
        {"tools": [FLAT], "tool_choice": {"type": "function", "name": "add"}},
        {"tools": [NESTED], "tool_choice": {"type": "function", "function": {"name": "add"}}},
    ),
    (
        {"tools": [FLAT], "parallel_tool_calls": False},
        {"tools": [NESTED], "parallel_tool_calls": False},
    ),
    ({"text": {"format": {"type": "json_object"}}}, {"response_format": {"type": "json_object"}}),
    (
        {
            "text": {
                "format": {"type": "json_schema", "name": "x", "schema": SCHEMA, "strict": True}
            }
        },
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "x", "schema": SCHEMA, "strict": True},
            }
        },
    ),
    ({"reasoning": {"effort": "low"}}, {"reasoning_effort": "low"}),
    ({"max_output_tokens": 100}, {"max_tokens": 100}),
    ({"temperature": 0, "top_p": 0.5}, {"temperature": 0, "top_p": 0.5}),
    ({"user": "me"}, {"user": "me"}),
]


def without(body, *names):
    return {name: value for name, value in body.items() if name not in names}


@pytest.mark.parametrize(("responses", "chat"), SAME, ids=lambda fields: ",".join(fields))
def test_what_both_can_say_goes_to_chat(responses, chat):
    body, losses = translated("responses", "chat", **responses)

    assert without(body, "model", "messages", "stream") == chat
    assert losses == []


@pytest.mark.parametrize(("responses", "chat"), SAME, ids=lambda fields: ",".join(fields))
def test_what_both_can_say_comes_from_chat(responses, chat):
    body, losses = translated("chat", "responses", **chat)

    for name, value in responses.items():
        if name == "tools":
            # A missing "strict" means true here and false there.
            value = [{"strict": False, **tool} for tool in value]
        if name == "reasoning":
            value = {**value, "summary": "auto"}
        assert body[name] == value
    assert losses == []


def test_a_chat_client_that_wants_thought_is_shown_what_can_be_shown():
    """Chat has no word for a summary; its clients show ``reasoning_content`` when it comes."""
    for effort in ("low", "high"):
        body, losses = translated("chat", "responses", reasoning_effort=effort)
        assert body["reasoning"] == {"effort": effort, "summary": "auto"}
        assert losses == []
    assert translated("chat", "responses", reasoning_effort="none")[0]["reasoning"] == {
        "effort": "none"
    }
    assert "reasoning" not in translated("chat", "responses")[0]


def test_the_newer_limit_wins():
    request, _ = decoded("chat", max_tokens=1, max_completion_tokens=2)
    assert request.max_output_tokens == 2


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "custom", "name": "run", "description": "Runs."},
        {"type": "custom", "custom": {"name": "run", "description": "Runs."}},
    ],
    ids=["flat", "nested"],
)
def test_a_free_text_tool_is_carried_as_such_or_as_a_function(tool):
    body, _ = translated("chat", "responses", tools=[tool])
    assert body["tools"] == [{"type": "custom", "name": "run", "description": "Runs."}]

    source = {"type": "custom", "name": "run", "description": "Runs."}
    body, losses = translated("responses", "chat", tools=[source])
    function = body["tools"][0]["function"]
    assert (function["name"], function["description"]) == ("run", "Runs.")
    assert function["parameters"]["required"] == ["input"]
    assert losses == []


def test_a_grammar_is_carried_or_told_in_words():
    grammar = {"type": "grammar", "syntax": "lark", "definition": 'start: "a"'}
    nested = {"type": "grammar", "grammar": without(grammar, "type")}
    chat = {"type": "custom", "custom": {"name": "run", "format": nested}}

    body, _ = translated("chat", "responses", tools=[chat])
    assert body["tools"][0]["format"] == grammar
    body, _ = translated(
        "responses", "chat", tools=[{"type": "custom", "name": "run", "format": grammar}]
    )
    assert 'start: "a"' in body["tools"][0]["function"]["description"]


def test_tools_in_a_namespace_or_among_the_items_are_tools():
    namespace = {"type": "namespace", "name": "files", "tools": [FLAT]}
    more = {"type": "additional_tools", "tools": [{**FLAT, "name": "sub"}]}

    body, losses = translated("responses", "chat", tools=[namespace], input=[more, user("Hi")])

    assert [tool["function"]["name"] for tool in body["tools"]] == ["add", "sub"]
    assert body["messages"] == [user("Hi")]
    assert losses == []


ALLOWED_FLAT = {
    "type": "allowed_tools",
    "mode": "required",
    "tools": [{"type": "function", "name": "add"}],
}
ALLOWED_NESTED = {
    "type": "allowed_tools",
    "allowed_tools": {
        "mode": "required",
        "tools": [{"type": "function", "function": {"name": "add"}}],
    },
}


def test_an_allowed_set_is_carried_or_is_all_that_is_offered():
    two = [FLAT, {**FLAT, "name": "sub"}]

    body, losses = translated("responses", "chat", tools=two, tool_choice=ALLOWED_FLAT)
    assert [tool["function"]["name"] for tool in body["tools"]] == ["add"]
    assert body["tool_choice"] == "required"
    assert losses == []

    body, losses = translated("chat", "responses", tools=two, tool_choice=ALLOWED_NESTED)
    assert [tool["name"] for tool in body["tools"]] == ["add", "sub"]
    assert body["tool_choice"] == ALLOWED_FLAT


def test_a_tool_that_only_its_vendor_can_run_is_disclosed_with_the_choice_of_it():
    tools = [FLAT, {"type": "web_search", "external_web_access": True}]

    body, losses = translated("responses", "chat", tools=tools, tool_choice={"type": "web_search"})

    assert [tool["function"]["name"] for tool in body["tools"]] == ["add"]
    assert body["tool_choice"] == "auto"
    assert losses == ["tools[1]", "tool_choice"]


def test_what_is_within_an_object_is_disclosed_by_its_path():
    _, losses = translated(
        "responses",
        "chat",
        reasoning={"effort": "low", "context": "all_turns", "generate_summary": None},
        text={"verbosity": "low", "tone": "warm"},
    )
    assert losses == ["reasoning.context", "text.tone", "verbosity"]


def test_what_a_message_says_beside_its_content_is_disclosed_by_its_path():
    messages = [
        {**user("Hi"), "name": "Ann", "weight": 0},
        {"role": "assistant", "content": "Ho", "annotations": [], "audio": None},
        {"role": "function", "name": "f", "content": "one"},
    ]
    _, losses = translated("chat", "responses", messages=messages)
    assert losses == ["messages[0].name"]


def test_an_item_that_chat_has_no_word_for_is_disclosed_by_its_path():
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    odd = {"type": "input_smell", "smell": "rose"}

    body, losses = translated("responses", "chat", input=[search, item("user", said("Hi"), odd)])

    assert body["messages"] == [user([{"type": "text", "text": "Hi"}])]
    assert losses == ["input[0]", "input[1].content[1]"]


def test_a_document_that_cannot_be_carried_is_refused_not_dropped():
    part = {"type": "input_file", "file_url": "https://example.org/a.pdf"}

    with pytest.raises(Unprocessable) as caught:
        translated("responses", "chat", input=[item("user", said("Hi"), part)])

    assert caught.value.param == "input[0].content[1]"


@pytest.mark.parametrize("dialect", ["responses", "chat", "completions"])
def test_null_is_not_set(dialect):
    names = (
        "instructions tools tool_choice parallel_tool_calls text reasoning max_output_tokens "
        "temperature top_p user safety_identifier metadata service_tier prompt_cache_key include "
        "prompt_cache_retention stream previous_response_id background functions function_call "
        "response_format verbosity reasoning_effort max_completion_tokens max_tokens n stop seed "
        "presence_penalty frequency_penalty logit_bias stream_options modalities audio prediction "
        "logprobs top_logprobs store best_of echo suffix anything_else"
    )
    assert decoded(dialect, **dict.fromkeys(names.split())) == decoded(dialect)


REFUSED = [
    ("responses", {"input": [{"role": "robot", "content": "Hi"}]}, "input[0].role"),
    ("responses", {"input": [user([said("Hi"), "Hi"])]}, "input[0].content[1]"),
    ("responses", {"input": [user([{"type": "input_text"}])]}, "input[0].content[0].text"),
    ("responses", {"input": [{"type": "function_call", "name": "f"}]}, "input[0].call_id"),
    ("responses", {"input": [output(7, "x")]}, "input[0].call_id"),
    ("responses", {"tools": [{"type": "function"}]}, "tools[0].name"),
    ("responses", {"tools": ["add"]}, "tools[0]"),
    ("responses", {"tool_choice": 7}, "tool_choice"),
    ("responses", {"text": {"format": {"type": "xml"}}}, "text.format.type"),
    ("responses", {"reasoning": {"effort": 7}}, "reasoning.effort"),
    ("responses", {"prompt": {"id": "pmpt_1"}}, "prompt"),
    ("chat", {"messages": [{"role": "user", "content": {"text": "Hi"}}]}, "messages[0].content"),
    ("responses", {"input": [user([{"type": "input_file"}])]}, "input[0].content[0]"),
    ("chat", {"messages": [user([{"type": "file"}])]}, "messages[0].content[0]"),
    ("chat", {"messages": [user([{"type": "file", "file": {}}])]}, "messages[0].content[0].file"),
    ("chat", {"messages": [user([{"type": "image_url"}])]}, "messages[0].content[0].image_url"),
    (
        "chat",
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "c1", "function": {}}]}]},
        "messages[0].tool_calls[0].function.name",
    ),
    ("chat", {"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
    ("chat", {"messages": [{"role": "function", "content": "x"}]}, "messages[0].name"),
    ("chat", {"tools": [{"type": "web_search"}]}, "tools[0].type"),
    ("chat", {"functions": [{}]}, "functions[0].name"),
    ("chat", {"n": 2}, "n"),
    ("chat", {"modalities": ["audio"]}, "modalities"),
    ("chat", {"stop": [7]}, "stop[0]"),
    ("chat", {"logit_bias": [1]}, "logit_bias"),
    ("completions", {"prompt": ["a", "b"]}, "prompt"),
    ("completions", {"echo": True}, "echo"),
    ("completions", {"best_of": 2}, "best_of"),
    ("completions", {"logprobs": 0}, "logprobs"),
]


@pytest.mark.parametrize(("dialect", "fields", "param"), REFUSED, ids=str)
def test_what_cannot_be_said_is_refused_by_its_path(dialect, fields, param):
    with pytest.raises(Unprocessable) as caught:
        decoded(dialect, **fields)

    assert caught.value.param == param
    assert param.rpartition(".")[2] in caught.value.message


@pytest.mark.parametrize("harmless", [{"n": 1}, {"best_of": 1}, {"echo": False}, {"suffix": ""}])
def test_what_asks_for_nothing_is_no_reason_to_refuse(harmless):
    assert decoded("completions", **harmless)[1] == ()


def test_a_prompt_is_one_user_message():
    request, losses = decoded("completions", prompt=["Once"], stop="x", max_tokens=5)

    assert request.messages == (Message("user", (Text("Once"),)),)
    assert (request.sampling.stop, request.max_output_tokens) == (("x",), 5)
    assert losses == ()


@pytest.mark.parametrize("dialect", ["chat", "completions"])
@pytest.mark.parametrize(
    ("stop", "read"), [("a", ("a",)), (["a", "b"], ("a", "b")), ("", ()), ([], ()), ([""], ())]
)
def test_stop_is_a_string_or_strings(dialect, stop, read):
    assert decoded(dialect, stop=stop)[0].sampling.stop == read


def test_a_chat_conversation_is_the_same_when_it_comes_back_as_items():
    """What conversations keep of a chat turn says the same when it is replayed."""
    messages = [
        user([{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": PNG}}]),
        {"role": "assistant", "content": "Hm", "tool_calls": [chat_call("c1")]},
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
        {"role": "assistant", "content": None, "refusal": "No."},
    ]
    body, _ = translated("chat", "responses", messages=messages)

    back, _ = decode_responses({"model": "m", "input": body["input"]})

    parts = [(message.role, part) for message in back.messages for part in message.parts]
    plain = [(role, _plain(part)) for role, part in parts]
    assert plain == [
        ("user", Text("Look")),
        ("user", Image(PNG, "auto")),
        ("assistant", Text("Hm")),
        ("assistant", ToolCall("c1", "add", '{"a":1}')),
        ("tool", ToolResult("c1", (Text("one"),))),
        ("assistant", Refusal("No.")),
    ]


def _plain(part):
    """Return the part without what only its own dialect knows of it."""
    if isinstance(part, Text):
        return Text(part.text)
    if isinstance(part, ToolCall):
        return ToolCall(part.call_id, part.name, part.arguments)
    return ToolResult(part.call_id, part.parts) if isinstance(part, ToolResult) else part
