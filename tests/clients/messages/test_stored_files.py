"""Files that are stored on the relay are read by models of every dialect; others' ids are not."""

import base64
import json

import pytest
from anthropic import BadRequestError

NATIVE = "anthropic/claude-opus-4-8"
TRANSLATED = ["gpt-5.5", "box/sandbox-small"]
PATHS = {
    "gpt-5.5": "/codex/responses",
    "box/sandbox-small": "/v1/chat/completions",
    NATIVE: "/anthropic/v1/messages",
}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(40))
PDF = b"%PDF-1.4 hardly one"
TEXT = "Ein Gedicht über Züge."
THEIRS = "file_011CNha8iCJcU1wXNR6q4V8w"


@pytest.fixture
def upload(relay):
    def upload(data, name, kind):
        return relay.post("/v1/files", files={"file": (name, data, kind)}).json()["id"]

    return upload


def block(kind, file_id, **more):
    return {"type": kind, "source": {"type": "file", "file_id": file_id}, **more}


def sent(relay, client, model, *blocks):
    """Ask about the blocks and return what the upstream got, as text."""
    content = [*blocks, {"type": "text", "text": "[[say Read.]]"}]
    client.messages.create(
        model=model, max_tokens=500, messages=[{"role": "user", "content": content}]
    )
    return json.dumps(relay.sandbox.requests.to(PATHS[model])[-1].json, ensure_ascii=False)


@pytest.mark.parametrize(
    ("kind", "name", "media_type", "data"),
    [("image", "a.png", "image/png", PNG), ("document", "a.pdf", "application/pdf", PDF)],
)
def test_an_image_and_a_pdf_file_are_sent_along(
    relay, client, model, upload, kind, name, media_type, data
):
    assert base64.b64encode(data).decode() in sent(
        relay, client, model, block(kind, upload(data, name, media_type))
    )


def test_a_text_is_a_document_with_its_name(relay, client, model, upload):
    file_id = upload(TEXT.encode(), "gedicht.md", "text/markdown")

    asked = sent(relay, client, model, block("document", file_id))

    assert TEXT in asked
    assert "gedicht.md" in asked


def test_a_file_in_the_result_of_a_tool_is_sent_along(relay, client, model, upload):
    image = block("image", upload(PNG, "a.png", "image/png"))
    used = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [image]}
    tool = {"name": "look", "input_schema": {"type": "object", "properties": {}}}

    client.messages.create(
        model=model,
        max_tokens=500,
        tools=[tool],
        messages=[
            {"role": "user", "content": "[[call look {}]]"},
            {"role": "assistant", "content": [used]},
            {"role": "user", "content": [result]},
        ],
    )

    asked = relay.sandbox.requests.to(PATHS[model])[-1].body.decode()
    assert base64.b64encode(PNG).decode() in asked


def test_what_the_client_said_of_it_stays(relay, client, upload):
    file_id = upload(TEXT.encode(), "gedicht.md", "text/markdown")
    told = {"title": "A poem", "citations": {"enabled": True}, "context": "For children."}

    sent(relay, client, NATIVE, block("document", file_id, **told))

    document = relay.sandbox.requests.to(PATHS[NATIVE])[-1].json["messages"][0]["content"][0]
    source = {"type": "text", "media_type": "text/plain", "data": TEXT}
    assert document == {"type": "document", "source": source, **told}


def test_an_id_of_anthropics_own_goes_there_as_it_is(relay, client):
    assert THEIRS in sent(relay, client, NATIVE, block("document", THEIRS))


@pytest.mark.parametrize("model", TRANSLATED)
def test_an_id_of_anthropics_own_means_nothing_elsewhere(client, model):
    with pytest.raises(BadRequestError, match=r"messages\[0\].content\[0\].source"):
        client.messages.create(
            model=model,
            max_tokens=500,
            messages=[{"role": "user", "content": [block("document", THEIRS)]}],
        )


@pytest.mark.parametrize(
    ("kind", "data", "media_type"),
    [
        ("image", TEXT.encode(), "text/plain"),
        ("document", b"\0\1", "application/octet-stream"),
        ("document", b"x" * 1_000_001, "text/plain"),
        ("document", None, ""),
    ],
    ids=["a text as an image", "no document", "too long", "not there"],
)
def test_what_cannot_be_read_is_named(client, model, upload, kind, data, media_type):
    file_id = upload(data, "it", media_type) if data else f"file_{'0' * 32}"

    with pytest.raises(BadRequestError, match=r"messages\[0\].content\[0\].source.file_id"):
        client.messages.create(
            model=model,
            max_tokens=500,
            messages=[{"role": "user", "content": [block(kind, file_id)]}],
        )
