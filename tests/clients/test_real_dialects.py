"""Every client dialect on every dialect that llama.cpp's server speaks: wires nobody here wrote.

The upstreams are the embedded model, supervised by the relay, and a server of the owner's with the
same weights, spoken to in one dialect each. What is asserted is structure: texts that come in
pieces, why they ended, counts, calls and schemas that hold, whole answers and events as the SDKs
declare them. What so small a model says is not.
"""

import json
import os
import re
import secrets
import time
from pathlib import Path

import anthropic.types
import openai.types.chat
import pytest
from google.genai.types import GenerateContentResponse
from openai.types.responses import Response, ResponseStreamEvent

from airelays_app.framing.sse import SseSplitter, parse_block
from airelays_app.providers.local.child import Orders, orders_line
from airelays_app.providers.local.launch import launch
from airelays_app.providers.local.process import ProcessId, end, process_id
from airelays_app.providers.local.supervisor import CHILD, Endpoint
from tests.pairs.clients import CLIENTS, Responses, Wish
from tests.providers.local.model_server import busy, wait_until

EMBEDDED = "local/smollm2-135m-instruct"
UPSTREAMS = {
    "embedded": EMBEDDED,
    "chat": "inchat/tiny",
    "responses": "inresponses/tiny",
    "messages": "inmessages/tiny",
}
DECLARED = {
    "Responses": (Response, ResponseStreamEvent),
    "Chat Completions": (openai.types.chat.ChatCompletion, openai.types.chat.ChatCompletionChunk),
    "Completions": (openai.types.Completion, None),
    "Messages": (anthropic.types.Message, anthropic.types.RawMessageStreamEvent),
    "Gemini": (GenerateContentResponse, GenerateContentResponse),
}
"""The SDKs' models of a whole answer and of an event by client; Completions has none of these."""

LONG = "Tell me a very long story about a ship."
COUNT = "Count: one, two, three."
ADD = "Please add 1 and 2."
THINK = "Think and say three."
TOO_LONG = "ship " * 3000
CONTEXT = 2048
FEW, SOME, MANY = 6, 60, 1900
LIMIT_WORDS = frozenset({"max_output_tokens", "length", "max_tokens", "MAX_TOKENS"})
END_WORDS = frozenset({"completed", "stop", "end_turn", "STOP"})
FORCED = frozenset({"tool_choice", "toolConfig"})
CALL_WORDS = frozenset({"completed", "tool_calls", "tool_use", "STOP"})


@pytest.fixture(scope="module")
def server(real_models, tmp_path_factory) -> Endpoint:
    """Return where a llama.cpp server of the owner answers; its template makes calls, thoughts."""
    folder = tmp_path_factory.mktemp("llama")
    state = folder / "state.json"
    owner = process_id(os.getpid())
    orders = Orders(
        model=str(next(real_models.glob("*.gguf"))),
        alias="tiny",
        api_key=secrets.token_hex(16),
        lock_path=str(folder / "lock"),
        state_path=str(state),
        socket_path=None,
        owner_pid=owner.pid,
        owner_started=owner.started,
        threads=1,
        context=CONTEXT,
        slots=2,
        answer_tokens=-1,
        embeddings=False,
        sleep_idle_seconds=-1,
        load_seconds=120,
        template=(Path(__file__).parent / "calling.jinja").read_text(),
    )
    launch(CHILD, orders_line(orders), folder / "log", time.monotonic() + 120)
    running = json.loads(state.read_text())
    yield Endpoint(None, running["base_url"], orders.api_key)
    end(ProcessId(running["pid"], running["started"]))


@pytest.fixture(scope="module")
def module_relay(start_relay, real_models, server):
    """Return a relay with the embedded model, and the server once for each of its dialects."""
    settings = {}
    for dialect in ("chat", "responses", "messages"):
        name = f"PROVIDERS_IN{dialect.upper()}"
        settings |= {
            f"{name}_KIND": "llamacpp",
            f"{name}_BASE_URL": f"{server.base_url}/v1",
            f"{name}_API_KEY": server.api_key,
            f"{name}_DIALECTS": dialect,
        }
    return start_relay(
        login=False,
        models=real_models,
        LOCAL_ENABLED="auto",
        LOCAL_CONTEXT=str(2 * CONTEXT),
        PROVIDERS_LOCAL_PASSTHROUGH="true",
        **settings,
    )


@pytest.fixture(params=UPSTREAMS)
def upstream(request):
    """Return the name of each upstream in turn."""
    return request.param


@pytest.fixture(params=CLIENTS, ids=lambda client: client.name)
def client(request):
    """Return each client in turn."""
    return request.param


@pytest.fixture
def agent(client):
    """Return each client whose dialect has more than text."""
    if client.name == "Completions":
        pytest.skip("text is all that this dialect has")
    return client


@pytest.fixture
def whole(relay, strictly):
    """Return a function that gets a whole answer."""

    def ask(client, path, body):
        answer = relay.ok(path, body)
        strictly.read(DECLARED[client.name][0], answer)
        return answer

    return ask


@pytest.fixture
def streamed(relay, strictly):
    """Return a function that gets what a stream adds up to, and the stream's events.

    Streams of the client's own dialect pass byte by byte, so the SDK is who reads them.
    """

    def ask(client, upstream, path, body):
        if untouched := UNTOUCHED.get((client.name, upstream)):
            return untouched(relay, body)
        path, body = client.streaming(path, body)
        answer = relay.post(path, body)
        assert answer.status_code == 200, answer.text
        frames = [parse_block(block) for block in SseSplitter().feed(answer.content)]
        data = [frame.data for frame in frames if frame.data not in (None, b"[DONE]")]
        if model := DECLARED[client.name][1]:
            data = [strictly.read(model, event) for event in data]
        return client.read(answer.content), data

    return ask


def read_by_openai(relay, body):
    sdk = openai.OpenAI(base_url=relay.base_url, api_key=relay.token, max_retries=0)
    body = {**body, "stream_options": {"include_usage": True}}
    with sdk, sdk.chat.completions.stream(**body) as stream:
        events = list(stream)
        return stream.current_completion_snapshot.model_dump(), events


def read_by_anthropic(relay, body):
    sdk = anthropic.Anthropic(base_url=relay.url, api_key=relay.token, max_retries=0)
    own = {"temperature": body["temperature"]}  # the SDK has no word for it
    body = {name: value for name, value in body.items() if name not in own}
    with sdk, sdk.messages.stream(**body, extra_body=own) as stream:
        events = list(stream)
        return stream.get_final_message().model_dump(), events


UNTOUCHED = {
    ("Chat Completions", "embedded"): read_by_openai,
    ("Chat Completions", "chat"): read_by_openai,
    ("Messages", "messages"): read_by_anthropic,
}


def asked(client, upstream, text, **wishes):
    """Return a request whose answer is the same each time."""
    return client.ask(UPSTREAMS[upstream], text, Wish(**wishes, temperature=0))


def limit_words(upstream):
    """Return what may be said at the limit: llama.cpp's Responses are completed in any case."""
    return END_WORDS if upstream == "responses" else LIMIT_WORDS


def stop_words(client, upstream):
    """Return what may be said at a stop sequence.

    Messages has a word of its own for it. Chat Completions cannot know that there is one, and
    llama.cpp's Messages do not either; at a Responses upstream it is the relay that stops.
    """
    if client.name == "Gemini":
        return {"STOP"}
    if client.name != "Messages":
        return {"stop"}
    return {"stop_sequence"} if upstream == "responses" else {"end_turn"}


def test_a_text_ends_at_the_limit_whole_and_streamed(client, upstream, whole, streamed):
    path, body = asked(client, upstream, LONG, limit=FEW)
    answer = client.told(whole(client, path, body))
    put_together, events = streamed(client, upstream, path, body)

    for told in (answer, client.told(put_together)):
        assert told.text
        assert told.tokens > FEW
        assert told.ended in limit_words(upstream)
    assert len(events) > FEW


def test_it_stops_where_it_is_told(client, upstream, whole):
    if client.name == "Responses":
        pytest.skip("this dialect has no stop sequences")
    path, body = asked(client, upstream, COUNT, limit=SOME, stops=("e", "o"))
    told = client.told(whole(client, path, body))

    assert told.text
    assert not set("eo") & set(told.text)
    assert told.ended in stop_words(client, upstream)


@pytest.mark.parametrize("upstream", ["embedded", "chat"])
def test_a_schema_is_enforced_whatever_was_asked(agent, upstream, streamed):
    path, body = asked(agent, upstream, LONG, schema=True, limit=4 * FEW)
    answer, _ = streamed(agent, upstream, path, body)
    assert re.match(r'\{\s*"city"\s*:\s*"', agent.told(answer).text)


@pytest.mark.parametrize("upstream", ["responses", "messages"])
def test_a_schema_that_would_be_ignored_is_refused(agent, upstream, relay):
    path, body = asked(agent, upstream, LONG, schema=True, limit=FEW)
    answer = relay.post(path, body)

    assert answer.status_code in (400, 422)
    assert f"providers.in{upstream}.dialects" in agent.error(answer.json())


def test_a_call_is_streamed_and_its_result_taken(agent, upstream, streamed, whole):
    path, body = asked(agent, upstream, ADD, tools=True, must_call=True, limit=SOME)
    answer, events = streamed(agent, upstream, path, body)
    assert_called(agent.told(answer))
    assert len(events) > (1 if agent.name == "Gemini" else 5), "arguments come as they are written"

    body = {name: value for name, value in body.items() if name not in FORCED}
    after = agent.told(whole(agent, path, agent.go_on(body, answer, ["It is 3."])))
    assert after.text
    assert not after.calls


def test_a_call_comes_whole(upstream, whole):
    client = Responses()
    path, body = asked(client, upstream, ADD, tools=True, must_call=True, limit=SOME)
    assert_called(client.told(whole(client, path, body)))


def assert_called(told):
    ((name, arguments),) = told.calls
    assert (name, arguments.keys()) == ("add", {"a", "b"})
    assert told.ended in CALL_WORDS


@pytest.mark.parametrize("upstream", ["chat", "responses", "messages"])
def test_thoughts_are_told_and_taken_back(agent, upstream, whole, streamed):
    path, body = asked(agent, upstream, THINK, thinking=True, limit=SOME)
    answer, _ = streamed(agent, upstream, path, body)
    for each in (whole(agent, path, body), answer):
        told = agent.told(each)
        assert told.reasoning.strip()
        assert told.text

    after = whole(agent, path, agent.go_on(body, answer, []))
    assert agent.told(after).tokens > 0


def test_a_conversation_goes_on(client, upstream, relay, whole):
    """The second turn brings the first one along, in whatever the upstream is spoken to in."""
    conversation = relay.ok("/v1/conversations", {})["id"]
    path, body = asked(client, upstream, COUNT, limit=FEW)
    body["conversation"] = conversation
    first = client.told(whole(client, path, body))
    path, body = client.streaming(path, body)
    second = client.told(client.read(relay.post(path, body).content))

    assert second.tokens > first.tokens + FEW
    items = relay.get(f"/v1/conversations/{conversation}/items?order=asc").json()["data"]
    assert [item["role"] for item in items] == ["user", "assistant"] * 2
    assert [items[1]["content"][0]["text"], items[3]["content"][0]["text"]] == [
        first.text,
        second.text,
    ]


@pytest.fixture
def works(upstream, relay, server):
    """Return a function that tells whether the upstream's model writes an answer."""

    def embedded():
        return any(slot["is_processing"] for slot in relay.get("/p/local/slots").json())

    return embedded if upstream == "embedded" else lambda: busy(server)


def test_who_leaves_frees_the_slot(client, upstream, relay, works):
    """The rest of the answer would take at least nine seconds on any machine of today."""
    path, body = client.streaming(*asked(client, upstream, LONG, limit=MANY))
    with relay.streaming(path, body) as answer:
        pieces = answer.iter_content(1)
        next(pieces)
        assert works()
    wait_until(lambda: not works(), patience=9)


def test_a_prompt_that_does_not_fit_is_the_clients_mistake(client, upstream, relay):
    path, body = asked(client, upstream, TOO_LONG, limit=FEW)
    for asking in ((path, body), client.streaming(path, body)):
        answer = relay.post(*asking)
        assert answer.status_code == 400
        assert "exceeds the available context size" in client.error(answer.json())


def test_the_embedded_model_answers_to_its_own_name_only(client, relay):
    path, body = client.ask("local/gpt-5.5", LONG)
    answer = relay.post(path, body)
    assert answer.status_code == 404
    assert "smollm2-135m-instruct" in client.error(answer.json())
