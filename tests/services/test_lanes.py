"""However an upstream's bytes are cut on their way, the client of every dialect gets the same.

Streams that were recorded and streams that are made up, in each dialect that an upstream speaks;
what is collected of a stream for a whole reply is the same too.
"""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airelays_app.dialects import DIALECTS
from airelays_app.dialects.base import ReplyContext
from airelays_app.framing.sse import SseSplitter
from airelays_app.services.lanes import TranslatedLane
from tests.dialects.transcripts import CASES, classify, wire_of
from tests.neutral.streams import legal_streams

UPSTREAMS = [name for name, dialect in DIALECTS.items() if dialect.decoder]
CUTS = st.lists(st.integers(0, 20_000), min_size=1, max_size=8)


def context():
    numbers = itertools.count()
    return ReplyContext(
        id="reply_1",
        created=1_800_000_000,
        model="m",
        fresh_id=lambda prefix: f"{prefix}_{next(numbers)}",
        provider="p",
        include_usage=True,
        echo={"thinking": True, "includeThoughts": True},
    )


def crossed(upstream, client, pieces):
    """Return what the client gets of a stream that arrives in pieces, and what is collected."""
    lane = TranslatedLane(
        DIALECTS[upstream].decoder(classify),
        encoder=DIALECTS[client].encoder(context()),
        collects=True,
    )
    splitter = SseSplitter(lane.runs)
    sent = [lane.feed(splitter.feed(piece)) for piece in pieces]
    rest = splitter.close()
    sent += [lane.feed([rest] if rest else []), lane.end_of_input()]
    assert lane.ended
    return b"".join(sent), lane.reply()


def cut(wire, places):
    bounds = [0, *sorted(place % (len(wire) + 1) for place in places), len(wire)]
    return [wire[start:end] for start, end in itertools.pairwise(bounds)]


@pytest.mark.parametrize("client", DIALECTS)
@pytest.mark.parametrize("upstream", UPSTREAMS)
@settings(max_examples=10)
@given(events=legal_streams(), places=CUTS)
def test_the_cut_of_a_stream_makes_no_difference(upstream, client, events, places):
    wire = DIALECTS[upstream].encoder(context()).feed(events)

    assert crossed(upstream, client, cut(wire, places)) == crossed(upstream, client, [wire])


@pytest.mark.parametrize("client", DIALECTS)
@pytest.mark.parametrize(("upstream", "case"), CASES)
def test_nor_does_that_of_what_upstreams_have_really_sent(upstream, case, client):
    wire = wire_of(upstream, case)

    each = crossed(upstream, client, [wire[i : i + 1] for i in range(len(wire))])

    assert each == crossed(upstream, client, [wire])
