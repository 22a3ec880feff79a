"""Folding is the inverse of unfolding, and every unfolded reply is a legal stream."""

from hypothesis import given
from hypothesis import strategies as st

from airelays_app.neutral.failure import Failure
from airelays_app.neutral.fold import Reply, ReplyPart, fold, unfold
from airelays_app.neutral.grammar import check
from airelays_app.neutral.seals import Seal
from airelays_app.neutral.usage import Usage, usage_of_totals

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


@given(replies)
def test_folding_undoes_unfolding(reply: Reply) -> None:
    assert fold(unfold(reply)) == reply


@given(replies, st.booleans())
def test_an_unfolded_reply_is_a_legal_stream(reply: Reply, fails: bool) -> None:
    if fails:
        reply.failure = Failure("other", 502, "upstream_error", "cut")
    check(unfold(reply))


@given(counts, counts, counts, counts, counts)
def test_counts_are_disjoint(a: int, b: int, c: int, d: int, e: int) -> None:
    usage = usage_of_totals(
        input_total=a + b + c, cache_read=b, cache_write=c, output_total=d + e, reasoning=e
    )
    assert usage == Usage(a, b, c, d, e)
    assert usage.total == a + b + c + d + e
