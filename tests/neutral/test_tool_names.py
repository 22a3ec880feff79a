"""A name that an upstream finds too long is shortened for it, and the client never knows."""

from hypothesis import given
from hypothesis import strategies as st

from airelays_app.neutral.events import PartOpened
from airelays_app.neutral.request import Message, Request, Tool, ToolCall, ToolChoice
from airelays_app.neutral.tool_names import RealNames, with_short_names

names = st.text("abc_-", min_size=1, max_size=100)


def asking(*tools: str) -> Request:
    return Request(
        "m",
        (Message("assistant", tuple(ToolCall("c", name, "{}") for name in tools)),),
        tools=tuple(map(Tool, tools)),
        tool_choice=ToolChoice("allowed", tools),
    )


@given(st.lists(names, min_size=1, max_size=6, unique=True))
def test_every_name_fits_and_leads_back(tools: list[str]) -> None:
    short, real = with_short_names(asking(*tools), 64)
    sent = [tool.name for tool in short.tools]
    assert all(len(name) <= 64 for name in sent)
    assert len(set(sent)) == len(tools)
    assert [call.name for call in short.messages[0].parts] == sent
    assert list(short.tool_choice.names) == sent
    events = RealNames(real).feed([PartOpened(0, "tool_call", "c", name) for name in sent])
    assert [event.name for event in events] == tools


@given(st.lists(names.filter(lambda name: len(name) <= 64), min_size=1, max_size=3))
def test_names_that_fit_stay_as_they_are(tools: list[str]) -> None:
    request = asking(*tools)
    short, real = with_short_names(request, 64)
    assert short is request
    assert not real


def test_the_same_name_is_always_shortened_alike() -> None:
    long = "mcp__a_server__" + "x" * 80
    first, _ = with_short_names(asking(long), 64)
    second, _ = with_short_names(asking("other", long), 64)
    assert first.tools[0].name == second.tools[1].name
