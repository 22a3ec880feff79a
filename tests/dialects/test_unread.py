"""What a decoder does not read is a loss, wherever it stands; what asks for nothing is none."""

import pytest

from airelays_app.dialects import DIALECTS
from airelays_app.neutral.capabilities import Capabilities
from airelays_app.neutral.request import Text

IMAGE = {"type": "url", "url": "https://house.example/cat.png"}
DOCUMENT = {"type": "text", "media_type": "text/plain", "data": "It is a cat."}


def chat(*parts):
    return {"model": "m", "messages": [{"role": "user", "content": list(parts)}]}


def responses(*parts):
    return {"model": "m", "input": [{"role": "user", "content": list(parts)}]}


def messages(*blocks):
    return {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": list(blocks)}]}


def gemini(*parts):
    return {"contents": [{"role": "user", "parts": list(parts)}]}


@pytest.mark.parametrize(
    ("dialect", "body", "path"),
    [
        ("chat", chat({"type": "text", "text": "x", "tone": "dry"}), "messages[0].content[0].tone"),
        (
            "chat",
            chat({"type": "image_url", "image_url": "https://h.example/a.png", "crop": [1]}),
            "messages[0].content[0].crop",
        ),
        (
            "responses",
            responses({"type": "input_file", "file_url": "https://h.example/", "detail": "high"}),
            "input[0].content[0].detail",
        ),
        (
            "messages",
            messages({"type": "document", "source": DOCUMENT, "citations": {"enabled": True}}),
            "messages[0].content[0].citations",
        ),
        (
            "messages",
            messages(
                {
                    "type": "tool_result",
                    "tool_use_id": "t",
                    "content": [{"type": "image", "source": IMAGE, "crop": [1]}],
                }
            ),
            "messages[0].content[0].content[0].crop",
        ),
        (
            "gemini",
            gemini(
                {
                    "inlineData": {"mimeType": "video/mp4", "data": "AA=="},
                    "videoMetadata": {"fps": 2},
                }
            ),
            "contents[0].parts[0].videoMetadata",
        ),
    ],
)
def test_a_field_of_a_part_that_is_not_read_is_disclosed(dialect, body, path):
    _, losses = DIALECTS[dialect].decode_request(body)
    assert [loss.path for loss in losses] == [path]


@pytest.mark.parametrize("nothing", [None, False, {"enabled": False}])
def test_a_field_that_is_switched_off_is_not_disclosed(nothing):
    body = messages({"type": "document", "source": DOCUMENT, "citations": nothing})
    _, losses = DIALECTS["messages"].decode_request(body)
    assert losses == ()


def test_what_is_said_about_a_document_is_said_before_it():
    body = messages({"type": "document", "source": DOCUMENT, "context": "Taken on Monday."})
    request, losses = DIALECTS["messages"].decode_request(body)
    texts = [part.text for part in request.messages[0].parts if isinstance(part, Text)]
    assert texts == ["About the next document:\nTaken on Monday.", "It is a cat."]
    assert losses == ()


def test_a_cache_hint_of_a_chat_client_reaches_an_upstream_that_takes_hints():
    hint = {"type": "ephemeral"}
    body = chat({"type": "text", "text": "A long story.", "cache_control": hint})
    request, losses = DIALECTS["chat"].decode_request(body)
    sent, further = DIALECTS["messages"].encode_request(request, Capabilities())
    assert sent["messages"][0]["content"][0]["cache_control"] == hint
    assert not losses
    assert "cache_control" not in [loss.path for loss in further]
