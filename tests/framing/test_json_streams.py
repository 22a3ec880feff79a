"""Streams as one array or as lines hold the data of their events, wherever the pieces are cut."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.framing.json_streams import JsonArray, JsonLines

EVENTS = [b'{"a":1}', b'{"text":"\xe2\x80\xa8 \xe2\x80\xa9"}', b'{"b":\n[2]}', b"{}"]
CONTENT = st.lists(st.text(max_size=9), max_size=6)


def wire(events):
    return [b"".join(b"data: %b\n" % line for line in e.split(b"\n")) + b"\n" for e in events]


def written(framing, blocks):
    return b"".join([*map(framing.feed, blocks), framing.close()])


def test_an_array_is_whole_json():
    assert json.loads(written(JsonArray(), wire(EVENTS))) == [json.loads(e) for e in EVENTS]


def test_a_line_is_one_object():
    lines = written(JsonLines(), wire(EVENTS)).split(b"\n")
    assert lines.pop() == b""
    assert [json.loads(line) for line in lines] == [json.loads(event) for event in EVENTS]


@pytest.mark.parametrize(("framing", "end"), [(JsonArray, b"[]"), (JsonLines, b"")])
def test_a_stream_without_events_is_empty(framing, end):
    assert written(framing(), []) == end
    assert written(framing(), [b": a comment\n\n"]) == end


@given(CONTENT, st.data())
@pytest.mark.parametrize("framing", [JsonArray, JsonLines])
def test_how_many_events_come_at_once_changes_nothing(framing, texts, data):
    blocks = wire([json.dumps({"text": text}).encode() for text in texts])
    at = data.draw(st.integers(0, len(blocks)))
    together = [b"".join(blocks[:at]), b"".join(blocks[at:])]
    assert written(framing(), together) == written(framing(), blocks)


def test_elements_are_sent_as_they_come():
    array = JsonArray()
    assert array.feed(b'data: {"a":1}\n\n') == b'[{"a":1}'
    assert array.feed(b'data: {"b":2}\n\n') == b',\r\n{"b":2}'
    assert array.close() == b"]"
