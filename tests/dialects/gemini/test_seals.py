"""Thought signatures survive a turn through every client dialect, and other seals one through this.

Turn one is a reply, as a client of a dialect gets it, streamed or whole. The client echoes it the
way its SDK does, and the upstream that made the seal must get it back byte for byte, beside the
part that it stood at. A seal of another upstream is dropped and disclosed, never sent.
"""

import base64
import itertools
import json

import pytest

from airelays_app.dialects import DIALECTS, GEMINI
from airelays_app.dialects.base import ReplyContext
from airelays_app.neutral.capabilities import Capabilities
from airelays_app.neutral.events import (
    Finished,
    PartClosed,
    PartDelta,
    PartOpened,
    PartSealed,
    Started,
)
from airelays_app.neutral.foreign_seals import without_foreign_seals
from airelays_app.neutral.seals import Seal
from tests.dialects.readers import read_chat, read_gemini, read_messages, read_responses
from tests.dialects.transcripts import decode, wire_of
from tests.neutral.streams import fold

CLIENTS = ("responses", "chat", "messages", "gemini")
READERS = {
    "responses": read_responses,
    "chat": lambda wire: read_chat(wire, include_usage=False),
    "messages": read_messages,
    "gemini": read_gemini,
}
ASKED = {"thinking": True, "includeThoughts": True}


def context(dialect, provider):
    numbers = itertools.count()
    return ReplyContext(
        id="reply_1",
        created=1,
        model="m",
        fresh_id=lambda prefix: f"{prefix}_{next(numbers)}",
        provider=provider,
        echo=ASKED if dialect != "responses" else {},
    )


def streamed(dialect, events, provider):
    return READERS[dialect](DIALECTS[dialect].encoder(context(dialect, provider)).feed(events))


def whole(dialect, events, provider):
    answer = DIALECTS[dialect].encode_reply(fold(events), context(dialect, provider))
    return json.loads(json.dumps(answer))


def second_turn(dialect, answer):
    """Return the request in which a client of ``dialect`` echoes the answer and goes on."""
    match dialect:
        case "responses":
            calls = [item for item in answer["output"] if item["type"] == "function_call"]
            results = [
                {"type": "function_call_output", "call_id": call["call_id"], "output": "ok"}
                for call in calls
            ]
            items = [{"role": "user", "content": "Hi"}, *answer["output"], *results]
            return {"model": "m", "input": items}
        case "chat":
            message = answer["choices"][0]["message"]
            results = [
                {"role": "tool", "tool_call_id": call["id"], "content": "ok"}
                for call in message.get("tool_calls") or ()
            ]
            said = [{"role": "user", "content": "Hi"}, message, *results]
            return {"model": "m", "messages": said}
        case "messages":
            results = [
                {"type": "tool_result", "tool_use_id": block["id"], "content": "ok"}
                for block in answer["content"]
                if block["type"] == "tool_use"
            ]
            said = [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": answer["content"]},
                {"role": "user", "content": [*results, {"type": "text", "text": "On"}]},
            ]
            return {"model": "m", "max_tokens": 9, "messages": said}
    content = recoded(answer["candidates"][0]["content"])
    results = [
        {"functionResponse": {"name": part["functionCall"]["name"], "response": {"output": "ok"}}}
        for part in content["parts"]
        if "functionCall" in part
    ]
    hi = {"role": "user", "parts": [{"text": "Hi"}]}
    return {"contents": [hi, content, {"role": "user", "parts": [*results, {"text": "On"}]}]}


def recoded(content):
    """Return the content after google-genai's way with bytes: decoded, and encoded URL-safely."""
    for part in content["parts"]:
        if "thoughtSignature" in part:
            raw = base64.urlsafe_b64decode(part["thoughtSignature"])
            part["thoughtSignature"] = base64.urlsafe_b64encode(raw).decode()
    return content


def sent(source, target, body, *, provider="up", capabilities=None):
    """Return what the upstream is sent, and what is disclosed."""
    request, losses = DIALECTS[source].decode_request(body)
    request, foreign = without_foreign_seals(request, dialect=target, provider=provider)
    body, further = DIALECTS[target].encode_request(request, capabilities or Capabilities())
    return body, {loss.path for loss in (*losses, *foreign, *further)}


def signatures(body):
    """Return the parts of the model that have a signature, and the signature."""
    return [
        ({name: value for name, value in part.items() if name != "thoughtSignature"}, signature)
        for content in body["contents"]
        if content["role"] == "model"
        for part in content["parts"]
        if (signature := part.get("thoughtSignature"))
    ]


turn_one = pytest.mark.parametrize("answer", [streamed, whole])


@turn_one
@pytest.mark.parametrize("client", ["responses", "chat", "messages"])
def test_the_signature_of_a_call_comes_back_with_that_call(client, answer):
    events = decode("gemini", [wire_of("gemini", "parallel_calls")])

    body, lost = sent(client, "gemini", second_turn(client, answer(client, events, "up")))

    call = {"functionCall": {"name": "add", "args": {"a": 1, "b": 2}}}
    assert signatures(body) == [(call, "CsYBAXLI2nxsig")]
    assert lost <= {"messages[1].reasoning_content"}, "what is shown is not read by any upstream"


AT_THE_END = ["signature_at_the_end", "signature_without_text"]


@turn_one
@pytest.mark.parametrize(
    ("client", "case", "place"),
    [
        *(("responses", case, {"text": ""}) for case in AT_THE_END),
        ("responses", "signature_on_text", {"text": "Four."}),
        ("responses", "signature_on_thought", {"text": "Two and two.", "thought": True}),
        ("messages", "signature_on_text", {"text": "Four."}),
        ("messages", "signature_on_thought", {"text": "Two and two.", "thought": True}),
    ],
)
def test_the_signature_of_a_text_comes_back_where_it_stood(client, answer, case, place):
    events = decode("gemini", [wire_of("gemini", case)])
    (seal,) = [event.seal for event in events if isinstance(event, PartSealed)]

    body, lost = sent(client, "gemini", second_turn(client, answer(client, events, "up")))

    assert signatures(body) == [(place, seal.payload)]
    assert not lost


@turn_one
@pytest.mark.parametrize("case", AT_THE_END)
def test_no_message_ends_in_the_signature_of_its_text(answer, case):
    """Claude Code takes the last block for the answer; Google asks for calls' signatures only."""
    message = answer("messages", decode("gemini", [wire_of("gemini", case)]), "up")

    assert message["content"][-1]["type"] == "text"


@turn_one
@pytest.mark.parametrize("case", ["signature_at_the_end", "signature_on_text"])
def test_a_chat_client_brings_the_signature_of_a_text_back(answer, case):
    """Its messages have one text, so the place is the nearest there is."""
    events = decode("gemini", [wire_of("gemini", case)])
    (seal,) = [event.seal for event in events if isinstance(event, PartSealed)]

    body, _ = sent("chat", "gemini", second_turn("chat", answer("chat", events, "up")))

    assert [signature for _, signature in signatures(body)] == [seal.payload]


def sealed_reply(dialect, *kinds):
    """Return a reply in which each part is preceded by thought with a seal of its own."""
    events = [Started("up_1", "m")]
    numbers = itertools.count()
    for kind in kinds:
        thought = next(numbers)
        seal = Seal(dialect, f"sealed + {thought} /", text=f"thought {thought}")
        events += [PartOpened(thought, "reasoning"), PartDelta(thought, f"thought {thought}")]
        events += [PartSealed(thought, seal), PartClosed(thought)]
        if kind == "text":
            part = next(numbers)
            events += [PartOpened(part, kind), PartDelta(part, "One"), PartDelta(part, " two")]
            events += [PartClosed(part)]
        if kind == "tool_call":
            part = next(numbers)
            events += [PartOpened(part, kind, f"call_{part}", "add"), PartDelta(part, "{}")]
            events += [PartClosed(part)]
    return [*events, Finished("tool_use" if "tool_call" in kinds else "end")]


def seals_sent(dialect, body):
    if dialect == "responses":
        items = [item for item in body["input"] if item["type"] == "reasoning"]
        return [item["encrypted_content"] for item in items]
    blocks = [block for turn in body["messages"] for block in turn["content"]]
    return [block["signature"] for block in blocks if block["type"] == "thinking"]


@turn_one
@pytest.mark.parametrize("upstream", ["responses", "messages"])
@pytest.mark.parametrize(
    "kinds",
    [
        ("text",),
        ("tool_call",),
        ("text", "tool_call", "tool_call"),
        ("nothing", "nothing", "text"),
        ("text", "nothing"),
        ("nothing",),
    ],
)
def test_the_seals_of_others_come_back_through_a_gemini_client(upstream, answer, kinds):
    reply = answer("gemini", sealed_reply(upstream, *kinds), "up")

    body, lost = sent("gemini", upstream, second_turn("gemini", reply))

    made = [e.seal.payload for e in sealed_reply(upstream, *kinds) if isinstance(e, PartSealed)]
    assert seals_sent(upstream, body) == made
    assert not lost


@pytest.mark.parametrize("upstream", ["responses", "messages"])
def test_a_gemini_client_that_forgets_thoughts_and_later_pieces_brings_the_seals_back(upstream):
    """Gemini CLI 0.61 drops thoughts and keeps of a text only what stands beside its beginning."""
    wire = GEMINI.encoder(context("gemini", "up")).feed(sealed_reply(upstream, "text", "tool_call"))
    events = [json.loads(block[6:]) for block in wire.split(b"\n\n")[:-1]]
    parts = [p for event in events for p in event["candidates"][0]["content"]["parts"]]
    kept = []
    for part in (part for part in parts if not part.get("thought")):
        if "functionCall" not in part and kept and kept[-1].get("text"):
            kept[-1]["text"] += part["text"]
        else:
            kept.append(part)
    answer = {"candidates": [{"content": {"role": "model", "parts": kept}}]}

    body, lost = sent("gemini", upstream, second_turn("gemini", answer))

    assert seals_sent(upstream, body) == ["sealed + 0 /", "sealed + 2 /"]
    assert not lost


@pytest.mark.parametrize("alphabet", ["url safe", "usual"])
def test_a_packed_seal_is_known_in_either_alphabet(alphabet):
    reply = whole("gemini", sealed_reply("responses", "text"), "up")
    request = second_turn("gemini", reply)
    (part,) = [p for c in request["contents"] for p in c["parts"] if "thoughtSignature" in p]
    if alphabet == "usual":
        part["thoughtSignature"] = part["thoughtSignature"].translate(str.maketrans("-_", "+/"))

    body, _ = sent("gemini", "responses", request)
    assert seals_sent("responses", body) == ["sealed + 0 /"]
    kept = GEMINI.without_packed_seals(request)
    assert "thoughtSignature" not in json.dumps(kept), "Google would refuse it"


@pytest.mark.parametrize("upstream", ["responses", "messages"])
@pytest.mark.parametrize("kinds", [("text",), ("tool_call", "text"), ("nothing",)])
def test_every_signature_is_base64_as_googles_own(upstream, kinds):
    """Google's SDK for Go reads the usual alphabet only."""
    reply = whole("gemini", sealed_reply(upstream, *kinds), "up")
    signatures = [
        part["thoughtSignature"]
        for part in reply["candidates"][0]["content"]["parts"]
        if "thoughtSignature" in part
    ]
    assert signatures
    for signature in signatures:
        assert base64.b64encode(base64.b64decode(signature, validate=True)).decode() == signature


def called(*names):
    events = [Started("up_1", "m")]
    for part, name in enumerate(names):
        events += [PartOpened(part, "tool_call", f"call_{part}", name), PartClosed(part)]
    return [*events, Finished("tool_use")]


@turn_one
def test_a_call_that_nobody_sealed_is_known_for_no_call_of_googles(answer):
    """Google's newest models refuse an unsigned call, unless it says that they did not make it."""
    request = second_turn("gemini", answer("gemini", called("add", "add"), "up"))
    parts = [part for content in request["contents"] for part in content["parts"]]
    first, second = [part for part in parts if "functionCall" in part]
    assert first["thoughtSignature"]
    assert "thoughtSignature" not in second

    kept = GEMINI.without_packed_seals(request)
    signed = [p for c in kept["contents"] for p in c["parts"] if "thoughtSignature" in p]
    assert [part["thoughtSignature"] for part in signed] == ["skip_thought_signature_validator"]

    body, lost = sent("gemini", "responses", request)
    assert "reasoning" not in [item["type"] for item in body["input"]]
    assert not lost


@turn_one
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("upstream", ["responses", "messages", "gemini"])
def test_the_seal_of_another_provider_is_dropped_and_disclosed(client, upstream, answer):
    reply = answer(client, sealed_reply(upstream, "text"), "there")
    if client == upstream:
        return  # it is not packed, so nothing tells who made it

    body, lost = sent(client, upstream, second_turn(client, reply), provider="here")

    assert "sealed + 0 /" not in json.dumps(body)
    assert "reasoning" in lost


@pytest.mark.parametrize("stand_in", ["skip_thought_signature_validator"])
def test_a_stand_in_for_a_signature_is_no_seal(stand_in):
    """Gemini CLI 0.61 puts it beside calls that came without."""
    call = {"functionCall": {"name": "add", "args": {}}, "thoughtSignature": stand_in}
    request = {"contents": [{"role": "model", "parts": [call]}]}

    body, lost = sent("gemini", "responses", request)

    assert [item["type"] for item in body["input"]] == ["function_call"]
    assert not lost


def test_an_upstream_that_checks_calls_gets_a_stand_in_for_a_packed_signature():
    reply = whole("gemini", sealed_reply("responses", "tool_call", "text"), "up")
    request = second_turn("gemini", reply)

    kept = GEMINI.without_packed_seals(request)

    parts = [p for c in kept["contents"] if c["role"] == "model" for p in c["parts"]]
    signed = [p for p in parts if "thoughtSignature" in p]
    assert [p["thoughtSignature"] for p in signed] == ["skip_thought_signature_validator"]
    assert "functionCall" in signed[0]


def test_a_request_without_packed_signatures_is_the_same_object():
    request = {"contents": [{"parts": [{"text": "a", "thoughtSignature": "Eo8B"}, {"text": ""}]}]}
    assert GEMINI.without_packed_seals(request) is request
