"""Encoders: any legal stream of events becomes a stream that keeps every rule of its dialect.

However the events arrive together makes no difference; what a client puts together from the stream
is the buffered answer; and read back by the dialect's own decoder it means the same.
"""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airelays_app.dialects import CHAT, COMPLETIONS, DIALECTS, GEMINI, MESSAGES, RESPONSES
from airelays_app.dialects.base import ReplyContext
from airelays_app.dialects.call_arguments import arguments_object
from airelays_app.dialects.responses.reply import has_item
from airelays_app.neutral.events import (
    Failed,
    Finished,
    PartClosed,
    PartDelta,
    PartOpened,
    Started,
    UsageSeen,
)
from airelays_app.neutral.failure import Failure
from airelays_app.neutral.grammar import check
from airelays_app.neutral.seals import pack
from airelays_app.neutral.usage import Usage
from tests.dialects.readers import (
    joined_parts,
    read_chat,
    read_completions,
    read_gemini,
    read_messages,
    read_responses,
)
from tests.dialects.transcripts import decode
from tests.neutral.streams import CALLS, KINDS, fold, legal_streams

CHAT_KINDS = tuple(kind for kind in KINDS if kind != "opaque")
_KEPT_REASONS = ("length", "content_filter", "tool_use")
FAILURE = Failure("limit", 429, "rate_limit_error", "Slow down.", code="rate_limit_exceeded")


def context(**more):
    """Return a context whose ids are the same each time."""
    numbers = itertools.count()
    return ReplyContext(
        id="reply_1",
        created=1_800_000_000,
        model="asked-model",
        fresh_id=lambda prefix: f"{prefix}_{next(numbers)}",
        **more,
    )


def encode(dialect, events, **more):
    return DIALECTS[dialect].encoder(context(**more)).feed(events)


def whole(dialect, events, **more):
    """Return the buffered answer, as a JSON reader sees it (half emojis put together)."""
    answer = DIALECTS[dialect].encode_reply(fold(events), context(**more))
    return json.loads(json.dumps(answer))


@given(events=legal_streams())
def test_a_responses_stream_is_legal_and_its_end_is_the_buffered_answer(events):
    final = read_responses(encode("responses", events))

    expected = whole("responses", events)
    if final["status"] == "failed":
        shown = [number for number, part in enumerate(fold(events).parts) if has_item(part)]
        done = {event.part for event in events if isinstance(event, PartClosed)}
        items = zip(shown, expected["output"], strict=True)
        expected["output"] = [item for number, item in items if number in done]
    assert final == expected


@pytest.mark.parametrize("include_usage", [False, True])
@given(events=legal_streams())
def test_a_chat_stream_is_legal_and_adds_up_to_the_buffered_answer(events, include_usage):
    read = read_chat(
        encode("chat", events, include_usage=include_usage), include_usage=include_usage
    )

    expected = whole("chat", events)
    if "error" in expected:
        assert read == expected
        return
    if not include_usage:
        del expected["usage"]
    for name in ("annotations", "reasoning_details"):
        assert _in_any_order(read, name) == _in_any_order(expected, name)
    assert _said(read) == _said(expected)


def _in_any_order(answer, name):
    """Return what a stream tells when it comes and a whole answer part by part, and drop it."""
    entries = answer["choices"][0]["message"].pop(name, ())
    return sorted(json.dumps({**entry, "index": 0}) for entry in entries)


def _said(answer):
    """Return the answer without texts that are empty: a stream cannot tell them from none."""
    message = answer["choices"][0]["message"]
    said = {name: value for name, value in message.items() if value not in (None, "")}
    return {**answer, "choices": [{**answer["choices"][0], "message": said}]}


@pytest.mark.parametrize("include_usage", [False, True])
@given(events=legal_streams())
def test_a_completions_stream_is_legal_and_adds_up_to_the_buffered_answer(events, include_usage):
    read = read_completions(
        encode("completions", events, include_usage=include_usage), include_usage=include_usage
    )

    expected = whole("completions", events)
    if not include_usage:
        expected.pop("usage", None)
    assert read == expected


@pytest.mark.parametrize("shows", [False, True])
@given(events=legal_streams())
def test_a_gemini_stream_is_legal_and_adds_up_to_the_buffered_answer(events, shows):
    read = read_gemini(encode("gemini", events, echo={"includeThoughts": shows}))

    expected = whole("gemini", events, echo={"includeThoughts": shows})
    for candidate in expected.get("candidates", ()):
        candidate["content"]["parts"] = joined_parts(candidate["content"]["parts"])
    assert read == expected


@given(events=legal_streams(kinds=("text", *CALLS)), data=st.data())
def test_the_older_interface_streams_one_function_call(events, data):
    read = read_chat(encode("chat", events, legacy_functions=True), include_usage=False)

    expected = whole("chat", events, legacy_functions=True)
    if "error" not in expected:
        message = expected["choices"][0]["message"]
        assert read["choices"][0]["message"].get("function_call") == message.get("function_call")
        assert read["choices"][0]["finish_reason"] == expected["choices"][0]["finish_reason"]
        assert "tool_calls" not in read["choices"][0]["message"]


@pytest.mark.parametrize("dialect", DIALECTS)
@given(events=legal_streams(), data=st.data())
def test_how_the_events_arrive_together_makes_no_difference(dialect, events, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(events)), max_size=6)))
    encoder = DIALECTS[dialect].encoder(context(include_usage=True))
    bounds = itertools.pairwise([0, *cuts, len(events)])

    pieces = [encoder.feed(events[start:end]) for start, end in bounds]

    assert b"".join(pieces) == encode(dialect, events, include_usage=True)


@settings(max_examples=200)
@given(events=legal_streams())
def test_a_responses_stream_read_back_means_the_same(events):
    back = decode("responses", [encode("responses", events)])

    check(back)
    assert meaning(back) == meaning(events)


@settings(max_examples=200)
@given(events=legal_streams(kinds=CHAT_KINDS))
def test_a_chat_stream_read_back_means_the_same(events):
    back = decode("chat", [encode("chat", events, include_usage=True)])

    check(back)
    assert spoken(back) == spoken(events)


@settings(max_examples=200)
@given(events=legal_streams(kinds=("text", "reasoning", "tool_call")))
def test_a_messages_stream_read_back_means_the_same(events):
    back = decode("messages", [encode("messages", events, echo={"thinking": True})])

    check(back)
    assert told(back) == told(events)


@settings(max_examples=200)
@given(events=legal_streams(kinds=("text", "reasoning", "tool_call")))
def test_a_gemini_stream_read_back_means_the_same(events):
    back = decode("gemini", [encode("gemini", events, echo={"includeThoughts": True})])

    check(back)
    assert without_cuts(back) == without_cuts(events)


def without_cuts(events):
    """Return what Gemini can carry: text, thoughts and calls; parts of one kind have no seams."""
    reply = fold(events)
    said = []
    for part in reply.parts:
        if part.kind == "tool_call":
            said.append((part.kind, part.id, part.name, arguments_object(part.text)))
        elif said and said[-1][0] == part.kind:
            said[-1] = (part.kind, said[-1][1] + part.text)
        elif part.text:
            said.append((part.kind, part.text))
    if reply.failure:
        return [part for part in said if part[0] != "tool_call"]
    usage = reply.usage or Usage()
    return said, usage.input_total, usage.cache_read, usage.output, usage.reasoning


def told(events):
    """Return what messages can carry: text, thinking and calls, in their order.

    Thinking that shows nothing is carried only with what follows it.
    """
    reply = fold(events)
    parts = [(part.kind, _said_by(part), part.id, part.name) for part in reply.parts]
    while len(parts) > 1 and parts[-1][:2] == ("reasoning", ""):
        parts.pop()
    if reply.failure:
        return [part for part in parts if part[1] not in ("", "{}")]
    return parts, reply.reason, reply.stop, reply.usage or Usage()


def meaning(events):
    """Return what a reply says.

    Reasoning and foreign items apart: they are known only when they are done, so they may come
    late.
    """
    reply = fold(events)
    late = sorted(
        (part.kind, part.text, _seal_on_the_wire(part.seal))
        for part in reply.parts
        if (part.kind == "reasoning" and (part.text or part.seal)) or part.dialect == "responses"
    )
    said = [
        (
            part.kind,
            _said_by(part),
            part.id if part.kind in CALLS else None,
            part.name,
            part.annotations,
        )
        for part in reply.parts
        if part.kind not in ("reasoning", "opaque")
    ]
    if reply.failure:
        return [part for part in said if part[1] not in ("", "{}")], reply.failure.code
    reason = reply.reason if reply.reason in _KEPT_REASONS else "end"
    return said, late, reason, reply.usage or Usage()


def _seal_on_the_wire(seal):
    if seal is None:
        return ""
    return seal.payload if seal.dialect == "responses" else pack(seal, provider="")


def _said_by(part):
    """Return the text of a part; a call that takes nothing has an empty object."""
    return part.text or ("{}" if part.kind == "tool_call" else "")


def spoken(events):
    """Return what chat can carry: one text of each kind, and the calls."""
    reply = fold(events)
    texts = {
        field: "".join(part.text for part in reply.parts if part.kind in kinds)
        for field, kinds in (
            ("text", ("text",)),
            ("refusal", ("refusal",)),
            ("reasoning", ("reasoning", "reasoning_text")),
        )
    }
    calls = [(p.kind, p.id, p.name, _said_by(p)) for p in reply.parts if p.kind in CALLS]
    if reply.failure:
        return texts, calls, reply.failure.code
    reason = reply.reason if reply.reason in _KEPT_REASONS else "end"
    return texts, calls, reason, reply.usage or Usage()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_failure_before_anything_is_still_a_stream_of_the_dialect(dialect):
    wire = encode(dialect, [Failed(FAILURE)])

    if dialect == "responses":
        assert read_responses(wire)["error"]["code"] == "rate_limit_exceeded"
    elif dialect == "messages":
        assert read_messages(wire)["error"] == {"type": "rate_limit_error", "message": "Slow down."}
    elif dialect == "gemini":
        error = {"status": "RESOURCE_EXHAUSTED", "code": 429, "message": "Slow down."}
        assert read_gemini(wire)["error"] == error
    else:
        read = read_chat if dialect == "chat" else read_completions
        assert read(wire, include_usage=False)["error"]["message"] == "Slow down."


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_was_said_before_a_failure_is_not_lost(dialect):
    """Also what waited for its turn."""
    events = [
        Started("up", "m"),
        PartOpened(0, "text"),
        PartOpened(1, "text"),
        PartDelta(1, "second"),
        PartDelta(0, "first"),
        Failed(FAILURE),
    ]

    wire = encode(dialect, events).decode()

    assert wire.index("second") < wire.index("Slow down.")
    assert wire.index("first") < wire.index("Slow down.")
    assert "[DONE]" not in wire


@pytest.mark.parametrize(
    ("reason", "chat", "completions", "responses", "messages", "gemini"),
    [
        ("end", "stop", "stop", None, "end_turn", "STOP"),
        ("stop_sequence", "stop", "stop", None, "stop_sequence", "STOP"),
        ("pause", "stop", "stop", None, "pause_turn", "OTHER"),
        ("length", "length", "length", "max_output_tokens", "max_tokens", "MAX_TOKENS"),
        (
            "content_filter",
            "content_filter",
            "content_filter",
            "content_filter",
            "refusal",
            "SAFETY",
        ),
        ("tool_use", "tool_calls", "stop", None, "tool_use", "STOP"),
    ],
)
def test_each_reason_has_its_word_in_each_dialect(
    reason, chat, completions, responses, messages, gemini
):
    events = [Started("up", "m"), PartOpened(0, "text"), PartDelta(0, "Hi"), PartClosed(0)]
    events += [UsageSeen(Usage(input=1, output=2)), Finished(reason)]

    assert whole("chat", events)["choices"][0]["finish_reason"] == chat
    assert whole("completions", events)["choices"][0]["finish_reason"] == completions
    assert whole("messages", events)["stop_reason"] == messages
    assert whole("gemini", events)["candidates"][0]["finishReason"] == gemini
    response = whole("responses", events)
    assert response["status"] == ("incomplete" if responses else "completed")
    assert response["incomplete_details"] == ({"reason": responses} if responses else None)


def test_a_refusal_is_a_content_filter_where_there_is_no_other_word():
    events = [Started("up", "m"), PartOpened(0, "refusal"), PartDelta(0, "No."), PartClosed(0)]
    events += [Finished("end")]

    (choice,) = whole("completions", events)["choices"]
    assert (choice["text"], choice["finish_reason"]) == ("No.", "content_filter")
    assert read_completions(encode("completions", events), include_usage=False)["choices"] == [
        choice
    ]


def test_usage_is_never_missing_and_never_made_up():
    events = [Started("up", "m"), Finished("end")]
    nothing = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}

    assert whole("responses", events)["usage"]["total_tokens"] == 0
    for dialect in ("chat", "completions"):
        usage = whole(dialect, events)["usage"]
        assert {name: usage[name] for name in nothing} == nothing


def test_each_dialect_counts_every_token_once():
    usage = Usage(input=5, cache_read=3, cache_write=2, output=7, reasoning=4)
    events = [Started("up", "m"), UsageSeen(usage), Finished("end")]

    chat = whole("chat", events)["usage"]
    assert (chat["prompt_tokens"], chat["completion_tokens"], chat["total_tokens"]) == (10, 11, 21)
    assert chat["prompt_tokens_details"] == {"cached_tokens": 3, "cache_write_tokens": 2}
    assert chat["completion_tokens_details"] == {"reasoning_tokens": 4}
    responses = whole("responses", events)["usage"]
    assert (responses["input_tokens"], responses["output_tokens"]) == (10, 11)
    assert RESPONSES.read_usage(responses) == usage
    assert CHAT.read_usage(chat) == COMPLETIONS.read_usage(chat) == usage
    messages = whole("messages", events)["usage"]
    assert (messages["input_tokens"], messages["cache_read_input_tokens"]) == (5, 3)
    assert (messages["cache_creation_input_tokens"], messages["output_tokens"]) == (2, 11)
    assert MESSAGES.read_usage(messages) == usage
    gemini = whole("gemini", events)["usageMetadata"]
    assert (gemini["promptTokenCount"], gemini["cachedContentTokenCount"]) == (10, 3)
    assert (gemini["candidatesTokenCount"], gemini["thoughtsTokenCount"]) == (7, 4)
    assert gemini["totalTokenCount"] == 21
    read = GEMINI.read_usage(gemini)
    assert (read.input_total, read.cache_read, read.total) == (10, 3, 21)


@pytest.mark.parametrize("read", [CHAT.read_usage, COMPLETIONS.read_usage])
@pytest.mark.parametrize(("completion", "total"), [(35, 420), (410, 420)])
def test_reasoning_is_part_of_the_output_or_beside_it_as_the_total_says(read, completion, total):
    """xAI counts it beside the output in chat, and OpenAI within it."""
    usage = read(
        {
            "prompt_tokens": 10,
            "completion_tokens": completion,
            "total_tokens": total,
            "completion_tokens_details": {"reasoning_tokens": 375},
        }
    )

    assert usage == Usage(input=10, output=35, reasoning=375)


@pytest.mark.parametrize("upstream", [d for d in DIALECTS if DIALECTS[d].decoder])
@pytest.mark.parametrize("client", ["chat", "responses"])
def test_a_call_that_takes_nothing_has_arguments_that_parse(upstream, client):
    """Claude streams none for it, and clients of OpenAI's dialects parse what they get."""
    events = [Started("up", "m"), PartOpened(0, "tool_call", "call_1", "now"), PartClosed(0)]
    events += [Finished("tool_use")]
    wire = DIALECTS[upstream].encoder(context()).feed(events)

    told = whole(client, decode(upstream, [wire]))

    call = (
        told["choices"][0]["message"]["tool_calls"][0]["function"]
        if client == "chat"
        else told["output"][-1]
    )
    assert (call["name"], json.loads(call["arguments"])) == ("now", {})
