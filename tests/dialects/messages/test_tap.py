"""Reading along a Messages stream: nothing is changed, and only ``message_stop`` is its end."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.dialects import MESSAGES
from airelays_app.dialects.base import ReplyContext
from airelays_app.dialects.messages.tap import MessagesTap
from airelays_app.framing.jsontext import JsonTextError
from airelays_app.framing.sse import SseSplitter
from airelays_app.neutral.failure import Failure
from tests.dialects.readers import read_messages
from tests.dialects.transcripts import CASES, classify, decode, wire_of
from tests.neutral.streams import fold, legal_streams

CONTEXT = ReplyContext(id="msg_1", created=1, model="m", fresh_id=str, request_id="req_1")
FAILURE = Failure("other", 502, "upstream_error", "Cut.", code="upstream_cut")


def made():
    return MessagesTap(classify, CONTEXT)


def event(kind, **fields):
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


@given(events=legal_streams(), cuts=st.lists(st.integers(0, 20_000), max_size=8))
def test_a_whole_stream_passes_byte_for_byte(events, cuts):
    wire = MESSAGES.encoder(CONTEXT).feed(events)
    tap, splitter = made(), SseSplitter(made().runs)
    bounds = sorted({0, len(wire), *(cut % (len(wire) + 1) for cut in cuts)})

    sent = b"".join(tap.feed(splitter.feed(wire[a:b])) for a, b in itertools.pairwise(bounds))
    tap.end_of_input()

    assert sent == wire
    assert (tap.ended, tap.has_content) == (True, True)
    reply = fold(events)
    assert bool(tap.failure) == bool(reply.failure)
    if reply.usage and not reply.failure:
        assert tap.usage.total == reply.usage.total


NO_REASON = "no_stop_reason"
"""It ends, but does not say why: that passes to a client of Messages, who sees it."""
RECORDED = [case for dialect, case in CASES if dialect == "messages" and case != NO_REASON]


@pytest.mark.parametrize("case", RECORDED)
def test_the_tap_and_the_decoder_agree_on_what_was_recorded(case):
    """Both call the same streams whole, failed or cut, and count the same tokens."""
    wire = wire_of("messages", case)
    reply = fold(decode("messages", [wire]))
    tap = made()

    passed = tap.feed(SseSplitter().feed(wire))
    tap.end_of_input()

    assert wire.startswith(passed)
    assert tap.ended == (reply.reason is not None or case.startswith(("error", "rate_limit")))
    assert bool(tap.failure) == case.startswith(("error", "rate_limit"))
    assert tap.usage == reply.usage


@pytest.mark.parametrize(
    ("block", "is_content"),
    [
        (event("message_start", message={"usage": {"input_tokens": 3}}), False),
        (event("ping"), False),
        (b": comment\n\n", False),
        (event("content_block_start", index=0, content_block={"type": "text"}), True),
        (event("content_block_delta", index=0, delta={"type": "text_delta", "text": "x"}), True),
        (event("message_delta", delta={"stop_reason": "end_turn"}), True),
        (event("message_stop"), True),
        (event("error", error={"type": "overloaded_error", "message": "no"}), True),
        (b'data: {"type":"message_stop"}\n\n', True),
    ],
)
def test_content_begins_with_the_first_block_or_end(block, is_content):
    tap = made()
    tap.feed([block])
    assert tap.has_content is is_content


def test_the_end_of_the_input_alone_is_no_end():
    tap = made()
    tap.feed([event("message_delta", delta={"stop_reason": "end_turn"})])
    tap.end_of_input()
    assert not tap.ended

    broken = tap.break_off(FAILURE)

    assert broken.startswith(b"event: error\n")
    assert json.loads(broken.split(b"data: ")[1])["request_id"] == "req_1"
    assert (tap.ended, tap.failure) == (True, FAILURE)


@given(data=st.data())
def test_a_stream_cut_anywhere_stays_readable(data):
    wire = wire_of("messages", "parallel_calls")
    tap, splitter = made(), SseSplitter()
    before = tap.feed(splitter.feed(wire[: data.draw(st.integers(0, len(wire) - 1))]))
    tap.end_of_input()
    if tap.ended:
        return

    assert read_messages(before + tap.break_off(FAILURE))["error"]["message"] == "Cut."


def test_nothing_passes_behind_the_end():
    stop = event("message_stop")
    assert made().feed([stop, event("ping")]) == stop


@pytest.mark.parametrize("words", ["event: message_stop", '"type": "error"', "\nevent: error"])
def test_words_that_look_like_an_end_are_words(words):
    tap = made()
    tap.feed([event("content_block_delta", index=0, delta={"type": "text_delta", "text": words})])
    assert not tap.ended
    assert tap.failure is None


@pytest.mark.parametrize("data", [b"{", b"1", b"[]", b'"text"', b"\xff", b"{nonsense"])
def test_data_that_is_no_object_is_nonsense(data):
    with pytest.raises(JsonTextError):
        made().feed([b"event: message_start\ndata: %b\n\n" % data])
