"""``/v1/files``: files are kept on this machine, described as OpenAI describes them.

Upload, list, describe, read back, delete; 32 MiB a file and 256 MiB in all unless set otherwise,
413 beyond.
"""

import hashlib

import pytest

FILES = "/v1/files"
MIB = 1024 * 1024


def upload(relay, data=b"Hello", name="hello.txt", kind="text/plain", **form):
    return relay.post(FILES, files={"file": (name, data, kind)}, data=form or None)


def stored(relay, *args, **form):
    answer = upload(relay, *args, **form)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_upload_answers_with_a_file_record(relay):
    record = stored(relay, purpose="user_data")

    assert record["object"] == "file"
    assert record["id"].startswith("file")
    assert (record["bytes"], record["filename"]) == (5, "hello.txt")
    assert (record["purpose"], record["status"]) == ("user_data", "processed")
    assert record["content_type"] == "text/plain"
    assert record["sha256"] == hashlib.sha256(b"Hello").hexdigest()
    assert type(record["created_at"]) is int


def test_the_purpose_may_be_a_form_field_or_in_the_query(relay):
    assert stored(relay)["purpose"] == "assistants"
    assert stored(relay, purpose="vision")["purpose"] == "vision"
    assert relay.post(f"{FILES}?purpose=evals", files={"file": b"x"}).json()["purpose"] == "evals"
    assert upload(relay, purpose="mischief").json()["error"]["param"] == "purpose"


@pytest.mark.parametrize(
    ("name", "declared", "kept"),
    [
        ("a.png", None, "image/png"),
        ("a.md", None, "text/markdown"),
        ("a.pdf", "application/octet-stream", "application/pdf"),
        ("a.bin", None, "application/octet-stream"),
        ("a.txt.gz", None, "application/octet-stream"),
        ("a.png", "text/plain", "text/plain"),
    ],
)
def test_an_undeclared_type_is_that_of_the_name(relay, name, declared, kept):
    part = (name, b"x", declared) if declared else (name, b"x")

    assert relay.post(FILES, files={"file": part}).json()["content_type"] == kept


def test_the_file_lies_under_the_data_directory_and_nowhere_else(relay):
    record = stored(relay, b"kept here")

    blob = relay.data_dir / "uploads" / record["id"]
    assert blob.read_bytes() == b"kept here"
    assert blob.stat().st_mode & 0o777 == 0o600
    assert (relay.data_dir / "state.sqlite3").exists()
    assert len(relay.sandbox.requests) == 0


def test_an_upload_without_its_part_is_refused_by_name(relay):
    answer = relay.post(FILES, files={"document": b"x"})

    assert answer.status_code == 422
    assert answer.json()["error"]["param"] == "file"


def test_the_list_tells_every_file_newest_first(relay):
    first, second = stored(relay, b"1"), stored(relay, b"2")

    listed = relay.get(FILES).json()

    assert listed["object"] == "list"
    assert [file["id"] for file in listed["data"][:2]] == [second["id"], first["id"]]
    assert listed["data"][0] == second
    assert listed["has_more"] is False


def test_one_file_is_described_and_read_back(relay):
    data = bytes(range(256))
    record = stored(relay, data, "a.bin", "application/octet-stream")

    assert relay.get(f"{FILES}/{record['id']}").json() == record
    content = relay.get(f"{FILES}/{record['id']}/content")
    assert content.content == data
    assert content.headers["Content-Type"] == "application/octet-stream"


def test_not_a_byte_is_added_where_the_reads_of_an_upload_meet(relay):
    """Werkzeug reads 64 KiB at a time; the first of them ends within the closing boundary."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    content = b"z" * (65_536 - len(head) - len(b"\r\n--x-"))
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    sent = head + content + b"\r\n--x--\r\n"
    stored = relay.request("POST", "/v1/files", data=sent, headers=form).json()
    assert relay.get(f"/v1/files/{stored['id']}/content").content == content


def test_content_is_a_download_that_no_browser_runs(relay):
    record = stored(relay, b"<script>alert(1)</script>", "page.html", "text/html")

    content = relay.get(f"{FILES}/{record['id']}/content")

    assert content.headers["Content-Disposition"].startswith("attachment")
    assert content.headers["X-Content-Type-Options"] == "nosniff"


def test_a_deleted_file_is_gone(relay):
    id_ = stored(relay)["id"]

    assert relay.delete(f"{FILES}/{id_}").json() == {"id": id_, "object": "file", "deleted": True}

    for answer in (
        relay.get(f"{FILES}/{id_}"),
        relay.get(f"{FILES}/{id_}/content"),
        relay.delete(f"{FILES}/{id_}"),
    ):
        assert answer.status_code == 404
    assert id_ not in relay.get(FILES).text
    assert not (relay.data_dir / "uploads" / id_).exists()


def test_a_file_may_have_32_mib_and_not_a_byte_more(relay):
    assert stored(relay, b"x" * (32 * MIB))["bytes"] == 32 * MIB

    over = upload(relay, b"x" * (32 * MIB + 1))

    assert over.status_code == 413
    assert over.json()["error"]["type"] == "invalid_request_error"


def test_all_files_together_have_a_ceiling_and_deleting_makes_room(start_relay):
    relay = start_relay(MAX_UPLOAD_BYTES="1000", MAX_TOTAL_UPLOAD_BYTES="2500")
    kept = [stored(relay, b"x" * 1000)["id"] for _ in range(2)]

    assert upload(relay, b"x" * 501).status_code == 413
    assert upload(relay, b"x" * 1001).status_code == 413
    assert stored(relay, b"x" * 500)["bytes"] == 500
    assert upload(relay, b"x").status_code == 413
    relay.delete(f"{FILES}/{kept[0]}")
    assert stored(relay, b"x" * 1000)["bytes"] == 1000


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_needs_the_relay_token(relay, method):
    assert relay.request(method, FILES, token=None).status_code == 401
