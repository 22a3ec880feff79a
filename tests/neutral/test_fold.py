"""Folding gives back the reply whose events are folded; counts of tokens are disjoint."""

from hypothesis import given
from hypothesis import strategies as st

from airelays_app.neutral.events import (
    Finished,
    Noted,
    PartClosed,
    PartDelta,
    PartOpened,
    PartSealed,
    Started,
    UsageSeen,
)
from airelays_app.neutral.fold import Reply, ReplyPart
from airelays_app.neutral.seals import Seal
from airelays_app.neutral.usage import Usage, usage_of_totals
from tests.neutral.streams import fold

counts = st.integers(0, 10_000)
parts = st.builds(
    ReplyPart,
    kind=st.sampled_from(["text", "refusal", "reasoning", "tool_call", "custom_call"]),
    text=st.text(),
    id=st.none() | st.text(min_size=1),
    name=st.none() | st.text(min_size=1),
    seal=st.none() | st.builds(Seal, dialect=st.just("responses"), payload=st.text()),
    annotations=st.lists(st.dictionaries(st.text(), st.integers(), max_size=2), max_size=2),
)
replies = st.builds(
    Reply,
    id=st.text(),
    model=st.text(),
    parts=st.lists(parts, max_size=5),
    usage=st.none() | st.builds(Usage, counts, counts, counts, counts, counts),
    reason=st.sampled_from(["end", "length", "tool_use"]),
)


def unfolded(reply):
    yield Started(reply.id, reply.model)
    for number, part in enumerate(reply.parts):
        yield PartOpened(number, part.kind, part.id, part.name)
        yield PartDelta(number, part.text)
        yield from (Noted(number, "annotation", each) for each in part.annotations)
        if part.seal:
            yield PartSealed(number, part.seal)
        yield PartClosed(number)
    if reply.usage:
        yield UsageSeen(reply.usage)
    yield Finished(reply.reason)


@given(replies)
def test_folding_undoes_unfolding(reply: Reply) -> None:
    assert fold(unfolded(reply)) == reply


@given(counts, counts, counts, counts, counts)
def test_counts_are_disjoint(a: int, b: int, c: int, d: int, e: int) -> None:
    usage = usage_of_totals(
        input_total=a + b + c, cache_read=b, cache_write=c, output_total=d + e, reasoning=e
    )
    assert usage == Usage(a, b, c, d, e)
    assert usage.total == a + b + c + d + e
