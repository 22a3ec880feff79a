"""Every client dialect on every kind of upstream, over real sockets, streamed and whole.

What the upstream says is what the client is told, and a stream adds up to the whole answer.
Streams are read by the strict readers.
"""

import pytest

from airelays_app.framing.sse import SseSplitter, data_block, event_block, parse_block
from airelays_app.sandbox.behaviours import LINE_BREAKS
from tests.dialects.readers import read_chat, read_completions, read_responses
from tests.seeds.asking import ADD, CHAT, CHAT_ADD, COMPLETIONS, RESPONSES, question, user

UPSTREAMS = {
    "the subscription": "gpt-5.5",
    "a chat server": "box/sandbox-small",
    "a Responses server": "plain/sandbox-small",
}
UNTOUCHED = [(CHAT, "a chat server"), (RESPONSES, "a Responses server")]
PLACE = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
CALLS = 'Go. [[call add {"a": 1, "b": 2}]] [[call add {"a": 30, "b": 40}]]'
TOOLS = {RESPONSES: {"tools": [ADD]}, CHAT: {"tools": [CHAT_ADD]}}
CUSTOM = {
    RESPONSES: {"tools": [{"type": "custom", "name": "run"}]},
    CHAT: {"tools": [{"type": "custom", "custom": {"name": "run"}}]},
}
THINKING = {
    RESPONSES: {"reasoning": {"effort": "high", "summary": "auto"}},
    CHAT: {"reasoning_effort": "high"},
    COMPLETIONS: {"reasoning_effort": "high"},
}
FORMAT = {
    RESPONSES: {"text": {"format": {"type": "json_schema", "name": "place", "schema": PLACE}}},
    CHAT: {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "place", "schema": PLACE, "strict": True},
        }
    },
}
STOP = {CHAT: {"stop": ["never", "three"]}, COMPLETIONS: {"stop": "three"}}
NOTHING = {RESPONSES: {}, CHAT: {}, COMPLETIONS: {}}

# What is asked, the fields that each dialect asks it with, and what is told.
SCENARIOS = {
    "text": ('[[say Größe 🙂 \\ " one]]', NOTHING, {"text": 'Größe 🙂 \\ " one'}),
    "line breaks": ("[[behave line_separator]]", NOTHING, {"text": LINE_BREAKS}),
    "long text": ("[[long 300]]", NOTHING, {"text": "".join(f"{n} " for n in range(300))}),
    "nothing": ("[[behave empty]]", NOTHING, {}),
    "uncounted": ("[[behave usage_missing]] [[say Hi]]", NOTHING, {"text": "Hi", "usage": 0}),
    "too long": (
        "[[behave incomplete max_output_tokens 2]] [[say One two three]]",
        NOTHING,
        {"text": "One two", "end": "length"},
    ),
    "filtered": (
        "[[behave incomplete content_filter 1]] [[say One two]]",
        NOTHING,
        {"text": "One", "end": "content_filter"},
    ),
    "a refusal": ("[[refuse I will not]]", NOTHING, {"refusal": "I will not"}),
    "parallel calls": (
        CALLS,
        TOOLS,
        {"calls": [("add", '{"a": 1, "b": 2}'), ("add", '{"a": 30, "b": 40}')], "end": "calls"},
    ),
    "text and a call": (
        '[[say Let me see]] [[call add {"a": 1, "b": 2}]]',
        TOOLS,
        {"text": "Let me see", "calls": [("add", '{"a": 1, "b": 2}')], "end": "calls"},
    ),
    "a free-text call": (
        "[[custom run x = 1]]",
        CUSTOM,
        {"calls": [("run", "x = 1")], "end": "calls"},
    ),
    "reasoning": (
        "[[reason Let me think]] [[say Done]]",
        THINKING,
        {"text": "Done", "reasoning": "Let me think"},
    ),
    "structure": ("A city.", FORMAT, {"text": '{"city":"city"}'}),
    "stop": ("[[say One two three four]]", STOP, {"text": "One two "}),
    "comments": ("[[behave comments]] [[say One two]]", NOTHING, {"text": "One two"}),
    "unknown events": ("[[behave unknown_events]] [[say One two]]", NOTHING, {"text": "One two"}),
    "no chunks": ("[[behave close_delimited]] [[say One two]]", NOTHING, {"text": "One two"}),
    "crlf, byte by byte": (
        "[[behave crlf]] [[behave one_byte]] [[say One]]",
        NOTHING,
        {"text": "One"},
    ),
}
CASES = [
    pytest.param(path, model, name, id=f"{path[4:]} on {upstream}: {name}")
    for name, (_, fields, _) in SCENARIOS.items()
    for path in fields
    for upstream, model in UPSTREAMS.items()
    # What its own server does not count, no client of the same dialect is told of.
    if name != "uncounted" or (path, upstream) not in UNTOUCHED
]


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay with a server that speaks Responses only."""
    return start_relay(plain="responses")


def whole(relay, path, body):
    """Return a buffered answer."""
    return relay.ok(path, body)


def streamed(relay, path, body):
    """Return what a stream adds up to, read strictly."""
    if path != RESPONSES:
        body = {**body, "stream_options": {"include_usage": True}}
    answer = relay.post(path, {**body, "stream": True})
    assert answer.status_code == 200, answer.text
    if path == RESPONSES:
        return read_responses(usual(answer.content))
    read = read_chat if path == CHAT else read_completions
    return read(usual(answer.content), include_usage=True)


def usual(wire):
    """Return a stream in the form that the readers want.

    What passes untouched has the comments, further fields and line ends of its server.
    """
    splitter = SseSplitter()
    frames = [parse_block(block) for block in splitter.feed(wire)]
    assert splitter.close() == b""
    return b"".join(
        event_block(name, data) if name else data_block(data)
        for name, data in frames
        if data is not None
    )


def told(path, answer):
    """Return what an answer tells, in words of no dialect."""
    if path == RESPONSES:
        return {k: v for k, v in _told_by_response(answer).items() if v}
    choice = answer["choices"][0]
    ends = {"tool_calls": "calls", "length": "length", "content_filter": "content_filter"}
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    message = choice.get("message") or {"content": choice["text"]}
    calls = [
        (call[kind]["name"], call[kind]["input" if kind == "custom" else "arguments"])
        for call in message.get("tool_calls") or ()
        for kind in [call["type"]]
    ]
    found = {
        "text": message["content"],
        "refusal": message.get("refusal"),
        "reasoning": message.get("reasoning_content"),
        "calls": calls,
        "end": ends.get(choice["finish_reason"]),
        "usage": usage["total_tokens"],
    }
    return {name: value for name, value in found.items() if value}


def _told_by_response(response):
    usage = response["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    output = response["output"]
    parts = [part for item in output for part in item.get("content") or ()]
    calls = [item for item in output if item["type"].endswith("_call") and "name" in item]
    reason = (response["incomplete_details"] or {}).get("reason")
    return {
        "text": "".join(part["text"] for part in parts if part["type"] == "output_text"),
        "refusal": "".join(part.get("refusal", "") for part in parts),
        "reasoning": "".join(p["text"] for item in output for p in item.get("summary") or ()),
        "calls": [(call["name"], call.get("arguments", call.get("input"))) for call in calls],
        "end": {"max_output_tokens": "length"}.get(reason, reason) or (calls and "calls"),
        "usage": usage["total_tokens"],
    }


def expected_of(path, wanted):
    """Return what a client of ``path`` can be told of it."""
    if path != COMPLETIONS:
        return wanted
    text = wanted.get("text", "") + wanted.get("refusal", "")
    end = "content_filter" if "refusal" in wanted else wanted.get("end")
    kept = {"text": text, "end": end, "usage": wanted.get("usage")}
    return {name: value for name, value in kept.items() if value}


@pytest.mark.parametrize(("path", "model", "name"), CASES)
def test_the_client_is_told_what_the_upstream_said(relay, path, model, name):
    steps, fields, wanted = SCENARIOS[name]
    body = question(path, steps, model=model, **fields[path])

    for answer in (whole(relay, path, body), streamed(relay, path, body)):
        found = told(path, answer)
        counted = found.pop("usage", 0)
        assert found == expected_of(path, {k: v for k, v in wanted.items() if k != "usage"})
        # An upstream that is closed at a stop sequence has told no usage yet.
        if "usage" not in wanted and name != "stop":
            assert counted > 0
        assert answer["model"] == model.rpartition("/")[2]


either = pytest.mark.parametrize("ask", [whole, streamed])
SAYS_RESPONSES = ["gpt-5.5", "plain/sandbox-small"]
LINK = "[[annotate https://example.org/a]]"


@pytest.mark.parametrize("model", SAYS_RESPONSES)
@pytest.mark.parametrize("path", [RESPONSES, CHAT])
def test_a_link_in_the_text_is_told_as_an_annotation(relay, path, model):
    body = question(path, LINK, model=model)

    for answer in (whole(relay, path, body), streamed(relay, path, body)):
        if path == RESPONSES:
            (note,) = answer["output"][0]["content"][0]["annotations"]
        else:
            (nested,) = answer["choices"][0]["message"]["annotations"]
            assert nested["type"] == "url_citation"
            note = nested["url_citation"]
        assert note["url"] == "https://example.org/a"
        assert note["end_index"] > note["start_index"]


@pytest.mark.parametrize("model", SAYS_RESPONSES)
@either
def test_a_seal_comes_back_to_its_upstream_byte_for_byte(relay, model, ask):
    body = question(
        RESPONSES,
        "[[reason Hm]] [[say Hi]]",
        model=model,
        reasoning={"effort": "low", "summary": "auto"},
        include=["reasoning.encrypted_content"],
    )
    first = ask(relay, RESPONSES, body)
    (thought,) = [item for item in first["output"] if item["type"] == "reasoning"]
    history = [*user(body["input"]), *first["output"], *user("[[say On]]")]

    ask(relay, RESPONSES, {**body, "input": history})

    sent = [i for i in relay.sandbox.requests[-1].json["input"] if i.get("type") == "reasoning"]
    assert [item["encrypted_content"] for item in sent] == [thought["encrypted_content"]]


@pytest.mark.parametrize("model", SAYS_RESPONSES)
@either
def test_a_chat_client_that_echoes_its_message_brings_the_seal_back(relay, model, ask):
    body = question(CHAT, "[[reason Hm]] [[say Hi]]", model=model, reasoning_effort="low")
    message = ask(relay, CHAT, body)["choices"][0]["message"]
    assert message["reasoning_content"] == "Hm"

    ask(relay, CHAT, {**body, "messages": [*body["messages"], message, *user("[[say On]]")]})

    (sent,) = [i for i in relay.sandbox.requests[-1].json["input"] if i["type"] == "reasoning"]
    assert sent["encrypted_content"]
    assert sent["encrypted_content"] not in str(message), "it travels packed"


@pytest.mark.parametrize("model", UPSTREAMS.values(), ids=UPSTREAMS)
@pytest.mark.parametrize("path", [RESPONSES, CHAT])
@either
def test_images_documents_and_results_reach_the_upstream(relay, path, model, ask):
    png, pdf = "data:image/png;base64,iVBORw0KGgo=", "data:application/pdf;base64,JVBERi0="
    if path == RESPONSES:
        look = [
            {"type": "input_text", "text": CALLS},
            {"type": "input_image", "image_url": png},
            {"type": "input_file", "filename": "a.pdf", "file_data": pdf},
        ]
    else:
        look = [
            {"type": "text", "text": CALLS},
            {"type": "image_url", "image_url": {"url": png}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": pdf}},
        ]
    body = question(path, CALLS, model=model, **TOOLS[path])
    said = "input" if path == RESPONSES else "messages"
    body[said] = user(look)
    first = ask(relay, path, body)
    asked = relay.sandbox.requests[-1].body.decode()
    assert png in asked
    assert pdf in asked

    ask(relay, path, {**body, said: [*body[said], *answered(path, first)]})

    asked = relay.sandbox.requests[-1].body.decode()
    assert asked.index("three") < asked.index("seventy")
    assert png in asked


def answered(path, answer):
    """Return the assistant's turn and the results of its two calls."""
    if path == RESPONSES:
        calls = [item for item in answer["output"] if item["type"] == "function_call"]
        results = [
            {"type": "function_call_output", "call_id": call["call_id"], "output": result}
            for call, result in zip(calls, ("three", "seventy"), strict=True)
        ]
        return [*answer["output"], *results]
    message = answer["choices"][0]["message"]
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": result}
        for call, result in zip(message["tool_calls"], ("three", "seventy"), strict=True)
    ]
    return [message, *results]
