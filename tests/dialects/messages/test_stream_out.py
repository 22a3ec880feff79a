"""A Messages stream obeys the rules of its dialect, whatever the upstream was.

Streamed and whole replies are the same message, the vendor's SDK knows all of it, thinking is shown
to those who asked for it, and each thinking block leads back to its seal.
"""

import json

import pytest
from anthropic.types import Message, RawMessageStreamEvent
from hypothesis import given, settings
from pydantic import TypeAdapter

from airelays_app.dialects.base import ReplyContext
from airelays_app.dialects.messages import MESSAGES
from airelays_app.neutral.events import (
    Finished,
    Noted,
    PartClosed,
    PartDelta,
    PartOpened,
    PartSealed,
    Started,
)
from airelays_app.neutral.seals import UNSEALED, Seal, opened
from tests.dialects.readers import blocks_of, read_messages
from tests.neutral.streams import fold, legal_streams

EVENT = TypeAdapter(RawMessageStreamEvent)
KINDS = ("text", "refusal", "reasoning", "reasoning_text", "tool_call", "opaque")
THINKING = ("thinking", "redacted_thinking")


def context(*, thinking=True):
    return ReplyContext(
        id="msg_1",
        created=0,
        model="m",
        fresh_id=lambda prefix: f"{prefix}_1",
        provider="p",
        request_id="req_1",
        echo={"thinking": thinking},
    )


def written(events, **how):
    return MESSAGES.encoder(context(**how)).feed(events)


def received(events, **how):
    return read_messages(written(events, **how))


def whole(events):
    """Return the buffered answer, as a JSON reader sees it (half emojis put together)."""
    return json.loads(json.dumps(MESSAGES.encode_reply(fold(events), context())))


def within(*events):
    """Return a whole stream around the events of one part."""
    return [Started("up", "m"), *events, PartClosed(0), Finished("end")]


@settings(max_examples=300)
@given(legal_streams(kinds=KINDS))
def test_every_stream_is_legal_and_equals_the_whole_reply(events):
    assert received(events) == whole(events)


@given(legal_streams(kinds=("text", "reasoning", "tool_call")))
def test_the_sdk_knows_every_event(events):
    for name, data in blocks_of(written(events)):
        if name != "error":
            EVENT.validate_json(data)
    if whole(events)["type"] == "message":
        Message.model_validate(whole(events))


@given(legal_streams(kinds=KINDS))
def test_thinking_is_hidden_from_those_who_did_not_ask(events):
    message = received(events, thinking=False)
    assert not [b for b in message.get("content", ()) if b["type"] in THINKING]


@given(legal_streams(kinds=("reasoning", "text")))
def test_every_thinking_block_leads_back_to_its_seal(events):
    blocks = [b for b in received(events).get("content", ()) if b["type"] in THINKING]
    parts = [part for part in fold(events).parts if part.kind == "reasoning"]
    for block, part in zip(blocks, parts, strict=False):
        sealed = block.get("data") or block["signature"]
        if part.seal is None:
            assert sealed == UNSEALED
        elif part.seal.dialect == "messages":
            assert sealed == json.loads(json.dumps(part.seal.payload))
        else:
            restored = opened(sealed, native=Seal("messages", ""))
            assert (restored.payload, restored.provider) == (part.seal.payload, "p")


def test_a_block_of_redacted_thinking_stays_one():
    seal = Seal("messages", "EmwK", form="redacted_thinking")
    events = within(PartOpened(0, "reasoning"), PartSealed(0, seal))
    assert received(events)["content"] == [{"type": "redacted_thinking", "data": "EmwK"}]


def test_a_cited_page_is_a_citation_that_says_that_nobody_sealed_it():
    annotation = {"type": "url_citation", "url": "https://e.org/", "title": "E"}
    events = within(PartOpened(0, "text"), PartDelta(0, "So."), Noted(0, "annotation", annotation))
    (block,) = received(events)["content"]
    (citation,) = block["citations"]
    assert (citation["url"], citation["encrypted_index"]) == ("https://e.org/", UNSEALED)
    assert received(events) == whole(events)


@pytest.mark.parametrize("arguments", ["", "{}", '{"a": [1, "ü"]}'])
def test_arguments_are_streamed_as_the_model_wrote_them(arguments):
    parts = [PartDelta(0, piece) for piece in arguments]
    events = within(PartOpened(0, "tool_call", "call_1", "f"), *parts)
    (block,) = received(events)["content"]
    assert block["input"] == json.loads(arguments or "{}")
    assert whole(events)["content"] == [block]


def test_a_refusal_in_words_is_text_with_the_reason_refusal():
    message = received(within(PartOpened(0, "refusal"), PartDelta(0, "No.")))
    assert [block["text"] for block in message["content"]] == ["No."]
    assert message["stop_reason"] == "refusal"
