"""``/no-tools/v1/...``: the same routes, for clients that must never be given a tool.

Whatever bears a tool is refused by name, wherever the dialect lets it be written; everything else
is answered as on the usual route.
"""

import pytest

from tests.seeds.asking import (
    ADD,
    CHAT,
    CHAT_ADD,
    MODEL,
    RESPONSES,
    question,
    streamed_text,
    text_of,
    user,
)

ROUTES = [f"/no-tools{RESPONSES}", f"/no-tools{CHAT}"]
FUNCTION = {"name": "add", "parameters": {"type": "object", "properties": {}}}


@pytest.mark.parametrize("path", ROUTES)
def test_without_tools_it_answers_like_the_usual_route(relay, path):
    body = question(path, "[[say One two]]")

    assert text_of(path, relay.ok(path, body)) == "One two"
    assert streamed_text(path, relay.events(path, body)) == "One two"


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "more",
    [{"tools": []}, {"tools": None}, {"tool_choice": None}, {"tool_choice": "none"}],
    ids=str,
)
def test_saying_that_there_is_no_tool_bears_none(relay, path, more):
    assert text_of(path, relay.ok(path, question(path, **more))) == "Hi"


@pytest.mark.parametrize(
    ("path", "more", "param"),
    [
        (RESPONSES, {"tools": [ADD]}, "tools"),
        (RESPONSES, {"tools": [{"type": "web_search"}]}, "tools"),
        (RESPONSES, {"tool_choice": "auto"}, "tool_choice"),
        (RESPONSES, {"tool_choice": {"type": "web_search"}}, "tool_choice"),
        (CHAT, {"tools": [CHAT_ADD]}, "tools"),
        (CHAT, {"tool_choice": "required"}, "tool_choice"),
        (CHAT, {"functions": [FUNCTION]}, "functions"),
        (CHAT, {"function_call": "auto"}, "function_call"),
        (CHAT, {"function_call": {"name": "add"}}, "function_call"),
    ],
    ids=str,
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_bears_a_tool_is_refused_by_name(relay, path, more, param, stream):
    error = relay.refusal(f"/no-tools{path}", question(path, stream=stream, **more))

    assert error["param"] == param
    assert len(relay.sandbox.requests) == 0


def test_tools_among_the_input_items_are_tools(relay):
    """Codex CLI sends them so for its newer models."""
    tools = {"type": "additional_tools", "role": "developer", "tools": [ADD]}
    body = {"model": MODEL, "input": [tools, *user("[[say Hi]]")]}

    assert relay.refusal(f"/no-tools{RESPONSES}", body)["param"] == "input[0].tools"
    relay.ok(RESPONSES, body)
    tools["tools"] = []
    relay.ok(f"/no-tools{RESPONSES}", body)


def test_also_if_the_input_is_that_item_alone(relay):
    given = {"type": "additional_tools", "tools": [ADD]}

    error = relay.refusal(f"/no-tools{RESPONSES}", {"model": MODEL, "input": given})

    assert error["param"] == "input.tools"


@pytest.mark.parametrize("path", ROUTES)
def test_other_refusals_are_the_same(relay, path):
    assert relay.refusal(path, question(path, n=2) | {"model": ""})["param"] == "model"
