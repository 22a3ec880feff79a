"""The grammar accepts every legal stream and names what is wrong with each illegal one."""

import pytest
from hypothesis import given

from airelays_app.neutral.events import (
    Event,
    Failed,
    Finished,
    Noted,
    PartClosed,
    PartDelta,
    PartOpened,
    PartSealed,
    Started,
    UsageSeen,
)
from airelays_app.neutral.failure import Failure
from airelays_app.neutral.grammar import IllegalStreamError, check
from airelays_app.neutral.seals import Seal
from airelays_app.neutral.usage import Usage
from tests.neutral.streams import legal_streams

BEGIN = Started("id", "model")
TEXT = PartOpened(0, "text")
END = Finished("end")
FAILED = Failed(Failure("other", 502, "upstream_error", "cut"))


@given(legal_streams())
def test_generated_streams_are_legal(events: list[Event]) -> None:
    check(events)


def test_a_failure_may_stand_alone() -> None:
    check([FAILED])


@pytest.mark.parametrize(
    "events",
    [
        [],
        [BEGIN],
        [END],
        [BEGIN, BEGIN, END],
        [TEXT, BEGIN, END],
        [UsageSeen(Usage()), BEGIN, END],
        [BEGIN, PartOpened(1, "text"), PartClosed(1), END],
        [BEGIN, TEXT, TEXT, PartClosed(0), END],
        [BEGIN, PartDelta(0, "a"), END],
        [BEGIN, TEXT, PartDelta(0, ""), PartClosed(0), END],
        [BEGIN, TEXT, PartClosed(0), PartDelta(0, "a"), END],
        [BEGIN, TEXT, PartClosed(0), PartSealed(0, Seal("responses", "s")), END],
        [BEGIN, TEXT, PartClosed(0), Noted(0, "annotation", {}), END],
        [BEGIN, TEXT, PartClosed(0), PartClosed(0), END],
        [BEGIN, TEXT, END],
        [BEGIN, END, UsageSeen(Usage())],
        [BEGIN, FAILED, END],
        [FAILED, BEGIN],
    ],
)
def test_an_illegal_stream_is_refused(events: list[Event]) -> None:
    with pytest.raises(IllegalStreamError):
        check(events)
