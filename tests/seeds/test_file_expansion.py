"""Stored files in a request are written out inline before the upstream is called.

Images become image inputs; documents stay documents; other references to text become text. Text
files (by their type) of more than 1,000,000 bytes are refused.
"""

import base64

import pytest

from tests.seeds.asking import CHAT, MODEL, RESPONSES, user

TEXT_TYPES = [
    "text/plain",
    "text/markdown",
    "text/csv",
    "text/plain; charset=utf-8",
    "application/json",
    "application/xml",
    "application/yaml",
    "application/x-yaml",
    "application/csv",
]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def upload(relay):
    def upload(data, name="a.txt", kind="text/plain"):
        return relay.post("/v1/files", files={"file": (name, data, kind)}).json()["id"]

    return upload


def body_with(part):
    return {"model": MODEL, "input": user([{"type": "input_text", "text": "[[say Read]]"}, part])}


def sent(relay, part, *, stream=False):
    """Ask with ``part`` and return what the upstream got in its place."""
    if stream:
        relay.events(RESPONSES, body_with(part))
    else:
        relay.ok(RESPONSES, body_with(part))
    return relay.asked()["input"][0]["content"][1]


def data_url(kind, data):
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize("part_type", ["input_image", "input_file", "image_url", "file"])
def test_an_image_is_an_image_input_however_it_is_referred_to(relay, upload, part_type):
    id_ = upload(PNG, "a.png", "image/png")

    part = sent(relay, {"type": part_type, "file_id": id_})

    assert part == {
        "type": "input_image",
        "image_url": data_url("image/png", PNG),
        "detail": "auto",
    }


def test_the_detail_of_an_image_is_kept(relay, upload):
    id_ = upload(PNG, "a.png", "image/png")

    part = sent(relay, {"type": "input_image", "file_id": id_, "detail": "low"})

    assert part["detail"] == "low"


def test_what_is_no_image_is_no_image_input(relay, upload):
    part = {"type": "input_image", "file_id": upload(b"x")}

    assert relay.refusal(RESPONSES, body_with(part))["param"] == "input[0].content[1].file_id"
    assert len(relay.sandbox.requests) == 0


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("name", "kind", "data"),
    [
        ("a.pdf", "application/pdf", b"%PDF-1.4 \x00\xff"),
        (
            "a.docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            b"PK",
        ),
        ("a.txt", "text/plain", "Größe".encode()),
        ("a.json", "application/json", b"{}"),
    ],
)
def test_a_document_is_written_out_as_inline_data(relay, upload, name, kind, data, stream):
    part = sent(relay, {"type": "input_file", "file_id": upload(data, name, kind)}, stream=stream)

    assert part == {"type": "input_file", "filename": name, "file_data": data_url(kind, data)}


def test_a_document_may_be_used_again(relay, upload):
    id_ = upload(b"%PDF", "a.pdf", "application/pdf")

    once = sent(relay, {"type": "input_file", "file_id": id_})
    again = sent(relay, {"type": "input_file", "file_id": id_})

    assert once == again


@pytest.mark.parametrize("kind", TEXT_TYPES)
def test_text_in_another_part_becomes_text(relay, upload, kind):
    id_ = upload("Größe: 1,80 m".encode(), "size.txt", kind)

    part = sent(relay, {"type": "input_text", "file_id": id_})

    assert part["type"] == "input_text"
    heading, _, text = part["text"].partition("\n")
    assert "size.txt" in heading
    assert text == "Größe: 1,80 m"


def test_bytes_that_are_no_utf8_are_replaced(relay, upload):
    part = sent(relay, {"type": "input_text", "file_id": upload(b"a\xffb")})

    assert part["text"].endswith("a\ufffdb")


def test_what_is_neither_text_nor_image_cannot_become_text(relay, upload):
    id_ = upload(b"%PDF", "a.pdf", "application/pdf")

    error = relay.refusal(RESPONSES, body_with({"type": "input_text", "file_id": id_}))

    assert error["param"] == "input[0].content[1].file_id"


@pytest.mark.parametrize("kind", TEXT_TYPES)
@pytest.mark.parametrize("part_type", ["input_text", "input_file"])
def test_long_text_is_refused_however_it_is_referred_to(relay, upload, kind, part_type):
    id_ = upload(b"x" * 1_000_001, kind=kind)

    error = relay.refusal(RESPONSES, body_with({"type": part_type, "file_id": id_}))

    assert error["param"] == "input[0].content[1].file_id"
    assert "1000000" in error["message"].replace(",", "")
    assert len(relay.sandbox.requests) == 0


@pytest.mark.parametrize("part_type", ["input_text", "input_file"])
def test_text_of_exactly_the_limit_passes(relay, upload, part_type):
    part = sent(relay, {"type": part_type, "file_id": upload(b"x" * 1_000_000)})

    assert part["type"] == part_type


def test_a_long_document_that_is_no_text_passes(relay, upload):
    id_ = upload(b"%PDF" + b"x" * 1_000_000, "a.pdf", "application/pdf")

    assert sent(relay, {"type": "input_file", "file_id": id_})["filename"] == "a.pdf"


@pytest.mark.parametrize("part_type", ["input_file", "input_image", "input_text"])
def test_a_file_that_is_not_there_is_refused_by_name(relay, part_type):
    part = {"type": part_type, "file_id": "file_none"}

    assert relay.refusal(RESPONSES, body_with(part))["param"] == "input[0].content[1].file_id"
    assert len(relay.sandbox.requests) == 0


def test_files_in_tool_results_are_written_out_too(relay, upload):
    id_ = upload(PNG, "a.png", "image/png")
    body = {
        "model": MODEL,
        "input": [
            *user("[[say Seen]]"),
            {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"},
            {
                "type": "function_call_output",
                "call_id": "call_1",
                "output": [{"type": "input_image", "file_id": id_}],
            },
        ],
    }

    relay.ok(RESPONSES, body)

    assert relay.asked()["input"][2]["output"][0]["image_url"] == data_url("image/png", PNG)


CHAT_PARTS = {
    "document": (
        ("a.pdf", b"%PDF", "application/pdf"),
        lambda id_: {"type": "file", "file": {"file_id": id_}},
        {
            "type": "input_file",
            "filename": "a.pdf",
            "file_data": data_url("application/pdf", b"%PDF"),
        },
    ),
    "image": (
        ("a.png", PNG, "image/png"),
        lambda id_: {"type": "image_url", "image_url": {"file_id": id_, "detail": "low"}},
        {"type": "input_image", "image_url": data_url("image/png", PNG), "detail": "low"},
    ),
    "image as a file": (
        ("a.png", PNG, "image/png"),
        lambda id_: {"type": "file", "file": {"file_id": id_}},
        {"type": "input_image", "image_url": data_url("image/png", PNG), "detail": "auto"},
    ),
    "text": (
        ("a.txt", b"Hello", "text/plain"),
        lambda id_: {"type": "text", "file_id": id_},
        {"type": "input_text", "text": "File a.txt (text/plain):\nHello"},
    ),
}


@pytest.mark.parametrize("case", CHAT_PARTS)
@pytest.mark.parametrize("conversation", [False, True])
def test_chat_messages_may_hold_them_as_well(relay, upload, case, conversation):
    (name, data, kind), refer, wanted = CHAT_PARTS[case]
    part = refer(upload(data, name, kind))
    body = {"model": MODEL, "messages": user([{"type": "text", "text": "[[say Read]]"}, part])}
    if conversation:
        body["conversation"] = relay.ok("/v1/conversations", {})["id"]

    relay.ok(CHAT, body)
    assert relay.asked()["input"][0]["content"][1] == wanted

    if conversation:
        relay.ok(CHAT, {**body, "messages": user("[[say On]]")})
        assert relay.asked()["input"][0]["content"][1] == wanted


def test_long_text_is_refused_in_chat(relay, upload):
    part = {"type": "file", "file": {"file_id": upload(b"x" * 1_000_001)}}

    error = relay.refusal(CHAT, {"model": MODEL, "messages": user([part])})

    assert error["param"] == "messages[0].content[0].file.file_id"


def test_a_stored_file_is_replayed_with_its_conversation(relay, upload):
    id_ = relay.ok("/v1/conversations", {})["id"]
    part = {"type": "input_file", "file_id": upload(b"%PDF", "a.pdf", "application/pdf")}

    relay.ok(RESPONSES, {**body_with(part), "conversation": id_})
    relay.ok(RESPONSES, {"model": MODEL, "input": "[[say On]]", "conversation": id_})

    assert relay.asked()["input"][0]["content"][1]["file_data"] == data_url(
        "application/pdf", b"%PDF"
    )
