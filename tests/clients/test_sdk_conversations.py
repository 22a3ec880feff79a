"""The openai SDK's conversations: kept by the relay, replayed on every route and upstream."""

import openai
import pytest
from openai.pagination import SyncConversationCursorPage
from openai.types.conversations import (
    Conversation,
    ConversationDeletedResource,
    ConversationItem,
    ConversationItemList,
)


def seed(text):
    return {"type": "message", "role": "user", "content": text}


def texts_of(sent):
    """The texts of an upstream request, in order, whatever its dialect."""
    texts = []
    for item in sent.get("input") or sent["messages"]:
        content = item.get("content")
        parts = content if isinstance(content, list) else [{"text": content}]
        texts += [part["text"] for part in parts if part.get("text")]
    return [text for text in texts if text != "."]


def test_it_is_created_changed_and_deleted(client, strictly):
    made = client.conversations.with_raw_response.create(metadata={"a": "1"}, items=[seed("Hi")])
    conversation = strictly.read(Conversation, made.text)
    assert conversation.id.startswith("conv_")

    changed = client.conversations.with_raw_response.update(conversation.id, metadata={"b": "2"})
    assert strictly.read(Conversation, changed.text).metadata == {"a": "1", "b": "2"}

    deleted = client.conversations.with_raw_response.delete(conversation.id)
    assert strictly.read(ConversationDeletedResource, deleted.text).deleted is True
    with pytest.raises(openai.NotFoundError):
        client.conversations.retrieve(conversation.id)


def test_its_items(client, relay, strictly):
    conversation = client.conversations.create(items=[seed("one")])

    added = client.conversations.items.with_raw_response.create(
        conversation.id, items=[seed("two"), seed("three")]
    )
    assert len(strictly.read(ConversationItemList, added.text).data) == 2
    pages = list(
        client.conversations.items.list(conversation.id, limit=2, order="asc").iter_pages()
    )
    assert [[item.content[0].text for item in page.data] for page in pages] == [
        ["one", "two"],
        ["three"],
    ]
    raw = relay.get(f"/v1/conversations/{conversation.id}/items").text
    strictly.read(SyncConversationCursorPage[ConversationItem], raw)

    first = pages[0].data[0]
    found = client.conversations.items.retrieve(first.id, conversation_id=conversation.id)
    assert found.content[0].text == "one"
    client.conversations.items.delete(first.id, conversation_id=conversation.id)
    left = client.conversations.items.list(conversation.id)
    assert [item.content[0].text for item in left] == ["three", "two"]


def test_turns_are_replayed(client, relay, model):
    conversation = client.conversations.create(items=[seed("We met in Rome.")])

    client.responses.create(model=model, conversation=conversation.id, input="[[say Ciao]]")
    with client.responses.stream(
        model=model, conversation={"id": conversation.id}, input="[[say Salve]]"
    ) as stream:
        stream.get_final_response()
    client.responses.create(model=model, conversation=conversation.id, input="And now?")

    assert texts_of(relay.sandbox.requests[-1].json) == [
        "We met in Rome.",
        "[[say Ciao]]",
        "Ciao",
        "[[say Salve]]",
        "Salve",
        "And now?",
    ]
    assert len(list(client.conversations.items.list(conversation.id))) == 7


def test_tool_calls_are_replayed(client, relay, strictly, model):
    conversation = client.conversations.create()
    nothing = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    tool = {"type": "function", "name": "look", "strict": True, "parameters": nothing}
    first = client.responses.create(
        model=model,
        conversation=conversation.id,
        input="[[call look {}]] [[then]] [[say Seen]]",
        tools=[tool],
    )
    result = {"type": "function_call_output", "call_id": first.output[0].call_id, "output": "blue"}

    second = client.responses.create(
        model=model, conversation=conversation.id, input=[result], tools=[tool]
    )

    assert second.output_text == "Seen"
    raw = relay.get(f"/v1/conversations/{conversation.id}/items").text
    strictly.read(SyncConversationCursorPage[ConversationItem], raw)
    kinds = [item.type for item in client.conversations.items.list(conversation.id, order="asc")]
    assert kinds == ["message", "function_call", "function_call_output", "message"]


def test_the_routes_share_it(client, relay, model):
    conversation = client.conversations.create()
    extra = {"conversation": conversation.id}

    client.completions.create(model=model, prompt="[[say first]]", extra_body=extra)
    chunks = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "[[say second]]"}],
        extra_body=extra,
        stream=True,
    )
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "second"
    client.responses.create(model=model, input="third", conversation=conversation.id)

    assert texts_of(relay.sandbox.requests[-1].json) == [
        "[[say first]]",
        "first",
        "[[say second]]",
        "second",
        "third",
    ]


def test_a_failed_turn_leaves_it_as_it_was(client, relay):
    conversation = client.conversations.create(items=[seed("Hi")])

    with pytest.raises(openai.APIError):
        client.responses.create(
            model="gpt-5.5", conversation=conversation.id, input="[[behave failed 0]] [[say x]]"
        )

    assert len(list(client.conversations.items.list(conversation.id))) == 1
    client.responses.create(model="gpt-5.5", conversation=conversation.id, input="again")
    assert texts_of(relay.asked()) == ["Hi", "again"]


def test_an_unknown_one(client):
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model="gpt-5.5", conversation="conv_nothing", input="Hi")
