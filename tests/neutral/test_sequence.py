"""Parts that share a place speak one after the other, in the order in which they opened."""

from hypothesis import given

from airelays_app.neutral.events import Event, Failed, PartClosed, PartDelta, PartOpened
from airelays_app.neutral.fold import fold
from airelays_app.neutral.sequence import Turns
from tests.neutral.streams import legal_streams


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
