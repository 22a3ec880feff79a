"""Splitting SSE: any cut of the bytes gives the same blocks, and the blocks are the bytes.

Lines end in LF, CRLF or CR only: U+2028, U+2029, U+0085 and VT are text.
"""

import itertools
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airelays_app.framing.sse import (
    BlockTooLargeError,
    Frame,
    SseSplitter,
    data_block,
    event_block,
    parse_block,
    runs_of,
)

line_ends = st.sampled_from([b"\n", b"\r\n", b"\r"])
text = st.text(
    st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20
).map(str.encode)
lines = st.one_of(
    text.map(lambda value: b"data: " + value),
    text.map(lambda value: b"data:" + value),
    text.map(lambda value: b"event: " + value),
    text.map(lambda value: b": " + value),
    st.sampled_from(["data: \u2028x\u0085y\x0bz".encode(), b"retry: 3", b"id: 1", b"data"]),
)


@st.composite
def streams(draw: st.DrawFn, ends: st.SearchStrategy[bytes] = line_ends) -> bytes:
    end = draw(ends)
    blocks = draw(st.lists(st.lists(lines, min_size=1, max_size=4), max_size=6))
    stream = b"".join(b"".join(line + end for line in block) + end for block in blocks)
    return stream + draw(st.sampled_from([b"", b"data: rest", b"data: rest" + end]))


def split(pieces: list[bytes], splitter: SseSplitter | None = None) -> list[bytes]:
    splitter = splitter or SseSplitter()
    blocks = [block for piece in pieces for block in splitter.feed(piece)]
    rest = splitter.close()
    return [*blocks, rest] if rest else blocks


@given(streams(), st.data())
def test_any_cut_gives_the_same_blocks(stream: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    bounds = [0, *cuts, len(stream)]
    pieces = [stream[a:b] for a, b in itertools.pairwise(bounds)]
    whole = split([stream])
    assert split(pieces) == whole
    assert split([stream[i : i + 1] for i in range(len(stream))]) == whole


@given(streams())
def test_the_blocks_concatenate_to_the_stream(stream: bytes) -> None:
    assert b"".join(split([stream])) == stream


@given(st.lists(text.filter(bool), min_size=1, max_size=5), line_ends)
def test_each_event_is_one_block_with_its_data(values: list[bytes], end: bytes) -> None:
    stream = b"".join(b"data: " + value + end + end for value in values)
    frames = [parse_block(block) for block in split([stream])]
    assert [frame.data for frame in frames] == values


@given(streams(st.just(b"\n")), st.data())
def test_crlf_makes_the_same_blocks_as_lf(stream: bytes, data: st.DataObject) -> None:
    crlf = stream.replace(b"\n", b"\r\n")
    cut = data.draw(st.integers(0, len(crlf)))

    blocks = split([crlf[:cut], crlf[cut:]])

    assert blocks == [block.replace(b"\n", b"\r\n") for block in split([stream])]
    assert list(map(parse_block, blocks)) == list(map(parse_block, split([stream])))


@given(
    st.lists(st.sampled_from([b"data: a", b"x", b"\n", b"\r\n", b"\r"]), max_size=12),
    st.integers(0, 84),
)
@example(pieces=[b"x", b"\n", b"data: a", b"\r\n", b"\r\n"], cut=0)
def test_mixed_line_ends_make_the_same_blocks_at_any_cut(pieces: list[bytes], cut: int) -> None:
    stream = b"".join(pieces)

    assert split([stream[:cut], stream[cut:]]) == by_lines(stream)


def by_lines(stream: bytes) -> list[bytes]:
    """Return the blocks of a stream, told by its lines one after the other."""
    blocks, seen = [b""], 0
    for line in re.findall(rb"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", stream):
        blocks[-1] += line
        seen += len(line)
        is_blank = not line.strip(b"\r\n") and len(blocks[-1]) > len(line)
        if is_blank and not (seen == len(stream) and line == b"\r"):
            blocks.append(b"")
    return blocks if blocks[-1] else blocks[:-1]


def test_a_block_may_have_a_name_and_several_data_lines() -> None:
    block = b": hello\r\nevent: x\r\ndata: a\r\nid: 7\r\ndata:b\r\n\r\n"
    assert parse_block(block) == Frame(b"x", b"a\nb")


def test_a_comment_has_no_data() -> None:
    assert parse_block(b": keep-alive\n\n") == Frame(b"", None)


def test_unicode_line_separators_are_text() -> None:
    value = "a\u2028b\u2029c\u0085d\x0be\x0cf".encode()
    assert [parse_block(block).data for block in split([b"data: " + value + b"\n\n"])] == [value]


def test_what_is_written_is_what_is_read() -> None:
    assert parse_block(data_block(b"{}")) == Frame(b"", b"{}")
    assert parse_block(event_block(b"e", b"{}")) == Frame(b"e", b"{}")


WORDS = runs_of(rb"data: [a-z]\r?\n\r?\n")


@given(
    st.lists(st.sampled_from([b"data: a\n\n", b"data: b\n\n", b"data: 1\n\n", b"\n", b":"])),
    st.sampled_from([b"\n", b"\r\n"]),
)
def test_runs_stay_together_and_nothing_else_changes(pieces: list[bytes], end: bytes) -> None:
    stream = b"".join(pieces).replace(b"\n", end)
    blocks = split([stream])
    word = re.compile(rb"data: [a-z]" + end + end)
    joined = itertools.groupby(blocks, key=lambda block: bool(word.match(block)))
    expected = [[b"".join(group)] if word else list(group) for word, group in joined]
    assert split([stream], SseSplitter(WORDS)) == list(itertools.chain(*expected))


def test_runs_that_come_in_pieces_are_found_in_each_piece() -> None:
    splitter = SseSplitter(WORDS)
    pieces = [b"data: a\n\ndata: b\n\nda", b"ta: c\n\ndata: d\n\ndata: 1\n\n"]
    assert [splitter.feed(piece) for piece in pieces] == [
        [b"data: a\n\ndata: b\n\n"],
        [b"data: c\n\ndata: d\n\n", b"data: 1\n\n"],
    ]


def test_an_endless_event_is_refused() -> None:
    splitter = SseSplitter(max_block_bytes=1000)
    splitter.feed(b"data: " + b"x" * 900)
    with pytest.raises(BlockTooLargeError):
        splitter.feed(b"x" * 900)
