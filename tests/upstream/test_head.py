"""An answer's head is read the same for every cut, within limits, and strictly."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.errors import UpstreamError
from airelays_app.upstream.head import HEAD_LIMIT, HEADER_COUNT_LIMIT, HeadParser, parse_head

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,12}", fullmatch=True)
VALUES = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=30
)


def feed_in_steps(data, step):
    parser = HeadParser()
    for start in range(0, len(data), step):
        assert parser.feed(data[start : start + step]) is None


@given(
    st.integers(200, 599),
    st.lists(st.tuples(NAMES, VALUES), max_size=8),
    st.sampled_from([b"\r\n", b"\n"]),
    st.integers(0, 2),
    st.binary(max_size=20),
    st.lists(st.integers(min_value=0)),
)
def test_any_cut_gives_the_same_head(status, fields, eol, interim, rest, places):
    lines = [f"HTTP/1.1 {status} Reason".encode()]
    lines += [f"{name}: {value}".encode("latin-1") for name, value in fields]
    data = (b"HTTP/1.1 103 Early Hints" + eol + b"Link: x" + eol * 2) * interim
    end_of_head = len(data) + len(eol.join(lines)) + 2 * len(eol)
    data += eol.join(lines) + eol * 2 + rest
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    parser = HeadParser()
    for start, end in pairwise(edges):
        parsed = parser.feed(data[start:end])
        if parsed is not None:
            break
    head, after = parsed
    assert head.status == status
    assert after == data[end_of_head:end]
    expected = {}
    for name, value in fields:
        expected.setdefault(name.lower(), []).append(value.strip(" \t"))
    assert dict(head.headers) == {name: ", ".join(values) for name, values in expected.items()}


def test_headers_are_found_in_any_case_and_repeated_ones_joined():
    headers = parse_head(b"HTTP/1.1 200 OK\r\nX-One: a\r\nx-one:b\r\nEmpty:").headers
    assert headers["X-ONE"] == headers.get("x-one") == "a, b"
    assert headers["empty"] == ""
    assert "X-None" not in headers
    assert headers.get("x-none") is None
    assert "a, b" not in repr(headers)


def test_the_reason_may_be_missing():
    assert parse_head(b"HTTP/1.1 200").reason == ""
    assert parse_head(b"HTTP/1.0 404 Not Found").minor == 0


def test_an_upgrade_is_a_final_answer():
    parsed = HeadParser().feed(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nabc")
    assert parsed is not None
    assert (parsed[0].status, parsed[1]) == (101, b"abc")


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x01\x00\x02\x02\x16",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 99 Low\r\n\r\n",
        b"HTTP/1.1 2000 High\r\n\r\n",
        b"HTTP/1.1  200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\rSet-Cookie: c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA\xe9: b\r\n\r\n",
    ],
)
def test_a_malformed_head_is_refused(data):
    with pytest.raises(UpstreamError):
        HeadParser().feed(data)


@pytest.mark.parametrize("step", [1000, 1_000_000])
def test_a_head_may_not_grow_without_end(step):
    data = b"HTTP/1.1 200 OK\r\nA: " + b"x" * (HEAD_LIMIT + 1) + b"\r\n\r\n"
    with pytest.raises(UpstreamError, match="longer than"):
        feed_in_steps(data, step)


def test_the_number_of_headers_is_limited():
    fields = b"A: b\r\n" * HEADER_COUNT_LIMIT
    parsed = HeadParser().feed(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n")
    assert parsed is not None
    with pytest.raises(UpstreamError, match="more than"):
        HeadParser().feed(b"HTTP/1.1 200 OK\r\n" + fields + b"A: b\r\n\r\n")


def test_interim_heads_do_not_come_without_end():
    head = b"HTTP/1.1 100 Continue\r\n\r\n"
    with pytest.raises(UpstreamError, match="without end"):
        feed_in_steps(head * 10_000, len(head))
