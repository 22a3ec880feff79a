"""The openai SDK's files: upload, list, page, retrieve, read, delete, and use in requests."""

import base64

import openai
import pytest
from openai.pagination import SyncCursorPage
from openai.types import FileDeleted, FileObject


@pytest.fixture
def upload(client):
    uploaded = []

    def create(name, content, kind="text/plain", purpose="user_data"):
        uploaded.append(client.files.create(file=(name, content, kind), purpose=purpose))
        return uploaded[-1]

    yield create
    for file in uploaded:
        try:
            client.files.delete(file.id)
        except openai.NotFoundError:
            continue


def test_a_file_comes_back_as_it_went(client, strictly, upload):
    content = bytes(range(256)) * 5000
    file = upload("näme.bin", content, "application/octet-stream")

    answer = client.files.with_raw_response.retrieve(file.id)
    kept = strictly.read(FileObject, answer.text)
    assert (kept.filename, kept.bytes, kept.purpose) == ("näme.bin", len(content), "user_data")
    assert kept.status == "processed"
    assert client.files.content(file.id).content == content


def test_deleting(client, strictly, upload):
    file = upload("a.txt", b"gone soon")

    answer = client.files.with_raw_response.delete(file.id)

    assert strictly.read(FileDeleted, answer.text).deleted is True
    for call in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError):
            call(file.id)


def test_the_pager_sees_every_file_once(client, relay, strictly, upload):
    ids = [upload(f"{number}.txt", b"x").id for number in range(5)]

    assert [file.id for file in client.files.list(limit=2)] == ids[::-1]
    assert [file.id for file in client.files.list(limit=2, order="asc")] == ids
    pages = list(client.files.list(limit=2).iter_pages())
    assert [len(page.data) for page in pages] == [2, 2, 1]
    raw = relay.get("/v1/files", params={"limit": 2}).text
    assert strictly.read(SyncCursorPage[FileObject], raw).has_more is True


def test_listing_by_purpose(client, upload):
    upload("a.txt", b"x")
    wanted = upload("b.txt", b"x", purpose="vision")

    assert [file.id for file in client.files.list(purpose="vision")] == [wanted.id]


def test_a_document_in_a_request(client, relay, upload, model):
    file = upload("report.pdf", b"%PDF-1.7 tiny", "application/pdf")
    content = [
        {"type": "input_text", "text": "[[say Read it.]]"},
        {"type": "input_file", "file_id": file.id},
    ]

    answer = client.responses.create(model=model, input=[{"role": "user", "content": content}])

    assert answer.output_text == "Read it."
    inline = f"data:application/pdf;base64,{base64.b64encode(b'%PDF-1.7 tiny').decode()}"
    sent = relay.sandbox.requests[-1].body.decode()
    assert inline in sent
    assert "report.pdf" in sent
    assert file.id not in sent


def test_a_document_in_a_chat(client, relay, upload, model):
    file = upload("report.pdf", b"%PDF-1.7 tiny", "application/pdf")
    content = [
        {"type": "text", "text": "[[say Ok]]"},
        {"type": "file", "file": {"file_id": file.id}},
    ]

    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": content}]
    )

    assert answer.choices[0].message.content == "Ok"
    sent = relay.sandbox.requests[-1].body.decode()
    assert base64.b64encode(b"%PDF-1.7 tiny").decode() in sent


def test_an_image_in_a_request(client, relay, upload):
    file = upload("dot.png", b"\x89PNG\r\n\x1a\n", "image/png", purpose="vision")
    content = [{"type": "input_image", "file_id": file.id, "detail": "low"}]

    client.responses.create(model="gpt-5.5", input=[{"role": "user", "content": content}])

    part = relay.asked()["input"][0]["content"][0]
    assert part == {
        "type": "input_image",
        "image_url": "data:image/png;base64,iVBORw0KGgo=",
        "detail": "low",
    }


def test_a_file_that_is_not_there_is_named(client):
    content = [{"type": "input_file", "file_id": "file_nothing"}]

    with pytest.raises(openai.UnprocessableEntityError) as caught:
        client.responses.create(model="gpt-5.5", input=[{"role": "user", "content": content}])

    assert caught.value.param == "input[0].content[0].file_id"
