"""What Cursor is known to send to Chat Completions is answered in a way that it reads.

It cannot run here: its own servers make the calls, and need a public address. For some models it
sends requests of Responses; beside functions it offers free-text tools written flat, and reads
every call as a function's, with the text as arguments (gabrii/Cursor-Azure-GPT-5 69,
icebear0828/codex-proxy 707 and 708, BerriAI/litellm 34029, automazeio/vibeproxy 411, seen
2026-11-26).
"""

import pytest

from tests.clients.upstreams import SUBSCRIPTION, UPSTREAMS

CHAT = "/v1/chat/completions"
PATCH = {
    "type": "custom",
    "name": "ApplyPatch",
    "description": "Edits files.",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: /(.|\\n)+/"},
}
PARAMETERS = {"type": "object", "properties": {"path": {"type": "string"}}}
READ = {"name": "Read", "parameters": PARAMETERS}
ASKED = "[[reason Hm.]] [[call ApplyPatch]]"
SENT_AS_RESPONSES = {
    "input": [
        {"role": "system", "content": "You are an agent."},
        {"role": "user", "content": [{"type": "input_text", "text": ASKED}]},
    ],
    "tools": [{"type": "function", **READ}, PATCH],
    "reasoning": {"effort": "high", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "text": {"verbosity": "low"},
    "store": False,
    "stream_options": {"include_usage": True},
}
SENT_AS_CHAT = {
    "messages": [{"role": "user", "content": ASKED}],
    "tools": [{"type": "function", "function": READ}, PATCH],
    "stream_options": {"include_usage": True},
}
on_every_upstream = pytest.mark.parametrize(
    "upstream", UPSTREAMS, ids=lambda upstream: upstream.name
)


@pytest.fixture(scope="module")
def module_relay(start_relay):
    return start_relay(vendors=True)


def called(deltas):
    """Return the one call of a stream: its id, its name, its arguments."""
    pieces = [piece for delta in deltas for piece in delta.get("tool_calls", ())]
    first = pieces[0]
    assert (first["type"], first["function"]["name"]) == ("function", "ApplyPatch")
    return first["id"], "".join(piece["function"]["arguments"] for piece in pieces)


@on_every_upstream
@pytest.mark.parametrize("sent", [SENT_AS_RESPONSES, SENT_AS_CHAT], ids=["responses", "chat"])
def test_a_free_text_tool_is_called_as_a_function(relay, upstream, sent):
    *chunks, end = relay.events(CHAT, {**sent, "model": upstream.model})

    assert end.data == "[DONE]"
    assert {chunk.data["object"] for chunk in chunks} == {"chat.completion.chunk"}
    *said, usage = [chunk.data for chunk in chunks]
    _, arguments = called([chunk["choices"][0]["delta"] for chunk in said])
    assert "input" in arguments
    assert "{" not in arguments
    assert said[-1]["choices"][0]["finish_reason"] == "tool_calls"
    assert usage["usage"]["completion_tokens"] > 0


@on_every_upstream
@pytest.mark.parametrize("sent", [SENT_AS_RESPONSES, SENT_AS_CHAT], ids=["responses", "chat"])
def test_a_whole_answer_is_one_of_chat_completions_too(relay, upstream, sent):
    whole = {name: value for name, value in sent.items() if name != "stream_options"}
    answer = relay.ok(CHAT, {**whole, "model": upstream.model})

    assert (answer["object"], answer["id"][:9]) == ("chat.completion", "chatcmpl-")
    [call] = answer["choices"][0]["message"]["tool_calls"]
    assert call["function"]["name"] == "ApplyPatch"


def test_the_free_text_goes_back_as_the_free_text_that_it_is(relay):
    call = {"name": "ApplyPatch", "arguments": "*** Begin Patch"}
    history = [
        {"role": "user", "content": "Edit it."},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": call}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "Done."},
    ]
    relay.ok(CHAT, {"model": SUBSCRIPTION.model, "messages": history, "tools": [PATCH]})

    _, made, result = relay.asked()["input"]
    assert (made["type"], made["input"]) == ("custom_tool_call", "*** Begin Patch")
    assert (result["type"], result["call_id"]) == ("custom_tool_call_output", "call_1")
    assert relay.asked()["tools"] == [PATCH]


def test_tools_written_flat_are_nested_for_a_chat_server(relay):
    """Which would refuse them as they are."""
    said = [{"role": "user", "content": "[[say Hi]]"}]
    body = {"model": "box/sandbox-small", "messages": said, "tools": [{"type": "function", **READ}]}
    relay.ok(CHAT, body)

    assert relay.asked(CHAT)["tools"] == [{"type": "function", "function": READ}]


FOR_CLAUDE = {
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Read it."}]},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "On it."},
                {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"path": "a"}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "Mimi."}],
        },
    ],
    "tools": [{"name": "Read", "description": "Reads.", "input_schema": PARAMETERS}],
}


@on_every_upstream
def test_blocks_of_messages_are_read(relay, upstream):
    """Cursor sends them for models that are called Claude."""
    answer = relay.ok(CHAT, {**FOR_CLAUDE, "model": upstream.model})

    assert "Mimi." in answer["choices"][0]["message"]["content"]
    [sent] = upstream.among(relay.sandbox.requests)
    for said in (b"On it.", b"Reads.", b'"path"', b"toolu_1", b"Mimi."):
        assert said in sent.body


@on_every_upstream
@pytest.mark.parametrize("prompt", ["Be brief.", [{"type": "text", "text": "Be brief."}]])
def test_a_prompt_beside_the_messages_is_a_system_prompt(relay, upstream, prompt):
    """As Messages has it (OhadBaehr/cursor-openrouter-proxy, seen 2026-11-26)."""
    messages = [{"role": "user", "content": "[[say Hi]]"}]
    tools = [{"type": "function", **READ}]
    body = {"model": upstream.model, "messages": messages, "tools": tools}
    relay.ok(CHAT, {**body, "system": prompt})
    relay.ok(CHAT, {**body, "messages": [{"role": "system", "content": prompt}, *messages]})

    first, second = upstream.among(relay.sandbox.requests)
    assert b"Be brief." in first.body
    assert first.json == second.json


def test_hints_at_caches_reach_the_vendor_that_reads_them(relay):
    hint = {"cache_control": {"type": "ephemeral"}}
    first, called, answered = FOR_CLAUDE["messages"]
    marked = [{**answered["content"][0], **hint}]
    body = {
        "model": "anthropic/claude-opus-4-8",
        "system": [{"type": "text", "text": "Be brief.", **hint}],
        "messages": [first, called, {**answered, "content": marked}],
        "tools": [{**FOR_CLAUDE["tools"][0], **hint}],
    }
    answer = relay.post(CHAT, body)

    assert "x-airelays-ignored-parameters" not in answer.headers
    assert relay.sandbox.requests[-1].body.count(b"cache_control") == 3


@on_every_upstream
@pytest.mark.parametrize("base", [FOR_CLAUDE, SENT_AS_CHAT], ids=["blocks", "chat"])
def test_a_choice_of_tools_may_be_an_object(relay, upstream, base):
    """As Messages writes it (BerriAI/litellm, litellm/utils.py, seen 2026-11-26)."""
    choices = ({"type": "auto"}, {"type": "any"}, {"type": "none"})
    for choice, word in zip(choices, ("auto", "required", "none"), strict=True):
        said = [
            relay.post(CHAT, {**base, "model": upstream.model, "tool_choice": each})
            for each in (choice, word)
        ]
        assert [answer.status_code for answer in said] == [200, 200]
        as_object, as_word = upstream.among(relay.sandbox.requests)[-2:]
        assert as_object.json == as_word.json


def test_a_choice_in_the_usual_form_of_tools_is_a_word_for_a_chat_server_too(relay):
    body = {"model": "box/sandbox-small", "messages": [{"role": "user", "content": "Hi"}]}
    tools = [{"type": "function", "function": READ}]
    relay.ok(CHAT, {**body, "tools": tools, "tool_choice": {"type": "auto"}})

    assert relay.asked(CHAT)["tool_choice"] == "auto"


@pytest.mark.parametrize("base", [SENT_AS_RESPONSES, SENT_AS_CHAT], ids=["responses", "chat"])
def test_a_free_text_tool_is_chosen_as_the_function_that_it_is_for_cursor(relay, base):
    choice = {"type": "function", "name": "ApplyPatch"}
    relay.events(CHAT, {**base, "model": SUBSCRIPTION.model, "tool_choice": choice})

    assert relay.asked()["tool_choice"] == {"type": "custom", "name": "ApplyPatch"}


@on_every_upstream
def test_tools_of_wrong_types_are_refused_by_their_path(relay, upstream):
    body = {"model": upstream.model, "messages": [{"role": "user", "content": "Hi"}]}
    for kind in ([], {}, None, 1):
        error = relay.refusal(CHAT, {**body, "tools": [{"name": "Read", "type": kind}]})
        assert error["param"] == "tools[0].type"


def test_blocks_of_messages_are_written_anew_for_a_chat_server(relay):
    """Which would refuse them as they are, also where no tools are offered any more."""
    relay.ok(CHAT, {"model": "box/sandbox-small", "messages": FOR_CLAUDE["messages"]})

    _, called, answered = relay.asked(CHAT)["messages"]
    assert called["tool_calls"][0]["function"] == {"name": "Read", "arguments": '{"path":"a"}'}
    assert answered == {"role": "tool", "tool_call_id": "toolu_1", "content": "Mimi."}


def test_blocks_of_messages_keep_their_places(relay):
    call = FOR_CLAUDE["messages"][1]

    error = relay.refusal(CHAT, {"model": "gpt-5.5", "messages": [{**call, "role": "system"}]})

    assert error["param"] == "messages[0].content[1].type"


def test_custom_tools_of_the_api_itself_are_called_as_it_says(relay):
    nested = {"type": "custom", "custom": {"name": "ApplyPatch"}}
    body = {"model": SUBSCRIPTION.model, **SENT_AS_CHAT, "tools": [nested]}
    del body["stream_options"]

    [call] = relay.ok(CHAT, body)["choices"][0]["message"]["tool_calls"]

    assert (call["type"], call["custom"]["name"]) == ("custom", "ApplyPatch")


def test_nothing_is_kept_of_it_but_in_its_conversation(relay):
    conversation = relay.ok("/v1/conversations", {})["id"]
    body = {"model": SUBSCRIPTION.model, "input": "[[say Hi]]", "conversation": conversation}

    told = relay.post(CHAT, {**body, "store": True})

    assert told.headers["x-airelays-ignored-parameters"] == "store"
    answer = told.json()
    assert answer["choices"][0]["message"]["content"] == "Hi"
    items = relay.get(f"/v1/conversations/{conversation}/items?order=asc").json()["data"]
    assert [item["role"] for item in items] == ["user", "assistant"]
    assert relay.get(f"/v1/responses/{answer['id']}").status_code == 404
    error = relay.refusal(CHAT, {"model": SUBSCRIPTION.model, "input": "x", "background": True})
    assert error["param"] == "background"


def test_a_body_of_both_is_refused(relay):
    body = {**SENT_AS_CHAT, "model": SUBSCRIPTION.model, "input": "x"}

    assert relay.refusal(CHAT, body)["param"] == "input"


def test_a_body_of_neither_names_what_the_route_takes(relay):
    assert relay.refusal(CHAT, {"model": SUBSCRIPTION.model})["param"] == "messages"
