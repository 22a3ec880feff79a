"""The traffic log: whole lines, private hourly files, bounded, never in a request's way.

Rules: a line is one JSON object with time, phase and request id; files are 0600 at
``YYYY/MM/DD-HH.log`` in UTC; threads and processes write whole lines at once; a file and the
total keep their limits, the oldest goes first, an oversize record leaves a stub; links are
never followed, other files never touched; a full or broken disk costs records, which are counted
and reported once, and never an exception; what is planted as secret is in no file.
"""

import json
import logging
import os
import secrets
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta

import pytest

from airelays_app.store.traffic import TrafficLog, TrafficRecord

NOW = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
MEGABYTE = 1024 * 1024
JSON_HEADERS = (("Content-Type", "application/json"),)


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "logs"


@pytest.fixture
def clock():
    class Clock:
        now = NOW

        def __call__(self):
            return self.now.timestamp()

    return Clock()


@pytest.fixture
def open_log(directory, clock):
    opened = []

    def make(**options):
        limits = {"retention_days": 7, "max_total_mb": 8, "max_file_mb": 4}
        opened.append(TrafficLog(directory, clock=clock, **(limits | options)))
        return opened[-1]

    yield make
    for log in opened:
        log.close()


def record(number=0, **details):
    return TrafficRecord(phase="inbound_request", request_id=f"req_{number}", **details)


def log_files(directory):
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*.log"))


def lines(directory):
    return [
        json.loads(line)
        for name in log_files(directory)
        for line in (directory / name).read_text().splitlines()
    ]


def everything(directory):
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


def test_a_record_is_one_line_of_json_in_the_file_of_its_hour(open_log, directory):
    body = json.dumps({"model": "gpt-5.5", "input": "hello"}).encode()
    open_log().write(
        record(
            7,
            method="POST",
            target="/v1/responses?key=abc",
            status=200,
            headers=JSON_HEADERS,
            body=body,
            fields={"provider": "codex"},
        )
    )
    assert log_files(directory) == ["2026/11/22-03.log"]
    (line,) = lines(directory)
    digest = line["body"].pop("sha256")
    assert len(digest) == 64
    assert line == {
        "logged_at": "2026-11-22T03:30:00.000+00:00",
        "phase": "inbound_request",
        "request_id": "req_7",
        "method": "POST",
        "path": "/v1/responses",
        "query": [["key", "<string 3>"]],
        "status": 200,
        "headers": [["content-type", "application/json"]],
        "fields": {"provider": "codex"},
        "body": {
            "kind": "json",
            "bytes": len(body),
            "json": {"model": "gpt-5.5", "input": "<string 5>"},
        },
    }


def test_bodies_are_written_only_when_asked_for(open_log, directory):
    body = b'{"input": "what was said"}'
    open_log().write(record(headers=JSON_HEADERS, body=body))
    assert b"what was said" not in everything(directory)
    open_log(bodies=True).write(record(headers=JSON_HEADERS, body=body))
    assert b"what was said" in everything(directory)


@pytest.mark.parametrize("bodies", [False, True])
def test_planted_secrets_are_in_no_file(open_log, directory, bodies):
    secret = secrets.token_urlsafe(32) + "aB3"
    names = ["Authorization", "X-Api-Key", "Api-Key", "Proxy-Authorization", "Cookie", secret]
    body = {
        "model": secret,
        "api_key": secret,
        "input": [{"image_url": f"data:image/png;base64,{secret * 9}", "text": f"Bearer {secret}"}],
        "tools": [
            {"headers": {"Authorization": f"Bearer {secret}"}, "server_url": f"?sig={secret}"}
        ],
        secret: secret,
    }
    log = open_log(bodies=bodies)
    for content_type, encoded in [
        ("application/json", json.dumps(body).encode()),
        ("text/event-stream", f"data: {json.dumps(body)}\n\n".encode()),
        ("application/x-www-form-urlencoded", f"code={secret}&refresh_token={secret}".encode()),
        ("multipart/form-data; boundary=x", f"--x\r\n\r\n{secret}\r\n--x--".encode()),
    ]:
        log.write(
            record(
                method="POST",
                target=f"https://u:{secret}@host/v1/{secret}?key={secret}&code={secret}",
                headers=(("Content-Type", content_type), *((name, secret) for name in names)),
                body=encoded,
                fields={"provider": secret, "access_token": secret, secret: 1},
            )
        )
    assert len(lines(directory)) == 4
    assert secret.encode() not in everything(directory)
    assert log.dropped == 0


def test_files_are_private(open_log, directory):
    before = os.umask(0)
    try:
        open_log().write(record())
    finally:
        os.umask(before)
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in [directory, *directory.rglob("*")]
    }
    assert modes == {
        "logs": 0o700,
        "2026": 0o700,
        "11": 0o700,
        "22-03.log": 0o600,
        ".retention.lock": 0o600,
    }


def test_a_new_hour_has_a_new_file_and_appends_on_return(open_log, directory, clock):
    log = open_log()
    for hours in (0, 1, 22):
        clock.now = NOW + timedelta(hours=hours)
        log.write(record(hours))
    assert log_files(directory) == ["2026/11/22-03.log", "2026/11/22-04.log", "2026/11/23-01.log"]
    log.close()
    clock.now = NOW
    open_log().write(record(9))
    assert [line["request_id"] for line in lines(directory)][:2] == ["req_0", "req_9"]


def test_a_full_file_is_followed_by_another_part(open_log, directory):
    log = open_log(max_file_mb=2000 / MEGABYTE)
    for number in range(40):
        log.write(record(number))
    names = log_files(directory)
    assert "2026/11/22-03.1.log" in names
    assert "2026/11/22-03.log" in names
    assert max((directory / name).stat().st_size for name in names) <= 2000
    assert sorted(int(line["request_id"][4:]) for line in lines(directory)) == list(range(40))


def test_an_oversize_record_leaves_a_stub(open_log, directory):
    log = open_log(bodies=True, max_file_mb=2000 / MEGABYTE)
    log.write(record(1, headers=JSON_HEADERS, body=b'{"input": "' + b"long " * 1000 + b'"}'))
    (line,) = lines(directory)
    assert line["request_id"] == "req_1"
    assert line["omitted_bytes"] > 5000
    assert len(line["sha256"]) == 64
    assert "body" not in line


def old_log(directory, hour, *, size=10, suffix=""):
    path = directory / f"{hour:%Y/%m/%d-%H}{suffix}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def test_files_past_their_days_go_and_empty_folders_too(open_log, directory):
    gone = old_log(directory, NOW - timedelta(days=40))
    also = old_log(directory, NOW - timedelta(days=7, hours=1))
    kept = old_log(directory, NOW - timedelta(days=7))
    open_log().write(record())
    assert not gone.parent.exists()
    assert not also.exists()
    assert kept.exists()


def test_the_oldest_go_until_the_total_fits(open_log, directory):
    paths = [
        old_log(directory, NOW - timedelta(hours=hours), size=MEGABYTE, suffix=suffix)
        for hours, suffix in [(9, ""), (9, ".1"), (9, ".2"), (9, ".10"), (8, ""), (7, ""), (6, "")]
    ]
    open_log(max_total_mb=3.5).write(record())
    assert [path.exists() for path in paths] == [False] * 4 + [True] * 3


def test_the_total_holds_while_writing(open_log, directory):
    log = open_log(max_total_mb=100_000 / MEGABYTE, max_file_mb=10_000 / MEGABYTE)
    for number in range(3000):
        log.write(record(number))
    total = sum((directory / name).stat().st_size for name in log_files(directory))
    assert 80_000 < total < 100_000 * 17 / 16 + 1000
    assert lines(directory)[-1]["request_id"] != "req_0"
    assert log.dropped == 0


def test_only_files_named_like_a_log_are_removed(open_log, directory, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    old = NOW - timedelta(days=400)
    month = old_log(directory, old).parent
    (month / "notes.txt").write_text("precious")
    (month / "01-99.log").write_text("precious")
    (month / "05-05.log").symlink_to(victim)
    (directory / "1999").symlink_to(tmp_path)
    old_log(tmp_path, datetime(1999, 1, 1, tzinfo=UTC))
    open_log().write(record())
    assert sorted(path.name for path in month.iterdir()) == ["01-99.log", "05-05.log", "notes.txt"]
    assert victim.read_text() == "precious"
    assert (tmp_path / "1999/01/01-00.log").exists()


@pytest.mark.parametrize("make", ["symlink_to", "hardlink_to", "mkfifo", "mkdir"])
def test_a_link_or_pipe_in_place_of_the_file_is_not_written_to(open_log, directory, tmp_path, make):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path = directory / "2026/11/22-03.log"
    path.parent.mkdir(parents=True)
    if make == "mkfifo":
        os.mkfifo(path)
    else:
        getattr(path, make)(*([] if make == "mkdir" else [victim]))
    log = open_log()
    log.write(record())
    assert victim.read_text() == "precious"
    assert log.dropped == 1


@pytest.mark.parametrize("name", ["2026", "2026/11"])
def test_a_link_in_place_of_a_folder_is_not_followed(open_log, directory, tmp_path, name):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (directory / name).parent.mkdir(parents=True)
    (directory / name).symlink_to(elsewhere)
    log = open_log()
    log.write(record())
    assert list(elsewhere.iterdir()) == []
    assert log.dropped == 1


def test_a_file_removed_meanwhile_is_made_again(open_log, directory):
    log = open_log()
    log.write(record(1))
    (directory / "2026/11/22-03.log").unlink()
    log.write(record(2))
    assert [line["request_id"] for line in lines(directory)] == ["req_2"]


def test_threads_write_whole_lines(open_log, directory):
    log = open_log()
    with ThreadPoolExecutor(50) as threads:
        list(threads.map(lambda number: log.write(record(number)), range(1000)))
    assert {line["request_id"] for line in lines(directory)} == {f"req_{n}" for n in range(1000)}


def test_processes_write_whole_lines_within_the_limits(directory, at_once):
    code = """
        import pathlib
        from airelays_app.store.traffic import TrafficLog, TrafficRecord
        log = TrafficLog(pathlib.Path(sys.argv[1]), retention_days=7, max_total_mb=80,
                         max_file_mb=10_000 / 1024 / 1024, bodies=True)
        start()
        for number in range(1000):
            body = b"word " * (number % 50)
            log.write(TrafficRecord(phase="p", request_id=f"{sys.argv[2]}_{number}", body=body))
        assert log.dropped == 0
        log.close()
    """
    at_once(code, *[[directory, name] for name in "abc"])
    seen = [line["request_id"] for line in lines(directory)]
    assert len(seen) == len(set(seen)) == 3000
    assert max((directory / name).stat().st_size for name in log_files(directory)) <= 10_000


def test_a_forked_child_writes_through_a_file_of_its_own(open_log, directory):
    log = open_log()
    log.write(record(1))
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            log.write(record(2))
            log.close()
            os._exit(log.dropped)
        os._exit(9)
    assert os.waitpid(child, 0)[1] == 0
    log.write(record(3))
    assert [line["request_id"] for line in lines(directory)] == ["req_1", "req_2", "req_3"]


def test_what_cannot_be_written_is_counted_and_reported_once(open_log, directory, caplog):
    directory.write_text("not a folder")
    log = open_log()
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            log.write(record())
        assert (log.dropped, len(caplog.records)) == (5, 1)
        directory.unlink()
        log.write(record(1))
        assert [line["request_id"] for line in lines(directory)] == ["req_1"]
    assert str(directory) not in caplog.text


def test_a_full_disk_costs_whole_records_only(tiny_disk, caplog):
    limits = {"retention_days": 7, "max_total_mb": 100, "max_file_mb": 50}
    with closing(TrafficLog(tiny_disk / "logs", bodies=True, **limits)) as log:
        with caplog.at_level(logging.WARNING):
            for number in range(200):
                log.write(record(number, body=b"word " * 1000))
        assert log.dropped > 0
        assert len(lines(tiny_disk / "logs")) == 200 - log.dropped
        assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "details",
    [
        {"target": "http://[broken"},
        {"target": "\ud800?\ud800=\ud800"},
        {"headers": (("\ud800", "\udfff"), ("user-agent", "\ud83d"))},
        {"body": b"[" * 100_000, "headers": JSON_HEADERS},
        {"body": b'{"a": "\\ud800", "b": 1e999}', "headers": JSON_HEADERS},
        {"body": b"\xff\xfe", "headers": JSON_HEADERS},
        {"fields": {"model": object(), "x": {1: 2}, "n": 2**80, "type": "\ud800"}},
        {"method": "\ud800"},
    ],
)
@pytest.mark.parametrize("bodies", [False, True])
def test_nothing_a_client_sends_breaks_the_log(open_log, directory, details, bodies):
    log = open_log(bodies=bodies)
    log.write(record(1, **details))
    assert log.dropped == 0
    assert len(lines(directory)) == 1


def test_a_mistake_in_a_record_does_not_reach_the_request(open_log):
    log = open_log()
    log.write(record(status=object()))
    assert log.dropped == 1
