"""Free-text tools on an upstream that knows functions only: offered and replayed as functions with
one string, and what the model then calls comes back as a free-text call.
"""

import json

import pytest
from hypothesis import given

from airelays_app.neutral.custom_calls import CustomCalls, as_functions, custom_names
from airelays_app.neutral.events import (
    Event,
    Finished,
    PartClosed,
    PartDelta,
    PartOpened,
    Started,
)
from airelays_app.neutral.grammar import check
from airelays_app.neutral.request import (
    HostedTool,
    Message,
    Request,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from tests.neutral.streams import fold, legal_streams

GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: WORD"}
EXEC = Tool("exec", "Runs it.", custom=True, format=GRAMMAR)
PLAIN = Tool("now", parameters={"type": "object"})
HOSTED = HostedTool("responses", {"type": "web_search"}, "tools[2]")
REQUEST = Request(
    model="m",
    messages=(
        Message("assistant", (Text("On it."), ToolCall("c1", "exec", "ls\n", custom=True))),
        Message("tool", (ToolResult("c1", (Text("a"),), custom=True),)),
    ),
    tools=(EXEC, PLAIN, HOSTED),
    tool_choice=ToolChoice("named", ("exec",), custom=True),
)


def test_a_free_text_tool_is_offered_as_a_function_with_one_string() -> None:
    exec_, now, hosted = as_functions(REQUEST).tools
    assert isinstance(exec_, Tool)
    assert not exec_.custom
    assert exec_.parameters is not None
    assert exec_.parameters["required"] == ["input"]
    assert exec_.description == "Runs it.\nThe input must follow this lark grammar:\nstart: WORD"
    assert (now, hosted) == (PLAIN, HOSTED)


def test_calls_results_and_the_choice_are_rewritten() -> None:
    request = as_functions(REQUEST)
    call = request.messages[0].parts[1]
    assert isinstance(call, ToolCall)
    assert (call.custom, json.loads(call.arguments)) == (False, {"input": "ls\n"})
    result = request.messages[1].parts[0]
    assert isinstance(result, ToolResult)
    assert not result.custom
    assert request.tool_choice == ToolChoice("named", ("exec",))


def test_calls_are_rewritten_though_their_tool_is_offered_no_more() -> None:
    late = Request("m", REQUEST.messages)
    assert as_functions(late).messages == as_functions(REQUEST).messages


def test_the_names_are_those_of_free_text_tools() -> None:
    assert custom_names(REQUEST) == {"exec"}


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (['{"inp', 'ut":"ls\\n"}'], "ls\n"),
        (['{"input":""}'], ""),
        (["ls"], "ls"),
        (['{"input":7}'], '{"input":7}'),
        (['{"inp'], '{"inp'),
        ([], ""),
    ],
)
def test_a_call_comes_back_as_free_text(pieces: list[str], text: str) -> None:
    events: list[Event] = [
        Started("id", "m"),
        PartOpened(0, "tool_call", "c1", "exec"),
        *(PartDelta(0, piece) for piece in pieces),
        PartClosed(0),
        Finished("tool_use"),
    ]
    back = CustomCalls(frozenset({"exec"})).feed(events)
    check(back)
    (part,) = fold(back).parts
    assert (part.kind, part.text, part.id, part.name) == ("custom_call", text, "c1", "exec")


@given(legal_streams())
def test_every_stream_stays_legal_and_other_parts_stay_as_they_are(events: list[Event]) -> None:
    back = CustomCalls(frozenset({"tool_1"})).feed(events)
    check(back)
    for number, (old, new) in enumerate(zip(fold(events).parts, fold(back).parts, strict=True)):
        if number != 1:
            assert old == new
