"""Reading along a Gemini stream: nothing is changed, and only the end of the input is the end."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.dialects import GEMINI
from airelays_app.dialects.base import ReplyContext
from airelays_app.dialects.gemini.tap import GeminiTap
from airelays_app.framing.jsontext import JsonTextError
from airelays_app.framing.sse import SseSplitter
from airelays_app.neutral.failure import Failure
from tests.dialects.readers import read_gemini
from tests.dialects.transcripts import CASES, classify, decode, wire_of
from tests.neutral.streams import fold, legal_streams

CONTEXT = ReplyContext(id="r", created=1, model="m", fresh_id=lambda prefix: prefix)
FAILURE = Failure("other", 502, "upstream_error", "Cut.", code="upstream_cut")


def made():
    return GeminiTap(classify, CONTEXT)


def chunk(*parts, **more):
    candidate = {"content": {"parts": list(parts), "role": "model"}, "index": 0, **more}
    return b"data: " + json.dumps({"candidates": [candidate]}).encode() + b"\n\n"


@given(events=legal_streams(), cuts=st.lists(st.integers(0, 20_000), max_size=8))
def test_a_whole_stream_passes_byte_for_byte(events, cuts):
    wire = GEMINI.encoder(CONTEXT).feed(events)
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


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("case", [case for dialect, case in CASES if dialect == "gemini"])
def test_a_run_of_events_means_the_same_as_each_by_itself(case, line_end):
    wire = wire_of("gemini", case).replace(b"\n", line_end)
    blocks = [block + 2 * line_end for block in wire.split(2 * line_end) if block]
    together, single = made(), made()

    sent = together.feed(SseSplitter(together.runs).feed(wire))

    assert sent == b"".join(single.feed([block]) for block in blocks) == wire
    for tap in (together, single):
        tap.end_of_input()
    assert state_of(together) == state_of(single)


def state_of(tap):
    return tap.ended, tap.has_content, tap.failure, tap.usage


def test_a_last_event_without_its_blank_line_counts():
    tap = made()
    tap.feed([chunk({"text": "x"}), chunk({"text": ""}, finishReason="STOP").rstrip(b"\n")])
    tap.end_of_input()

    assert tap.ended


def test_an_event_of_several_lines_is_looked_at_whole():
    tap = made()
    tap.feed([b'data: {"candidates":[\ndata: {"finishReason":"STOP"}\ndata: ]}\n\n'])
    tap.end_of_input()

    assert tap.ended


@pytest.mark.parametrize("case", [case for dialect, case in CASES if dialect == "gemini"])
def test_the_tap_and_the_decoder_agree_on_what_was_recorded(case):
    """Both call the same streams whole, failed or cut, and count the same tokens."""
    wire = wire_of("gemini", case)
    reply = fold(decode("gemini", [wire]))
    tap = made()

    assert tap.feed(SseSplitter().feed(wire)) == wire
    tap.end_of_input()

    broken = reply.failure is not None and reply.failure.code == "malformed_function_call"
    assert tap.ended == (broken or reply.reason is not None or case.startswith("error"))
    assert bool(tap.failure) == case.startswith("error")
    assert tap.usage == reply.usage


@pytest.mark.parametrize(
    ("block", "is_content"),
    [
        (b'data: {"usageMetadata":{"promptTokenCount":3}}\n\n', False),
        (chunk({"text": ""}), False),
        (chunk({"text": "x"}), True),
        (chunk({"text": "x", "thought": True}), True),
        (chunk({"functionCall": {"name": "f"}}), True),
        (chunk(finishReason="STOP"), True),
        (b'data: {"promptFeedback":{"blockReason":"SAFETY"}}\n\n', True),
        (b'data: {"error":{"message":"no"}}\n\n', True),
    ],
)
def test_content_begins_with_the_first_word_or_end(block, is_content):
    tap = made()
    tap.feed([block])
    assert tap.has_content is is_content


def test_a_reason_to_stop_is_not_yet_the_end():
    """Some models give it with every event."""
    tap = made()
    tap.feed([chunk({"text": "x"}, finishReason="STOP")])
    assert not tap.ended
    tap.feed([chunk({"text": "y"}, finishReason="STOP")])
    tap.end_of_input()
    assert tap.ended


def test_the_end_of_the_input_alone_is_no_end():
    tap = made()
    tap.feed([chunk({"text": "x"})])
    tap.end_of_input()
    assert not tap.ended

    assert read_gemini(tap.break_off(FAILURE))["error"]["message"] == "Cut."
    assert tap.ended


@pytest.mark.parametrize("text", ['"finishReason":"STOP"', '"error"', '"promptFeedback"'])
def test_words_that_look_like_an_end_are_words(text):
    tap = made()
    tap.feed([chunk({"text": text}), chunk({"functionCall": {"args": {"finishReason": "STOP"}}})])
    tap.end_of_input()
    assert not tap.ended
    assert tap.failure is None


@pytest.mark.parametrize("data", [b"{", b"1", b"[]", b'"text"', b"\xff", b"{nonsense"])
def test_data_that_is_no_object_is_nonsense(data):
    with pytest.raises(JsonTextError):
        made().feed([b"data: %b\n\n" % data])
