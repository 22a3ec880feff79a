"""``/v1/conversations``: containers kept by the relay, with metadata and items to begin with.

Turns of all three generation routes are added to them and replayed; updating merges metadata.
"""

import pytest

from tests.seeds.asking import (
    CHAT,
    CHAT_ADD,
    COMPLETIONS,
    MODEL,
    RESPONSES,
    question,
    sent_texts,
    streamed_text,
    user,
)

CONVERSATIONS = "/v1/conversations"
SEED = {"type": "message", "role": "user", "content": "We met in Rome."}
ROUTES = [RESPONSES, CHAT, COMPLETIONS]


def create(relay, **body):
    return relay.ok(CONVERSATIONS, body)


def items_of(relay, id_):
    return relay.get(f"{CONVERSATIONS}/{id_}/items?order=asc").json()["data"]


@pytest.mark.parametrize("body", [None, {}, {"metadata": None, "items": None}], ids=repr)
def test_it_may_begin_with_nothing(relay, body):
    answer = relay.post(CONVERSATIONS, body)

    assert answer.status_code == 200
    conversation = answer.json()
    assert conversation["object"] == "conversation"
    assert conversation["id"].startswith("conv_")
    assert conversation["metadata"] == {}
    assert conversation["created_at"] == conversation["updated_at"] > 1_700_000_000


def test_it_may_begin_with_metadata_and_items(relay):
    conversation = create(relay, metadata={"topic": "Rome"}, items=[SEED])

    assert conversation["metadata"] == {"topic": "Rome"}
    (item,) = items_of(relay, conversation["id"])
    assert item["role"] == "user"
    assert item["content"][0]["text"] == "We met in Rome."


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"metadata": "x"}, "metadata"),
        ({"items": "x"}, "items"),
        ({"items": ["x"]}, "items[0]"),
        ({"metadata": {"n": 7}}, "metadata"),
    ],
    ids=str,
)
def test_anything_else_is_refused_by_name(relay, body, param):
    assert relay.refusal(CONVERSATIONS, body)["param"] == param


def test_it_can_be_read_again(relay):
    conversation = create(relay, metadata={"a": "1"})

    assert relay.get(f"{CONVERSATIONS}/{conversation['id']}").json() == conversation


def test_updating_merges_the_metadata(relay):
    id_ = create(relay, metadata={"a": "1", "b": "2"})["id"]

    updated = relay.ok(f"{CONVERSATIONS}/{id_}", {"metadata": {"b": "3", "c": "4"}})

    assert updated["metadata"] == {"a": "1", "b": "3", "c": "4"}
    assert relay.get(f"{CONVERSATIONS}/{id_}").json() == updated


def test_updating_replaces_where_the_owner_wants_that(start_relay):
    relay = start_relay(CONVERSATIONS_METADATA_UPDATE="replace")
    id_ = create(relay, metadata={"a": "1", "b": "2"})["id"]

    updated = relay.ok(f"{CONVERSATIONS}/{id_}", {"metadata": {"b": "3"}})

    assert updated["metadata"] == {"b": "3"}


def test_a_deleted_one_is_gone(relay):
    id_ = create(relay, items=[SEED])["id"]

    deleted = relay.delete(f"{CONVERSATIONS}/{id_}").json()

    assert (deleted["id"], deleted["deleted"]) == (id_, True)
    for answer in (
        relay.get(f"{CONVERSATIONS}/{id_}"),
        relay.post(f"{CONVERSATIONS}/{id_}", {"metadata": {}}),
        relay.delete(f"{CONVERSATIONS}/{id_}"),
        relay.post(RESPONSES, question(RESPONSES, conversation=id_)),
    ):
        assert answer.status_code == 404


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("stream", [False, True])
def test_what_it_began_with_and_every_turn_is_replayed(relay, path, stream):
    id_ = create(relay, items=[SEED])["id"]
    ask = relay.events if stream else relay.ok

    ask(path, question(path, "[[say Ciao]]", conversation=id_))
    ask(path, question(path, "[[say Salve]]", conversation=id_))

    assert sent_texts(relay.asked()) == ["We met in Rome.", "[[say Ciao]]", "Ciao", "[[say Salve]]"]
    assert len(items_of(relay, id_)) == 5
    assert relay.get(f"{CONVERSATIONS}/{id_}").json()["latest_response_id"]


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("stream", [False, True])
def test_a_turn_that_fails_leaves_no_trace(relay, path, stream):
    id_ = create(relay, items=[SEED])["id"]
    relay.sandbox.script("status", status=400, message="No.")

    answer = relay.post(path, question(path, "lost", conversation=id_, stream=stream))

    assert answer.status_code == 400
    assert len(items_of(relay, id_)) == 1
    relay.ok(path, question(path, "again", conversation=id_))
    assert sent_texts(relay.asked()) == ["We met in Rome.", "again"]


def test_the_upstream_is_told_the_session_and_stores_nothing(relay):
    id_ = create(relay)["id"]

    relay.ok(RESPONSES, question(RESPONSES, conversation=id_))

    (asked,) = relay.sandbox.requests
    assert asked.headers["session_id"] == id_
    assert asked.json["store"] is False
    assert "conversation" not in asked.json


def test_items_replayed_carry_no_ids_of_ours(relay):
    id_ = create(relay)["id"]

    for _ in range(2):
        relay.ok(RESPONSES, question(RESPONSES, conversation=id_))

    assert not [item for item in relay.asked()["input"] if "id" in item]


@pytest.mark.parametrize("stream", [False, True])
def test_reasoning_is_replayed_with_its_seal(relay, stream):
    id_ = create(relay)["id"]
    body = question(
        RESPONSES,
        "[[reason Hm]] [[say Hi]]",
        conversation=id_,
        reasoning={"effort": "low", "summary": "auto"},
        include=["reasoning.encrypted_content"],
    )

    if stream:
        first = relay.events(RESPONSES, body)[-1].data["response"]
    else:
        first = relay.ok(RESPONSES, body)
    relay.ok(RESPONSES, question(RESPONSES, "On", conversation=id_))

    (seal,) = [item["encrypted_content"] for item in first["output"] if item["type"] == "reasoning"]
    replayed = [item for item in relay.asked()["input"] if item.get("type") == "reasoning"]
    assert [item["encrypted_content"] for item in replayed] == [seal]


def test_reasoning_goes_back_with_its_seal_whether_or_not_the_client_asked_for_that(relay):
    id_ = create(relay)["id"]
    body = question(RESPONSES, "[[reason Hm]] [[say Hi]]", reasoning={"summary": "auto"})

    relay.ok(RESPONSES, {**body, "conversation": id_})
    relay.ok(RESPONSES, question(RESPONSES, "[[say On]]", conversation=id_))

    sent = relay.asked()["input"]
    assert [item["type"] for item in sent] == ["message", "reasoning", "message", "message"]
    assert sent[1]["encrypted_content"]


@pytest.mark.parametrize("status", [None, "completed"])
def test_reasoning_that_a_client_echoes_with_its_status_goes_back_without(relay, status):
    """SDKs write out every field that an item may have; the backend knows no such one."""
    body = question(RESPONSES, "[[reason Hm]] [[say Hi]]", include=["reasoning.encrypted_content"])
    output = relay.ok(RESPONSES, {**body, "reasoning": {"summary": "auto"}})["output"]
    echoed = [
        {**item, "status": status} if item["type"] == "reasoning" else item for item in output
    ]

    relay.ok(RESPONSES, {"model": MODEL, "input": [*user("Hm?"), *echoed, *user("On")]})

    (sent,) = [item for item in relay.asked()["input"] if item.get("type") == "reasoning"]
    assert "status" not in sent
    assert sent["encrypted_content"] == output[0]["encrypted_content"]


def test_reasoning_without_a_seal_cannot_be_replayed_and_harms_nothing(relay):
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]}
    id_ = create(relay, items=[*user("Hello"), thought])["id"]

    relay.ok(RESPONSES, question(RESPONSES, "[[say On]]", conversation=id_))

    assert [item.get("type", "message") for item in relay.asked()["input"]] == ["message"] * 2


def test_a_second_turn_meanwhile_waits_its_turn(relay):
    id_ = create(relay)["id"]
    with relay.streaming(
        RESPONSES, question(RESPONSES, "[[behave stalled 1]] [[long 9]]", conversation=id_)
    ):
        relay.sandbox.requests.wait_for(1)

        answer = relay.post(RESPONSES, question(RESPONSES, conversation=id_))

    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "conversation_locked"
    assert int(answer.headers["Retry-After"]) > 0


def test_a_client_that_leaves_leaves_no_trace_and_frees_it(relay):
    id_ = create(relay)["id"]
    body = question(CHAT, "[[behave stalled 2]] [[long 9]]", conversation=id_)
    with relay.streaming(CHAT, body) as answer:
        next(answer.iter_content(1))
    (asked,) = relay.sandbox.requests
    assert relay.sandbox.requests.wait_closed(asked)

    assert items_of(relay, id_) == []
    answer = relay.post(CHAT, question(CHAT, "[[say On]]", conversation=id_))
    while answer.status_code == 409:
        answer = relay.post(CHAT, question(CHAT, "[[say On]]", conversation=id_))
    assert answer.status_code == 200
    assert sent_texts(relay.asked()) == ["[[say On]]"]


@pytest.mark.parametrize("model", ["gpt-5.5", "box/sandbox-small"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_call_can_be_answered_by_the_next_turn_alone(relay, model, stream):
    id_ = create(relay)["id"]
    prompt = '[[call add {"a": 1, "b": 2}]] [[then]] [[say Three]]'
    shared = {"model": model, "conversation": id_, "tools": [CHAT_ADD]}
    first = relay.ok(CHAT, question(CHAT, prompt, **shared))
    (call,) = first["choices"][0]["message"]["tool_calls"]
    body = {**shared, "messages": [{"role": "tool", "tool_call_id": call["id"], "content": "3"}]}

    if stream:
        text = streamed_text(CHAT, relay.events(CHAT, body))
    else:
        text = relay.ok(CHAT, body)["choices"][0]["message"]["content"]

    assert text == "Three"
    kinds = [item["type"] for item in items_of(relay, id_)]
    assert kinds == ["message", "function_call", "function_call_output", "message"]


@pytest.mark.parametrize("stream", [False, True])
def test_what_a_stop_sequence_cut_off_is_not_kept(relay, stream):
    id_ = create(relay)["id"]
    ask = relay.events if stream else relay.ok

    ask(CHAT, question(CHAT, "[[say One two three]]", conversation=id_, stop="two"))

    assert items_of(relay, id_)[-1]["content"][0]["text"] == "One "


def test_it_needs_the_relay_token(relay):
    assert relay.post(CONVERSATIONS, {}, token=None).status_code == 401
