"""Stop sequences: however the text is cut into deltas, the client gets the text before the stop
sequence that is complete first, and never waits for more text than may begin one.
"""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airelays_app.neutral.events import (
    Event,
    Failed,
    Finished,
    PartClosed,
    PartDelta,
    PartOpened,
    Started,
    UsageSeen,
)
from airelays_app.neutral.failure import Failure
from airelays_app.neutral.grammar import check
from airelays_app.neutral.stops import StopCutter
from airelays_app.neutral.usage import Usage
from tests.neutral.streams import fold, legal_streams

letters = st.text("abß🙂", max_size=14)
stop_lists = st.lists(st.text("abß🙂", min_size=1, max_size=4), min_size=1, max_size=3)


def text_before_stop(text: str, stops: tuple[str, ...]) -> str:
    """What the definition says, one character at a time."""
    for end in range(1, len(text) + 1):
        matched = [stop for stop in stops if text[:end].endswith(stop)]
        if matched:
            return text[: end - max(map(len, matched))]
    return text


def stream(pieces: list[str]) -> list[Event]:
    deltas = [PartDelta(0, piece) for piece in pieces if piece]
    opened = PartOpened(0, "text")
    return [Started("id", "m"), opened, *deltas, PartClosed(0), Finished("end")]


@given(letters, stop_lists, st.lists(st.integers(0, 14), max_size=5))
@example("abc", ["abc", "b"], [])
@example("abc", ["abc", "bc"], [1, 2])
def test_the_text_ends_before_the_first_stop(text: str, stops: list[str], cuts: list[int]) -> None:
    bounds = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(bounds)]
    cutter = StopCutter(tuple(stops))
    events = [e for event in stream(pieces) for e in cutter.feed([event])]
    check(events)
    reply = fold(events)
    assert reply.parts[0].text == text_before_stop(text, tuple(stops))
    assert cutter.hit == any(stop in text for stop in stops)
    assert reply.reason == ("stop_sequence" if cutter.hit else "end")


def test_usage_that_came_along_is_told() -> None:
    """As it does with a whole reply; a stream is closed at the stop, before its usage."""
    usage = UsageSeen(Usage(input=1, output=2))
    *events, end = stream(["one", " two", " three"])
    cutter = StopCutter((" two",))

    assert cutter.feed([*events, usage, end])[-2:] == [usage, Finished("stop_sequence", " two")]
    assert cutter.feed([usage]) == []


@given(letters, stop_lists)
def test_one_stop_is_where_the_text_is_split(text: str, stops: list[str]) -> None:
    cutter = StopCutter((stops[0],))
    reply = fold(cutter.feed(stream(list(text))))
    assert reply.parts[0].text == text.split(stops[0], maxsplit=1)[0]


@given(letters, stop_lists)
def test_no_more_is_held_back_than_may_begin_a_stop(text: str, stops: list[str]) -> None:
    cutter = StopCutter(tuple(stops))
    cutter.feed([Started("id", "m"), PartOpened(0, "text")])
    came = shown = ""
    for character in text:
        came += character
        out = cutter.feed([PartDelta(0, character)])
        shown += "".join(e.text for e in out if isinstance(e, PartDelta))
        if cutter.hit:
            return
        held = came[len(shown) :]
        assert held == "" or any(stop.startswith(held) for stop in stops)


@given(legal_streams(), stop_lists)
def test_every_stream_stays_legal_and_keeps_its_other_parts(
    events: list[Event], stops: list[str]
) -> None:
    cutter = StopCutter(tuple(stops))
    cut = cutter.feed(events)
    check(cut)
    before, after = fold(events), fold(cut)
    if not cutter.hit:
        assert after == before
    for old, new in zip(before.parts, after.parts, strict=False):
        assert old.text.startswith(new.text)


def test_only_visible_text_is_searched() -> None:
    events: list[Event] = [
        Started("id", "m"),
        PartOpened(0, "reasoning"),
        PartDelta(0, "STOP"),
        PartClosed(0),
        PartOpened(1, "tool_call", "call_1", "f"),
        PartDelta(1, "STOP"),
        PartClosed(1),
        Finished("tool_use"),
    ]
    cutter = StopCutter(("STOP",))
    assert cutter.feed(events) == events
    assert not cutter.hit


def test_what_is_held_back_is_shown_when_the_stream_fails() -> None:
    failed = Failed(Failure("other", 502, "upstream_error", "cut"))
    events: list[Event] = [Started("id", "m"), PartOpened(0, "text"), PartDelta(0, "a ST"), failed]
    cut = StopCutter(("STOP",)).feed(events)
    assert fold(cut).parts[0].text == "a ST"
    assert cut[-1] is failed


def test_open_parts_are_closed_and_their_held_text_shown() -> None:
    cutter = StopCutter(("END",))
    cut = cutter.feed(
        [
            Started("id", "m"),
            PartOpened(0, "text"),
            PartOpened(1, "text"),
            PartDelta(0, "one E"),
            PartDelta(1, "two END three"),
            PartDelta(0, "never"),
        ]
    )
    check(cut)
    assert [part.text for part in fold(cut).parts] == ["one E", "two "]
    assert cut[-1] == Finished("stop_sequence", "END")


@pytest.mark.parametrize("text", ["x" * 100_000, "ab" * 50_000])
def test_long_deltas_are_quick(text: str) -> None:
    cutter = StopCutter(("abc" * 50,))
    cutter.feed([Started("id", "m"), PartOpened(0, "text")])
    cutter.feed([PartDelta(0, text)])
    assert not cutter.hit
