"""Grouped tools on an upstream without groups: names stay as they are unless two are alike, calls
of earlier turns are renamed with their tools, and the client gets its calls back by group and name.
"""

from hypothesis import given

from airelays_app.neutral.events import Event, PartClosed, PartDelta, PartOpened
from airelays_app.neutral.grammar import check
from airelays_app.neutral.namespaces import GroupedCalls, GroupedName, flat_names
from airelays_app.neutral.request import HostedTool, Message, Request, Text, Tool, ToolCall
from tests.neutral.streams import fold, legal_streams

HOSTED = HostedTool("responses", {"type": "web_search"}, "tools[4]")
ASKED = Request(
    model="m",
    messages=(
        Message("user", (Text("Find it."),)),
        Message(
            "assistant",
            (
                ToolCall("c1", "search", "{}", namespace="files"),
                ToolCall("c2", "send", "{}", namespace="mail"),
                ToolCall("c3", "search", "{}"),
                ToolCall("c4", "gone", "{}", namespace="lost"),
            ),
        ),
    ),
    tools=(
        Tool("search"),
        Tool("search", namespace="files", description="In files."),
        Tool("search", namespace="mail"),
        Tool("send", namespace="mail"),
        HOSTED,
    ),
)
NAMES = flat_names(ASKED)
FLAT = NAMES.flattened(ASKED)


def test_only_a_name_that_is_there_twice_gets_its_group_in_front() -> None:
    *tools, hosted = FLAT.tools

    assert hosted == HOSTED
    assert [tool.name for tool in tools if isinstance(tool, Tool)] == [
        "search",
        "files__search",
        "mail__search",
        "send",
    ]
    assert tools[1] == Tool("files__search", description="In files.")


def test_earlier_calls_are_renamed_with_their_tools() -> None:
    question, calls = FLAT.messages

    assert question == ASKED.messages[0]
    assert calls.parts == (
        ToolCall("c1", "files__search", "{}"),
        ToolCall("c2", "send", "{}"),
        ToolCall("c3", "search", "{}"),
        ToolCall("c4", "gone", "{}"),
    )


def test_the_reply_names_group_and_tool() -> None:
    restorer = NAMES.restorer()
    assert restorer is not None
    closed = PartClosed(0)

    events = restorer.feed(
        [
            PartOpened(0, "tool_call", "c5", "mail__search"),
            PartDelta(0, "{}"),
            closed,
            PartOpened(1, "custom_call", "c6", "send"),
            PartOpened(2, "tool_call", "c7", "search"),
        ]
    )

    assert events == [
        PartOpened(0, "tool_call", "c5", "search", {"namespace": "mail"}),
        PartDelta(0, "{}"),
        closed,
        PartOpened(1, "custom_call", "c6", "send", {"namespace": "mail"}),
        PartOpened(2, "tool_call", "c7", "search"),
    ]


def test_without_groups_nothing_is_done() -> None:
    plain = Request(model="m", messages=(), tools=(Tool("search"), HOSTED))

    names = flat_names(plain)

    assert names.restorer() is None
    assert names.flattened(plain) == plain


@given(legal_streams())
def test_every_stream_stays_legal_and_other_parts_stay_as_they_are(events: list[Event]) -> None:
    back = GroupedCalls({GroupedName("mail", "send"): "tool_1"}).feed(events)
    check(back)
    for number, (old, new) in enumerate(zip(fold(events).parts, fold(back).parts, strict=True)):
        if number == 1 and old.kind in ("tool_call", "custom_call"):
            assert (new.name, new.text, new.id) == ("send", old.text, old.id)
        else:
            assert old == new
