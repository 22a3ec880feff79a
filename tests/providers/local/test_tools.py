"""Function calls of the small model: asked for by schema, read back from its JSON.

Rules: a call that must be made puts "one of these calls" as the schema and keeps the functions
in the prompt; with "auto" shared words decide; after a function's result the answer is text;
nobody's body is changed in place; the call comes back with its raw arguments however the text
is cut into deltas, and a truncated answer gives truncated arguments.
"""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.errors import Unprocessable
from airelays_app.providers.local.calls_in_text import CallConstraint, CallDelta, ToolCallStream
from airelays_app.providers.local.tools import constrain


def function(name, description="", parameters=None):
    return {
        "type": "function",
        "function": {"name": name, "description": description, "parameters": parameters},
    }


_CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = function("get_weather", "Get the current weather in a city", _CITY)
MAIL = function("sendMail", "Deliver a message to somebody")
QUESTION = {"role": "user", "content": "What is the weather in Paris?"}


def asked(tools=(WEATHER, MAIL), messages=(QUESTION,), **more):
    return {"model": "m", "messages": list(messages), "tools": list(tools), **more}


def names(constraint):
    return set(constraint.names) if constraint else None


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("required", {"get_weather", "sendMail"}),
        ({"type": "function", "function": {"name": "sendMail"}}, {"sendMail"}),
        ("none", None),
        ("auto", {"get_weather"}),
        (None, {"get_weather"}),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [{"type": "function", "function": {"name": "sendMail"}}],
                },
            },
            {"sendMail"},
        ),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "auto",
                    "tools": [{"type": "function", "function": {"name": "sendMail"}}],
                },
            },
            None,
        ),
    ],
)
def test_tool_choice_says_which_functions_may_be_called(choice, expected):
    body, constraint = constrain(asked(tool_choice=choice))
    assert names(constraint) == expected
    if expected is None:
        assert body == {"model": "m", "messages": [QUESTION]}
    else:
        assert {tool["function"]["name"] for tool in body["tools"]} == expected
        schema = body["response_format"]["json_schema"]["schema"]
        consts = {call["properties"]["name"]["const"] for call in schema["oneOf"]}
        assert consts == expected
        assert body["tool_choice"] == "none"


def test_a_name_that_no_function_has_is_refused():
    with pytest.raises(Unprocessable, match="'nope'") as caught:
        constrain(asked(tool_choice={"type": "function", "function": {"name": "nope"}}))
    assert caught.value.param == "tool_choice"


@pytest.mark.parametrize(
    ("request_text", "expected"),
    [
        ("What is the weather in Paris?", {"get_weather"}),
        ("Weather!", {"get_weather"}),
        ("Please mail Bob", {"sendMail"}),
        ("Is mailing still done these days?", {"sendMail"}),
        ("Mail me the weather", {"get_weather", "sendMail"}),
        ("Hello, who are you?", None),
        ("What is the current use of this?", None),
        ("", None),
        ([{"type": "text", "text": "the weather"}, {"type": "image_url"}], {"get_weather"}),
        (None, None),
    ],
)
def test_with_auto_a_shared_word_decides(request_text, expected):
    _, constraint = constrain(asked(messages=[{"role": "user", "content": request_text}]))
    assert names(constraint) == expected


def test_words_count_in_every_script():
    tools = [function("wetter", "Das Wetter für eine Stadt"), function("погода")]
    for text, name in (("Wie wird das Wetter?", "wetter"), ("погода", "погода")):
        _, constraint = constrain(asked(tools, [{"role": "user", "content": text}]))
        assert names(constraint) == {name}


def test_after_a_result_the_answer_is_text():
    result = {"role": "tool", "tool_call_id": "c", "content": "sunny weather"}
    body, constraint = constrain(asked(messages=[QUESTION, result]))
    assert constraint is None
    assert body["messages"] == [QUESTION, result]
    assert "tools" not in body


def test_a_required_call_is_made_even_after_a_result():
    result = {"role": "tool", "tool_call_id": "c", "content": "sunny"}
    _, constraint = constrain(asked(messages=[QUESTION, result], tool_choice="required"))
    assert constraint is not None


def test_the_body_that_was_given_stays_as_it_was():
    body = asked(tool_choice="required", parallel_tool_calls=False, temperature=0)
    before = copy.deepcopy(body)
    changed, _ = constrain(body)
    assert body == before
    assert changed["temperature"] == 0
    assert "parallel_tool_calls" not in changed


def test_a_text_answer_keeps_the_format_that_was_asked_for():
    form = {"type": "json_object"}
    hello = [{"role": "user", "content": "Hello"}]
    body, constraint = constrain(asked(messages=hello, response_format=form))
    assert constraint is None
    assert body["response_format"] == form


@pytest.mark.parametrize("tools", [None, [], [{"type": "custom", "custom": {"name": "x"}}]])
def test_without_functions_there_is_nothing_to_call(tools):
    body, constraint = constrain({"messages": [QUESTION], "tools": tools})
    assert constraint is None
    assert body == {"messages": [QUESTION]}


_PARAMETERS = "tools[0].function.parameters"
_ALLOWED = "tool_choice.allowed_tools"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"tools": [7]}, "tools[0]"),
        ({"tools": [function("f", "", "text")]}, _PARAMETERS),
        ({"tools": [function("f", "", {"$defs": 5})]}, f"{_PARAMETERS}.$defs"),
        ({"tools": [function("f", "", {"definitions": ["x"]})]}, f"{_PARAMETERS}.definitions"),
        ({"tool_choice": {"type": "allowed_tools", "allowed_tools": [1]}}, _ALLOWED),
        (
            {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"tools": 5}}},
            f"{_ALLOWED}.tools",
        ),
    ],
)
def test_what_is_of_a_wrong_type_is_refused_by_its_path(body, param):
    with pytest.raises(Unprocessable) as caught:
        constrain({**asked(), **body})
    assert caught.value.param == param


def test_definitions_of_two_functions_do_not_mix():
    def with_place(kind):
        return {
            "type": "object",
            "properties": {"where": {"anyOf": [{"$ref": "#/$defs/Place"}, {"type": "null"}]}},
            "$defs": {
                "Place": {"type": kind, "properties": {"in": {"$ref": "#/$defs/Place"}}},
            },
        }

    tools = [function("one", "", with_place("object")), function("two", "", with_place("array"))]
    body, _ = constrain(asked(tools, tool_choice="required"))
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["$defs"]["one.Place"]["type"] == "object"
    assert schema["$defs"]["two.Place"]["type"] == "array"
    assert schema["$defs"]["two.Place"]["properties"]["in"] == {"$ref": "#/$defs/two.Place"}
    arguments = schema["oneOf"][1]["properties"]["arguments"]
    assert arguments["properties"]["where"]["anyOf"][0] == {"$ref": "#/$defs/two.Place"}
    assert "$defs" not in arguments


BOTH = CallConstraint(frozenset({"get_weather", "sendMail"}))


def test_a_call_is_read_with_its_raw_arguments():
    text = ' { "name" : "get_weather",\n "arguments": { "city": "P\\"a}ris" } }\n'
    assert ToolCallStream(BOTH).feed(text) == [CallDelta("get_weather", '{ "city": "P\\"a}ris" }')]


@pytest.mark.parametrize(
    "text",
    ["", "Hello", '{"name": "get_w', '{"name": "format_disk", "arguments": {}}', '{"reply": "x"}'],
)
def test_what_is_no_call_gives_none(text):
    assert ToolCallStream(BOTH).feed(text) == []


def test_a_truncated_answer_gives_truncated_arguments():
    stream = ToolCallStream(BOTH)
    pieces = stream.feed('{"name": "get_weather", "arguments": {"city": "Par')
    assert pieces[0].name == "get_weather"
    assert pieces[0].arguments == '{"city": "Par'
    assert stream.complete is False


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    arguments=st.dictionaries(st.text(), json_values, max_size=4),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 2]),
    cuts=st.lists(st.integers(min_value=1, max_value=12), min_size=1),
)
def test_however_the_text_is_cut_the_call_is_the_same(arguments, ascii_only, indent, cuts):
    call = {"name": "get_weather", "arguments": arguments}
    text = json.dumps(call, ensure_ascii=ascii_only, indent=indent) + " \n"
    stream = ToolCallStream(BOTH)
    pieces = []
    position = step = 0
    while position < len(text):
        size = cuts[step % len(cuts)]
        pieces += stream.feed(text[position : position + size])
        position, step = position + size, step + 1
    assert [piece.name for piece in pieces if piece.name] == ["get_weather"]
    assert pieces[0].name == "get_weather"
    assert stream.complete
    assert json.loads("".join(piece.arguments for piece in pieces)) == arguments
    (whole,) = ToolCallStream(BOTH).feed(text)
    assert "".join(piece.arguments for piece in pieces) == whole.arguments
