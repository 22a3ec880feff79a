"""Parts that share a place speak one after the other, in the order in which they opened."""

from hypothesis import given
from hypothesis import strategies as st

from airelays_app.neutral.events import Event, Failed, PartClosed, PartDelta, PartOpened
from airelays_app.neutral.grammar import check
from airelays_app.neutral.sequence import OneAtATime, Turns
from tests.neutral.streams import fold, legal_streams


def said_in_turns(events: list[Event]) -> list[tuple[int, str]]:
    """Return what is said at one place, by part and text."""
    turns, said = Turns(), list[tuple[int, str]]()
    for event in events:
        match event:
            case PartOpened(part=part):
                turns.open(part, "content")
            case PartDelta(part=part, text=text) if turns.may_speak(part):
                said.append((part, text))
            case PartDelta(part=part, text=text):
                turns.hold(part, text)
            case PartClosed(part=part):
                said += turns.close(part)
            case Failed():
                said += turns.give_up()
    return said


@given(legal_streams(kinds=("text",)))
def test_interleaved_parts_come_one_after_the_other(events: list[Event]) -> None:
    said = said_in_turns(events)
    assert [part for part, _ in said] == sorted(part for part, _ in said)
    assert "".join(text for _, text in said) == "".join(p.text for p in fold(events).parts)


def test_places_do_not_wait_for_each_other() -> None:
    turns = Turns()
    turns.open(0, "content")
    turns.open(1, "refusal")
    assert turns.may_speak(0)
    assert turns.may_speak(1)


def test_a_part_without_a_place_closes_silently() -> None:
    assert Turns().close(7) == []


def meaning(events: list[Event]) -> object:
    reply = fold(events)
    return reply.parts, reply.usage, reply.reason, reply.stop, reply.failure


@given(legal_streams())
def test_a_stream_made_sequential_is_legal_and_means_the_same(events: list[Event]) -> None:
    sequential = OneAtATime().feed(events)
    check(sequential)
    open_parts = 0
    for event in sequential:
        open_parts += isinstance(event, PartOpened) - isinstance(event, PartClosed)
        assert open_parts <= 1
    assert meaning(sequential) == meaning(events)


@given(legal_streams(), st.data())
def test_the_oldest_open_part_is_never_kept_waiting(
    events: list[Event], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(events)))
    seen = events[:cut]
    oldest = next(
        (e.part for e in seen if isinstance(e, PartOpened) and not closed(e.part, seen)), None
    )
    passed = OneAtATime().feed(seen)
    assert [e for e in passed if of_part(e, oldest)] == [e for e in seen if of_part(e, oldest)]


def closed(part: int, events: list[Event]) -> bool:
    return any(isinstance(event, PartClosed) and event.part == part for event in events)


def of_part(event: Event, part: int | None) -> bool:
    return part is not None and getattr(event, "part", None) == part
