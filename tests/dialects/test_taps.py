"""Taps: reading along a stream changes nothing that is whole, and completes what is not.

However the bytes arrive, the client gets the same ones; what the tap has learned is what the
stream says.
"""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.dialects import DIALECTS
from airelays_app.dialects.base import ReplyContext
from airelays_app.dialects.responses.tap import ResponsesCompleter
from airelays_app.framing.jsontext import JsonTextError
from airelays_app.framing.sse import KEEP_ALIVE, SseSplitter
from airelays_app.neutral.events import Finished, PartClosed, PartDelta, PartOpened, Started
from airelays_app.neutral.failure import Failure
from tests.dialects.readers import blocks_of, read_chat, read_responses
from tests.dialects.transcripts import classify, decode
from tests.dialects.transcripts import wire_of as recorded
from tests.neutral.streams import fold, legal_streams

FAILURE = Failure("other", 502, "upstream_error", "Cut.", code="upstream_cut")
CUTS = st.lists(st.integers(0, 20_000), max_size=8)
NAMED = {
    "responses": DIALECTS["responses"].tap,
    "chat": DIALECTS["chat"].tap,
    "completer": ResponsesCompleter,
}


def context(**more):
    numbers = itertools.count()
    return ReplyContext(
        id="reply_1",
        created=1_800_000_000,
        model="m",
        fresh_id=lambda prefix: f"{prefix}_{next(numbers)}",
        include_usage=True,
        **more,
    )


def made(name, **more):
    return NAMED[name](classify, context(**more))


def wire_of(name, events):
    dialect = "chat" if name == "chat" else "responses"
    return DIALECTS[dialect].encoder(context()).feed(events)


def passed(tap, wire, cuts=()):
    """Return what the client gets of a stream that arrives in pieces."""
    splitter = SseSplitter()
    bounds = [0, *sorted(cut % (len(wire) + 1) for cut in cuts), len(wire)]
    out = []
    for start, end in itertools.pairwise(bounds):
        if tap.ended:
            break
        out.append(tap.feed(splitter.feed(wire[start:end])))
    tap.end_of_input()
    return b"".join(out)


def event(name, **fields):
    return f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n".encode()


@pytest.mark.parametrize("name", NAMED)
@given(events=legal_streams(), cuts=CUTS)
def test_a_whole_stream_passes_byte_for_byte(name, events, cuts):
    wire = wire_of(name, events)
    tap = made(name)

    sent = passed(tap, wire, cuts)

    reply = fold(events)
    assert (tap.ended, tap.has_content) == (True, True)
    assert bool(tap.failure) == bool(reply.failure)
    if reply.failure and name != "chat":
        assert read_responses(sent)["status"] == "failed"
        return
    assert sent == wire
    if reply.usage:
        assert reply.failure or tap.usage == reply.usage
    if name != "chat":
        assert tap.response == read_responses(wire)


SAID = [
    Started("up", "m"),
    PartOpened(0, "text"),
    *(PartDelta(0, word) for word in ("One", " two", " three")),
    PartClosed(0),
    Finished("end"),
]


@pytest.mark.parametrize("name", NAMED)
@given(data=st.data())
def test_a_stream_cut_anywhere_ends_as_a_failure_and_stays_readable(name, data):
    wire = wire_of(name, SAID)
    tap = made(name)
    splitter = SseSplitter()
    before = tap.feed(splitter.feed(wire[: data.draw(st.integers(0, len(wire) - 1))]))
    tap.end_of_input()
    if tap.ended:
        return

    sent = before + tap.break_off(FAILURE)

    assert (tap.ended, tap.failure) == (True, FAILURE)
    if name == "chat":
        assert read_chat(sent, include_usage=True)["error"]["code"] == "upstream_cut"
        return
    names = [name for name, _ in blocks_of(sent)]
    assert names[-2:] == ["error", "response.failed"]
    numbers = [json.loads(data)["sequence_number"] for _, data in blocks_of(sent)]
    assert numbers == list(range(len(numbers)))
    if names[0] == "response.created":
        final = json.loads(blocks_of(sent)[-1][1])["response"]
        first = json.loads(blocks_of(sent)[0][1])["response"]
        assert (final["id"], final["status"]) == (first["id"], "failed")


@pytest.mark.parametrize(
    ("block", "is_content"),
    [
        (event("response.created", response={"id": "r"}), False),
        (event("response.in_progress", response={"id": "r"}), False),
        (event("response.queued", response={"id": "r"}), False),
        (event("keepalive"), False),
        (event("codex.rate_limits"), False),
        (b": comment\n\n", False),
        (event("response.output_item.added", item={"type": "message"}), True),
        (event("response.output_text.delta", delta="x"), True),
        (event("response.completed", response={"id": "r"}), True),
        (event("response.failed", response={"id": "r"}), True),
        (event("error", message="no"), True),
    ],
    ids=lambda value: value.split(b"\n")[0].decode() if isinstance(value, bytes) else str(value),
)
@pytest.mark.parametrize("name", ["responses", "completer"])
def test_content_begins_with_the_first_item_or_end(name, block, is_content):
    tap = made(name)
    tap.feed([block])
    assert tap.has_content is is_content


def chunk(delta, **more):
    choice = {"index": 0, "delta": delta, "finish_reason": None, **more}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


@pytest.mark.parametrize(
    ("block", "is_content"),
    [
        (chunk({"role": "assistant", "content": ""}), False),
        (chunk({"role": "assistant", "content": None}), False),
        (b": comment\n\n", False),
        (chunk({"content": "x"}), True),
        (chunk({"reasoning_content": "x"}), True),
        (chunk({"reasoning": "x"}), True),
        (chunk({"tool_calls": [{"index": 0, "function": {"name": "f"}}]}), True),
        (chunk({}, finish_reason="stop"), True),
        (b'data: {"error":{"message":"no"}}\n\n', True),
    ],
    ids=lambda value: value[:70].decode() if isinstance(value, bytes) else str(value),
)
def test_chat_content_begins_with_the_first_word_or_end(block, is_content):
    tap = made("chat")
    tap.feed([block])
    assert tap.has_content is is_content


def test_only_a_finish_reason_makes_a_chat_reply_whole():
    for wire, whole in (
        (chunk({"content": "x"}) + b"data: [DONE]\n\n", False),
        (chunk({"content": "x"}), False),
        (chunk({"content": "x"}) + chunk({}, finish_reason="stop"), True),
        (chunk({}, finish_reason="length") + b"data: [DONE]\n\n", True),
    ):
        tap = made("chat")
        assert passed(tap, wire) == wire
        assert tap.ended is whole


def test_words_that_look_like_an_end_are_words():
    for text in ('"finish_reason":"stop"', "data: [DONE]", '"error"', '"usage":{'):
        tap = made("chat")
        wire = chunk({"content": text})
        assert passed(tap, wire) == wire
        assert not tap.ended
        assert tap.failure is None


def test_the_end_is_completed_with_output_and_usage():
    item = {"id": "msg_1", "type": "message", "content": []}
    other = {"id": "fc_1", "type": "function_call"}
    wire = (
        event("response.created", response={"id": "r", "output": []}, sequence_number=0)
        + event("response.output_item.done", output_index=1, item=other)
        + event("response.output_item.done", output_index=0, item=item)
        + event("response.completed", response={"id": "r", "status": "completed", "output": []})
    )
    for name in ("responses", "completer"):
        tap = made(name)
        *_, (_, last) = blocks_of(passed(tap, wire))
        response = json.loads(last)["response"]
        assert response["output"] == [item, other]
        assert response["usage"]["total_tokens"] == 0
        assert tap.response == response


@pytest.mark.parametrize("case", ["llamacpp", "llamacpp_calls"])
@given(cuts=CUTS)
def test_a_stream_without_numbers_is_told_anew_and_says_the_same(case, cuts):
    """Its server leaves out what the SDKs tell events and items apart by."""
    wire = recorded("responses", case)
    tap = made("responses", echo=DIALECTS["responses"].echo({}))

    sent = passed(tap, wire, cuts)

    assert tap.response == read_responses(sent)
    said, heard = (fold(decode("responses", [stream])) for stream in (wire, sent))
    assert [(part.kind, part.name, part.text) for part in heard.parts] == [
        (part.kind, part.name, part.text) for part in said.parts
    ]
    assert heard.usage == said.usage == tap.usage
    assert (tap.ended, tap.has_content, tap.failure) == (True, True, None)


def test_foreign_events_are_dropped_and_a_sign_of_life_stays_one():
    foreign = event("codex.rate_limits", primary=1)
    delta = event("response.output_text.delta", delta="x", sequence_number=0)
    tap = made("completer")

    assert tap.feed([foreign, event("keepalive"), delta]) == KEEP_ALIVE + delta
    assert made("responses").feed([foreign, delta]) == foreign + delta


def test_metadata_is_repeated_for_a_backend_that_takes_none():
    created = event("response.created", response={"id": "r", "metadata": {}}, sequence_number=0)
    tap = made("completer", echo={"metadata": {"run": "7"}})

    ((_, data),) = blocks_of(tap.feed([created]))

    assert json.loads(data)["response"]["metadata"] == {"run": "7"}
    assert made("completer", echo={"metadata": {}}).feed([created]) == created


def test_a_flat_error_is_nested_too_and_followed_by_the_end():
    """The flat one is what the API documents, but it ends the SDKs' loops quietly."""
    flat = event("error", code="server_error", message="Broken.", param=None, sequence_number=0)
    tap = made("responses")

    (first, second) = blocks_of(tap.feed([flat]))

    assert json.loads(first[1])["error"]["message"] == "Broken."
    assert second[0] == "response.failed"
    assert tap.ended


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("data", [b"{", b"1", b"[]", b'"text"', b"\xff", b"{nonsense"])
def test_data_that_is_no_object_is_nonsense(name, data):
    with pytest.raises(JsonTextError):
        made(name).feed([b"data: %b\n\n" % data])
