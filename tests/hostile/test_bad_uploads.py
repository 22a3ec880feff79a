"""An upload that is broken leaves nothing behind, and a file's name and id are only labels."""

import json

import pytest

from tests.hostile.answers import innocent, refused
from tests.hostile.wire import Wire, ask, request_head

BOUNDARY = {"Content-Type": "multipart/form-data; boundary=xx"}
PART = b'--xx\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
A_FILE = PART % (b"file", b'; filename="a.txt"', b"hello")


BROKEN = (
    (BOUNDARY, b""),
    (BOUNDARY, b"no form at all"),
    (BOUNDARY, A_FILE),
    (BOUNDARY, A_FILE + b"--xx"),
    (BOUNDARY, A_FILE[:-9]),
    (BOUNDARY, A_FILE[:40]),
    (BOUNDARY, A_FILE + b"--yy--\r\n"),
    (BOUNDARY, b"--xx\r\nContent-Disposition: nonsense\r\n\r\nx\r\n--xx--\r\n"),
    (BOUNDARY, b"--xx\r\n\r\nx\r\n--xx--\r\n"),
    (BOUNDARY, b"--xx\r\n" + b"A: b\r\n" * 50_000 + b"\r\nx\r\n--xx--\r\n"),
    (BOUNDARY, PART % (b"file", b"", b"x") + b"--xx--\r\n"),
    (BOUNDARY, PART % (b"other", b'; filename="a"', b"x") + b"--xx--\r\n"),
    (BOUNDARY, PART % (b"purpose", b"", b"nonsense") + A_FILE + b"--xx--\r\n"),
    (BOUNDARY, PART % (b"purpose", b"", b"\xff\xfe") + A_FILE + b"--xx--\r\n"),
    (BOUNDARY, PART % (b"purpose", b"", b"\xed\xa0\x80") + A_FILE + b"--xx--\r\n"),
    (BOUNDARY, PART % (b"file", b'; filename="\xff\xfe"', b"x") + b"--xx--\r\n"),
    (BOUNDARY, (PART % (b"f", b"", b"x")) * 5_000 + A_FILE + b"--xx--\r\n"),
    (BOUNDARY, PART % (b"big", b"", b"x" * 3_000_000) + A_FILE + b"--xx--\r\n"),
    ({"Content-Type": "multipart/form-data"}, A_FILE + b"--xx--\r\n"),
    ({"Content-Type": "multipart/form-data; boundary="}, A_FILE + b"--xx--\r\n"),
    ({"Content-Type": "multipart/form-data; boundary=\xff\xe9"}, A_FILE),
    ({"Content-Type": "multipart/form-data; boundary=" + "x" * 5_000}, A_FILE),
    ({"Content-Type": "multipart/mixed; boundary=xx"}, A_FILE + b"--xx--\r\n"),
    ({"Content-Type": "application/x-www-form-urlencoded"}, b"file=x&purpose=batch"),
    ({"Content-Type": "application/json"}, b'{"file":"x"}'),
    ({}, b"x"),
)


each_broken = pytest.mark.parametrize(
    ("headers", "body"), BROKEN, ids=lambda value: repr(value)[:60]
)


@each_broken
def test_a_broken_upload_is_refused_and_leaves_nothing(relay, headers, body):
    sent = {"Authorization": f"Bearer {relay.token}", **headers}
    error = refused(ask(relay.url, "POST", "/v1/files", body, sent), 400, 413, 415, 422)
    assert error["message"]
    assert relay.get("/v1/files").json()["data"] == []
    assert not list((relay.data_dir / "uploads").glob("*"))


@each_broken
def test_a_broken_form_is_not_relayed(relay, headers, body):
    sent = {"Authorization": f"Bearer {relay.token}", **headers}
    refused(ask(relay.url, "POST", "/v1/audio/transcriptions", body, sent), 400, 413, 415, 422, 501)
    assert not relay.sandbox.requests.to("/audio/transcriptions")


@pytest.mark.parametrize(
    ("filename", "shown"),
    [
        (rb"..\\..\\evil.sh", "evil.sh"),
        (b"/etc/passwd", "passwd"),
        (b"..", "upload"),
        (b"a\x00b", "a\ufffdb"),
        (b"x" * 5_000, None),
        ("größe \u202e.txt".encode(), "größe \u202e.txt"),
    ],
    ids=repr,
)
def test_a_hostile_file_name_is_a_label_and_nothing_more(relay, filename, shown):
    body = PART % (b"file", b'; filename="%b"' % filename, b"hello") + b"--xx--\r\n"
    sent = {"Authorization": f"Bearer {relay.token}", **BOUNDARY}
    answer = ask(relay.url, "POST", "/v1/files", body, sent)
    assert answer.status == 200, answer
    stored = json.loads(answer.body)
    content = relay.get(f"/v1/files/{stored['id']}/content")
    assert content.content == b"hello"
    assert relay.delete(f"/v1/files/{stored['id']}").status_code == 200
    assert shown in (None, stored["filename"])
    assert len(stored["filename"]) <= 255


def test_an_upload_that_ends_early_is_no_file(relay):
    """The client says how much will come, sends half and leaves."""
    headers = {"Authorization": f"Bearer {relay.token}", **BOUNDARY}
    with Wire(relay.url) as wire:
        wire.send(request_head("POST", "/v1/files", headers, length=100_000) + A_FILE)
    assert relay.get("/v1/files").json()["data"] == []
    assert not list((relay.data_dir / "uploads").glob("*"))


@pytest.mark.parametrize("name", ["limit", "order", "after", "purpose"])
@pytest.mark.parametrize(
    "value",
    [
        "",
        "0",
        "-1",
        "1e3",
        "9" * 400,
        "%00",
        "%ff",
        "%ed%a0%80",
        "%d9%a1",
        "' OR 1=1 --",
        "a" * 4_000,
    ],
)
@pytest.mark.parametrize("path", ["/v1/files", "/v1/conversations/none/items"])
def test_hostile_query_parameters_are_named_or_found_to_match_nothing(relay, path, name, value):
    headers = {"Authorization": f"Bearer {relay.token}"}
    target = f"{path}?{name}={value.replace(' ', '%20')}"
    answer = innocent(ask(relay.url, "GET", target, b"", headers))
    if name in ("limit", "order"):
        assert refused(answer, 422)["param"] == name
