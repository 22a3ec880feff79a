"""A chunked body decodes the same for every cut of its bytes, and broken framing is an error."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.errors import UpstreamError
from airelays_app.upstream.dechunk import LINE_LIMIT, TRAILER_LIMIT, Dechunker

CHUNKS = st.lists(st.binary(min_size=1, max_size=40), max_size=12)
EXTENSIONS = st.sampled_from([b"", b";a=b", b" ; a", b'; q="x y"'])
TRAILERS = st.sampled_from([b"", b"X-Sum: 1\r\n", b"A: b\r\nC: d\r\n"])


def encode(chunks, extensions, trailer, upper):
    size = b"%X" if upper else b"%x"
    coded = [
        size % len(chunk) + extension + b"\r\n" + chunk + b"\r\n"
        for chunk, extension in zip(chunks, extensions, strict=True)
    ]
    return b"".join(coded) + b"0\r\n" + trailer + b"\r\n"


@st.composite
def bodies(draw):
    chunks = draw(CHUNKS)
    extensions = draw(st.lists(EXTENSIONS, min_size=len(chunks), max_size=len(chunks)))
    return b"".join(chunks), encode(chunks, extensions, draw(TRAILERS), draw(st.booleans()))


def cut(data, places):
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


def feed_in_steps(dechunker, data, step):
    for start in range(0, len(data), step):
        dechunker.feed(data[start : start + step])


@given(bodies(), st.lists(st.integers(min_value=0)))
def test_any_cut_gives_the_same_payload(body, places):
    payload, coded = body
    dechunker = Dechunker()
    got = b""
    for part in cut(coded, places):
        assert not (dechunker.done and part)
        got += dechunker.feed(part)
    assert got == payload
    assert dechunker.done
    assert not dechunker.surplus


@given(bodies())
def test_byte_by_byte_every_payload_byte_comes_at_once(body):
    payload, coded = body
    dechunker = Dechunker()
    pieces = [dechunker.feed(bytes([value])) for value in coded]
    assert all(len(piece) <= 1 for piece in pieces)
    assert b"".join(pieces) == payload
    assert dechunker.done


@given(bodies(), st.data())
def test_a_truncated_body_is_never_done(body, data):
    payload, coded = body
    length = data.draw(st.integers(min_value=0, max_value=len(coded) - 1))
    dechunker = Dechunker()
    got = dechunker.feed(coded[:length])
    assert payload.startswith(got)
    assert not dechunker.ended()


@given(bodies(), st.binary(min_size=1))
def test_bytes_after_the_end_are_noticed(body, more):
    payload, coded = body
    dechunker = Dechunker()
    assert dechunker.feed(coded + more) == payload
    assert dechunker.done
    assert dechunker.surplus


@given(st.binary(max_size=200), st.lists(st.integers(min_value=0)))
def test_garbage_is_decoded_or_refused_alike_in_every_cut(data, places):
    def outcome(parts):
        dechunker = Dechunker()
        got = b""
        try:
            for part in parts:
                if not dechunker.done:
                    got += dechunker.feed(part)
        except UpstreamError:
            return "refused"
        return got, dechunker.done

    assert outcome([data]) == outcome(cut(data, places))


@pytest.mark.parametrize(
    "coded",
    [
        b"\r\n",
        b"g\r\n",
        b"-5\r\nhello\r\n",
        b"+5\r\nhello\r\n",
        b"0x5\r\nhello\r\n",
        b"1_0\r\n",
        b" 5\r\nhello\r\n",
        b"5\nhello\n",
        b"5 5\r\nhello\r\n",
        b"3\r\nhello\r\n",
        b"5\r\nhelloXX",
        b"5\r\nhello\rX",
        b"5\r\nhello\n",
        b"12345678901234567\r\n",
        b"5" + b";" * LINE_LIMIT + b"\r\n",
        b"5" * (LINE_LIMIT + 1),
        b"0\r\n" + b"A: b\r\n" * TRAILER_LIMIT,
        b"0\r\n" + b"A" * (TRAILER_LIMIT + 1),
    ],
)
@pytest.mark.parametrize("step", [1, 7, 10_000_000])
def test_broken_framing_is_refused(coded, step):
    # A line feed alone ends no line: only the next CRLF shows that the line is broken.
    coded = coded if b"\r\n" in coded else coded + b"\r\n"
    with pytest.raises(UpstreamError, match="chunked body is broken"):
        feed_in_steps(Dechunker(), coded, step)


def test_a_huge_size_costs_no_memory():
    dechunker = Dechunker()
    assert dechunker.feed(b"ffffffffffffffff\r\nabc") == b"abc"
    assert dechunker.feed(b"def") == b"def"
    assert not dechunker.ended()
