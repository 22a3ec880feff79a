"""Whatever has been said in a conversation, a vendor of another dialect takes it.

Blank texts, steering in the middle, parallel calls with odd names and arguments that do not parse,
ids that are used again, results with images and errors, a last word of the model's: what each
vendor refuses of a conversation, by the rules that the sandbox knows of it, is written otherwise.
"""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airelays_app.dialects import DIALECTS
from airelays_app.neutral.request import Image, Message, Request, Text, Tool, ToolCall, ToolResult
from airelays_app.neutral.tool_names import with_legal_names
from tests.pairs.clients import PNG
from tests.pairs.table import UPSTREAMS

PATHS = {
    "responses": "/v1/responses",
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
    "gemini": "/v1beta/models/{}:generateContent",
}
OWN = {
    "gpt-5.5": "responses",
    "plain/sandbox-small": "responses",
    "box/sandbox-small": "chat",
    "anthropic/claude-opus-4-8": "messages",
    "gemini/gemini-3.5-flash": "gemini",
}
"""What each upstream speaks: a client of the same dialect is its own vendor's business."""
PAIRS = [
    pytest.param(client, model, id=f"{client} - {upstream}")
    for client in PATHS
    for upstream, model in UPSTREAMS.items()
    if client != OWN[model]
]
NAMES = ("add", "files-read", "1st", "x" * 70)
IDS = ("call_0", "call_1", "toolu_3", "c.4", "é5", "x" * 80)
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
TOOLS = tuple(Tool(name, "Does it.", SCHEMA) for name in NAMES)

texts = st.builds(Text, st.sampled_from(["", " ", "Hi", "Größe 🙂", "a\n\nb", "\n"]))
seen = texts | st.just(Image(f"data:image/png;base64,{PNG}"))
arguments = st.sampled_from(["", "{}", '{"a": 1}', "[1]", "{bad"])


@st.composite
def rounds(draw):
    """Draw what the user says, what steers, what the model says and calls, and the results."""
    said = [Message("user", tuple(draw(st.lists(seen, max_size=3))))]
    if draw(st.booleans()):
        said.append(Message(draw(st.sampled_from(["system", "developer"])), (draw(texts),)))
    ids = draw(st.lists(st.sampled_from(IDS), max_size=3, unique=True))
    calls = [ToolCall(id_, draw(st.sampled_from(NAMES)), draw(arguments)) for id_ in ids]
    said.append(Message("assistant", (*draw(st.lists(texts, max_size=2)), *calls)))
    for id_ in ids:
        parts = tuple(draw(st.lists(seen, max_size=2)))
        said.append(Message("tool", (ToolResult(id_, parts, is_error=draw(st.booleans())),)))
    return said


@st.composite
def conversations(draw):
    said = [message for each in draw(st.lists(rounds(), max_size=3)) for message in each]
    begun = draw(st.sampled_from([(), (Message("system", (Text("Be kind."),)),)]))
    last = draw(st.sampled_from([(), (Message("assistant", (Text("So"),)),)]))
    return Request(
        "m",
        (*begun, *said, Message("user", (Text("[[say Hi]]"),)), *last),
        tools=TOOLS,
        reasoning_effort=draw(st.sampled_from([None, "low", "high", "none"])),
    )


@pytest.fixture(scope="module")
def module_relay(start_relay):
    return start_relay(plain="responses", vendors=True, UPSTREAM_RETRY_ATTEMPTS="0")


def written(client, request):
    """Return the conversation as a client of that dialect writes it."""
    dialect = DIALECTS[client]
    legal, _ = with_legal_names(request, dialect.tool_names)
    body, _ = dialect.encode_request(replace(legal, model="m"))
    return json.loads(json.dumps(body))


@pytest.mark.parametrize(("client", "model"), PAIRS)
@settings(max_examples=8)
@given(request=conversations())
def test_it_goes_on(module_relay, client, model, request):
    body = written(client, request)

    answer = module_relay.post(
        PATHS[client].format(model), body if client == "gemini" else {**body, "model": model}
    )

    assert answer.status_code == 200, (answer.text, body)
