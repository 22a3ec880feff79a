"""Decoders: every recorded stream means the recorded reply, as a legal stream of events, however
the network cuts its bytes and whichever line ends it has. Garbage never passes unseen.
"""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airelays_app.dialects import CHAT, DIALECTS, RESPONSES
from airelays_app.framing.jsontext import JsonTextError, dumps, loads
from airelays_app.framing.sse import data_block, event_block, parse_block
from airelays_app.neutral.events import Event
from airelays_app.neutral.grammar import check
from tests.dialects.transcripts import (
    CASES,
    classify,
    decode,
    expected,
    joined,
    summary,
    wire_of,
)
from tests.neutral.streams import fold

NONSENSE = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What a lane turns into "the upstream's stream is malformed"."""


@pytest.mark.parametrize(("dialect", "case"), CASES)
def test_a_recorded_stream_means_the_recorded_reply(dialect: str, case: str) -> None:
    events = decode(dialect, [wire_of(dialect, case)])
    check(events)
    reply = fold(events)
    assert summary(reply) == expected(dialect, case, reply)


@pytest.mark.parametrize(("dialect", "case"), CASES)
def test_the_cut_of_the_bytes_makes_no_difference(dialect: str, case: str) -> None:
    wire = wire_of(dialect, case)
    whole = decode(dialect, [wire])
    assert decode(dialect, [wire[i : i + 1] for i in range(len(wire))]) == whole
    randomly = random.Random(case)
    for _ in range(20):
        cuts = sorted(randomly.choices(range(len(wire) + 1), k=randomly.randint(1, 12)))
        bounds = [0, *cuts, len(wire)]
        assert decode(dialect, [wire[a:b] for a, b in itertools.pairwise(bounds)]) == whole


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"])
@pytest.mark.parametrize(("dialect", "case"), CASES)
def test_the_line_end_makes_no_difference(dialect: str, case: str, line_end: bytes) -> None:
    wire = wire_of(dialect, case)
    other = wire.replace(b"\n", line_end)
    assert decode(dialect, [other[i : i + 7] for i in range(0, len(other), 7)]) == decode(
        dialect, [wire]
    )


@pytest.mark.parametrize(("dialect", "case"), CASES)
def test_a_missing_last_blank_line_makes_no_difference(dialect: str, case: str) -> None:
    wire = wire_of(dialect, case)
    assert decode(dialect, [wire.rstrip(b"\n")]) == decode(dialect, [wire])


@pytest.mark.parametrize(("dialect", "case"), CASES)
def test_a_stream_cut_anywhere_is_legal_and_never_ends_well_too_early(
    dialect: str, case: str
) -> None:
    blocks = [block + b"\n\n" for block in wire_of(dialect, case).split(b"\n\n") if block]
    whole = decode(dialect, blocks)
    for count in range(len(blocks)):
        events = decode(dialect, blocks[:count])
        check(events)
        reply = fold(events)
        if reply.failure is None:
            finished = joined(events)[-1], joined(whole)[-1]
            assert finished[0] == finished[1], "only what follows the end may be missing"


@pytest.mark.parametrize("dialect", ["responses", "chat", "messages", "gemini"])
@pytest.mark.parametrize(
    "data", [b"{", b'{"a":', b"1", b"[]", b'"text"', b"\xff", b'{"a":1}{"b":2}', b"NaN"]
)
def test_data_that_is_no_object_is_nonsense(dialect: str, data: bytes) -> None:
    with pytest.raises(NONSENSE):
        decode(dialect, [b"data: %b\n\n" % data])


@pytest.mark.parametrize("dialect", ["responses", "chat", "messages", "gemini"])
@pytest.mark.parametrize("block", [b": comment\n\n", b"data:\n\n", b"data: \n\n", b"id: 3\n\n"])
def test_what_carries_no_data_is_skipped(dialect: str, block: bytes) -> None:
    make = DIALECTS[dialect].decoder
    assert make is not None
    assert make(classify).feed([block]) == []


junk = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                "type id item response output content part delta choices usage error message "
                "tool_calls function index output_index status text summary content_block "
                "signature partial_json stop_reason citation candidates parts thought "
                "thoughtSignature functionCall inlineData finishReason promptFeedback".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200)
@given(
    st.sampled_from(CASES),
    st.data(),
)
def test_a_damaged_stream_stays_legal_or_is_nonsense(
    chosen: tuple[str, str], data: st.DataObject
) -> None:
    dialect, case = chosen
    blocks = [b + b"\n\n" for b in wire_of(dialect, case).split(b"\n\n") if b]
    events = [damaged(block, data) for block in blocks]
    order = data.draw(st.permutations(events)) if data.draw(st.booleans()) else events
    try:
        check(decode(dialect, list(order)))
    except NONSENSE:
        return


@settings(max_examples=200)
@given(st.sampled_from(CASES), st.data())
def test_a_comment_in_an_event_makes_no_difference(
    chosen: tuple[str, str], data: st.DataObject
) -> None:
    """What is usual is read in a shorter way, and means the same as by the long one."""
    dialect, case = chosen
    blocks = [b + b"\n\n" for b in wire_of(dialect, case).split(b"\n\n") if b]
    usual = [damaged(block, data) for block in blocks]
    commented = [b": comment\n" + block for block in usual]
    assert decoded_or_nonsense(dialect, usual) == decoded_or_nonsense(dialect, commented)


NEARLY_USUAL = {
    "messages": {
        "another type": {"type": "ping", "index": 0, "delta": {"type": "text_delta", "text": "x"}},
        "another delta": {"type": "content_block_delta", "index": 0, "delta": {"text": "x"}},
        "another block": {
            "type": "content_block_delta",
            "index": 7,
            "delta": {"type": "text_delta", "text": "x"},
        },
    },
    "gemini": {
        "a thought": {"candidates": [{"content": {"parts": [{"text": "x", "thought": True}]}}]},
        "a signature": {
            "candidates": [{"content": {"parts": [{"text": "x", "thoughtSignature": "c2VhbA=="}]}}]
        },
        "a reason to stop": {
            "candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "SAFETY"}]
        },
        "an error": {"candidates": [{"content": {"parts": [{"text": "x"}]}}], "error": {"code": 1}},
        "two parts": {"candidates": [{"content": {"parts": [{"text": "x"}, {"text": "y"}]}}]},
    },
}
"""Events that differ in one thing from more text of the part that is open."""

BEFORE = {
    "messages": event_block(
        b"content_block_start",
        dumps(
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "text", "text": "w"},
            }
        ),
    ),
    "gemini": data_block(dumps({"candidates": [{"content": {"parts": [{"text": "w"}]}}]})),
}


@pytest.mark.parametrize(
    ("dialect", "name"), [(dialect, name) for dialect, odd in NEARLY_USUAL.items() for name in odd]
)
def test_what_is_nearly_usual_means_the_same_as_by_the_long_way(dialect: str, name: str) -> None:
    data = dumps(NEARLY_USUAL[dialect][name])
    block = data_block(data) if dialect == "gemini" else event_block(b"content_block_delta", data)
    shorter, longer = (
        decode(dialect, [BEFORE[dialect], said]) for said in (block, b": comment\n" + block)
    )
    assert shorter == longer


def decoded_or_nonsense(dialect: str, blocks: list[bytes]) -> list[Event] | None:
    """Return the events, None for nonsense."""
    try:
        return decode(dialect, blocks)
    except NONSENSE:
        return None


def damaged(block: bytes, data: st.DataObject) -> bytes:
    """Return the block with a value in it replaced, now and then."""
    frame = parse_block(block)
    if frame.data is None or data.draw(st.integers(0, 3)):
        return block
    try:
        value = loads(frame.data)
    except JsonTextError:
        return block
    if isinstance(value, dict) and value:
        value[data.draw(st.sampled_from(sorted(value)))] = data.draw(junk)
    return event_block(frame.event, dumps(value)) if frame.event else data_block(dumps(value))


def test_a_buffered_body_means_what_its_stream_means() -> None:
    body = {
        "id": "resp_1",
        "model": "m",
        "status": "completed",
        "output": [
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed"},
            {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]},
        ],
    }
    assert RESPONSES.decode_reply is not None
    events = RESPONSES.decode_reply(body, classify)
    check(events)
    assert [(part.kind, part.text) for part in fold(events).parts] == [
        ("reasoning", ""),
        ("text", "Hi"),
    ]


@pytest.mark.parametrize(
    ("status", "reason"), [("completed", "end"), (None, "end"), ("incomplete", "length")]
)
def test_a_buffered_response_ends_as_its_status_says(status: str | None, reason: str) -> None:
    assert RESPONSES.decode_reply is not None
    assert fold(RESPONSES.decode_reply({"status": status}, classify)).reason == reason


@pytest.mark.parametrize("status", ["failed", "cancelled", "in_progress", "queued"])
def test_a_buffered_response_that_is_not_complete_is_a_failure(status: str) -> None:
    assert RESPONSES.decode_reply is not None
    events = RESPONSES.decode_reply({"status": status, "error": {"message": "no"}}, classify)
    check(events)
    assert fold(events).failure


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"message": "no", "code": "rate_limit_exceeded"}}, "limit"),
        ({"choices": []}, "other"),
        ({}, "other"),
    ],
)
def test_a_buffered_completion_without_a_choice_is_a_failure(body: dict, kind: str) -> None:
    assert CHAT.decode_reply is not None
    events = CHAT.decode_reply(body, classify)
    check(events)
    failure = fold(events).failure
    assert failure is not None
    assert failure.kind == kind


def test_a_buffered_completion_needs_no_finish_reason() -> None:
    assert CHAT.decode_reply is not None
    body = {"choices": [{"message": {"role": "assistant", "content": "Hi"}}]}
    reply = fold(CHAT.decode_reply(body, classify))
    assert (reply.reason, [part.text for part in reply.parts]) == ("end", ["Hi"])
