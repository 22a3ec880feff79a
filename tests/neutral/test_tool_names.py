"""A name that an upstream does not take is another one for it, and the client never knows."""

import re

from hypothesis import given
from hypothesis import strategies as st

from airelays_app.neutral.events import PartOpened
from airelays_app.neutral.request import Message, Request, Tool, ToolCall, ToolChoice
from airelays_app.neutral.tool_names import RealNames, with_legal_names

LEGAL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]{0,63}", re.ASCII)
names = st.text("abc_-.:9 é", min_size=1, max_size=100)


def asking(*tools: str) -> Request:
    return Request(
        "m",
        (Message("assistant", tuple(ToolCall("c", name, "{}") for name in tools)),),
        tools=tuple(map(Tool, tools)),
        tool_choice=ToolChoice("allowed", tools),
    )


@given(st.lists(names, min_size=1, max_size=6, unique=True))
def test_every_name_fits_and_leads_back(tools: list[str]) -> None:
    short, real = with_legal_names(asking(*tools), LEGAL)
    sent = [tool.name for tool in short.tools]
    assert all(LEGAL.fullmatch(name) for name in sent)
    assert len(set(sent)) == len(tools)
    assert [call.name for call in short.messages[0].parts] == sent
    assert list(short.tool_choice.names) == sent
    events = RealNames(real).feed([PartOpened(0, "tool_call", "c", name) for name in sent])
    assert [event.name for event in events] == tools


@given(st.lists(names.filter(LEGAL.fullmatch), min_size=1, max_size=3))
def test_names_that_fit_stay_as_they_are(tools: list[str]) -> None:
    request = asking(*tools)
    short, real = with_legal_names(request, LEGAL)
    assert short is request
    assert not real


def test_the_same_name_is_always_shortened_alike() -> None:
    long = "mcp__a_server__" + "x" * 80
    first, _ = with_legal_names(asking(long), LEGAL)
    second, _ = with_legal_names(asking("other", long), LEGAL)
    assert first.tools[0].name == second.tools[1].name
