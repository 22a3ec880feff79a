"""Compressed bodies decode alike for every cut, in bounded steps, and never end clean when cut."""

import gzip
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.errors import UpstreamCut, UpstreamError
from airelays_app.upstream.content_encoding import decoder_of

CODINGS = {
    "gzip": gzip.compress,
    "x-gzip": lambda data: gzip.compress(data[:5]) + gzip.compress(data[5:]),
    "Deflate": zlib.compress,
    " deflate ": lambda data: zlib.compress(data, wbits=-15),
    "identity": bytes,
    "": bytes,
}


def decoded(name, parts):
    decoder = decoder_of(name)
    got = b"".join(piece for part in parts for piece in decoder.decode(part))
    decoder.finish()
    return got


@given(st.sampled_from(sorted(CODINGS)), st.binary(), st.lists(st.integers(min_value=0)))
def test_any_cut_gives_the_same_bytes(name, data, places):
    coded = CODINGS[name](data)
    edges = [0, *sorted(place % (len(coded) + 1) for place in places), len(coded)]
    assert decoded(name, [coded[a:b] for a, b in pairwise(edges)]) == data


@pytest.mark.parametrize("name", ["gzip", "Deflate"])
def test_a_bomb_comes_in_bounded_pieces(name):
    decoder = decoder_of(name)
    sizes = [len(piece) for piece in decoder.decode(CODINGS[name](bytes(50_000_000)))]
    assert sum(sizes) == 50_000_000
    assert max(sizes) <= 262_144


@pytest.mark.parametrize("name", ["gzip", "Deflate"])
def test_a_cut_body_is_an_error(name):
    with pytest.raises(UpstreamCut):
        decoded(name, [CODINGS[name](b"hello" * 100)[:-3]])


def test_a_body_that_never_began_is_empty():
    assert decoded("gzip", []) == b""


@pytest.mark.parametrize(
    ("name", "data"), [("gzip", b"plain text"), ("deflate", zlib.compress(b"a") + b"more")]
)
def test_a_broken_body_is_an_error(name, data):
    with pytest.raises(UpstreamError):
        decoded(name, [data])


@pytest.mark.parametrize("name", ["br", "zstd", "gzip, br", "compress"])
def test_what_was_not_asked_for_is_refused(name):
    with pytest.raises(UpstreamError, match="not asked for"):
        decoder_of(name)
