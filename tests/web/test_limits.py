"""Rate and concurrency per address, as clients meet them.

* 40 requests at once, then two a second; 429 says how many seconds to wait, at least one.
* A stream counts until its last byte or until its client has gone; whatever ends a request
  frees its place. A worker killed -9 frees its places.
* Public routes cost nothing. The limiter adds no hooks of its own and costs microseconds.
"""

import os
import signal
import socket
import time

import pytest

from airelays_app.store.slots import Slots
from tests.web.admission_kit import TOKEN, HandClock, Relay, ask, bearer, error_code, listening

OWNER = [bearer(TOKEN)]


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def relay(tmp_path, clock):
    relay = Relay(tmp_path, clock=clock, concurrent=3)
    yield relay
    relay.gates["open"].set()
    relay.close()


def wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.01)


def open_stream(port):
    """Start a stream and return its socket once the first event is there."""
    sock = socket.create_connection(("127.0.0.1", port), 60)
    sock.sendall(b"GET /v1/stream HTTP/1.0\r\nHost: x\r\n%s\r\n\r\n" % OWNER[0])
    received = b""
    while b"data: first" not in received:
        received += sock.recv(65536)
    return sock


def test_the_burst_is_admitted_and_then_refused_with_the_time_to_wait(relay):
    statuses = [relay.get(token=TOKEN) for _ in range(60)]
    assert [response.status_code for response in statuses[:40]] == [200] * 40
    refused = [response for response in statuses[40:] if response.status_code == 429]
    assert len(refused) >= 18
    assert refused[0].json["error"]["code"] == "rate_limit_exceeded"
    assert refused[0].json["error"]["type"] == "rate_limit_error"
    assert int(refused[0].headers["Retry-After"]) == 1
    assert relay.get(token=TOKEN, peer="10.0.0.2").status_code == 200
    assert relay.slots.count("127.0.0.1") == 0


def test_retry_after_is_the_time_until_the_next_request_fits(tmp_path):
    relay = Relay(tmp_path, clock=HandClock(), per_minute=6, burst=1)
    assert relay.get(token=TOKEN).status_code == 200
    refused = relay.get(token=TOKEN)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
    relay.close()


def test_public_routes_and_failures_cost_no_rate(relay):
    for _ in range(60):
        assert relay.get("/healthz").status_code == 200
    assert relay.limits.allowance("127.0.0.1") == 40


def test_two_workers_share_the_rate(tmp_path, clock):
    workers = [Relay(tmp_path, clock=clock) for _ in range(2)]
    statuses = [workers[number % 2].get(token=TOKEN).status_code for number in range(80)]
    assert 34 <= statuses.count(200) <= 43
    for worker in workers:
        worker.close()


def test_a_stream_counts_until_its_last_byte(relay):
    with listening(relay.app) as port:
        streams = [open_stream(port) for _ in range(3)]
        status, headers, body = ask(port, headers=OWNER)
        assert (status, error_code(body)) == (429, "too_many_concurrent_requests")
        assert headers["retry-after"] == "1"
        assert ask(port, "/healthz")[0] == 200
        relay.gates["open"].set()
        for stream in streams:
            assert b"data: last" in b"".join(iter(lambda stream=stream: stream.recv(65536), b""))
            stream.close()
        wait_until(lambda: relay.slots.count("127.0.0.1") == 0)
        assert ask(port, headers=OWNER)[0] == 200


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_whatever_ends_a_request_frees_its_place(relay, capfd):
    with listening(relay.app) as port:
        for path in ("/v1/crash", "/v1/broken-stream", "/v1/nothing", "/v1/models"):
            for _ in range(3):
                ask(port, path, headers=OWNER)
            wait_until(lambda: relay.slots.count("127.0.0.1") == 0)


def test_a_client_that_leaves_frees_its_place(relay):
    with listening(relay.app) as port:
        open_stream(port).close()
        assert relay.slots.count("127.0.0.1") == 1
        relay.gates["open"].set()
        wait_until(lambda: relay.slots.count("127.0.0.1") == 0)


def test_a_head_request_and_a_passed_through_body_free_their_places(relay):
    @relay.app.get("/v1/content")
    def content():
        return relay.app.response_class(iter([b"bytes"]), direct_passthrough=True)

    for method in ("HEAD", "GET"):
        assert relay.get("/v1/content", token=TOKEN, method=method).status_code == 200
    assert relay.slots.count("127.0.0.1") == 0


def test_a_killed_worker_frees_its_places(relay, tmp_path):
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        slots = Slots(tmp_path / "slots")
        held = [slots.acquire("127.0.0.1", limit=3) for _ in range(3)]
        os.write(writing, b"x" if all(held) else b"-")
        signal.pause()
    assert os.read(reading, 1) == b"x"
    assert relay.get(token=TOKEN).status_code == 429
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reading)
    os.close(writing)
    assert relay.get(token=TOKEN).status_code == 200


def test_while_the_storage_is_down_the_rate_is_kept_by_the_worker(tmp_path, clock):
    relay = Relay(tmp_path, clock=clock)
    assert relay.get(token=TOKEN).status_code == 200
    relay.database.close()
    (tmp_path / "state.sqlite3").unlink()
    (tmp_path / "state.sqlite3").mkdir()
    statuses = [relay.get(token=TOKEN).status_code for _ in range(60)]
    assert 40 <= statuses.count(200) <= 44
    assert set(statuses) == {200, 429}
    relay.close()


def test_flask_limiter_is_there_without_hooks_on_every_request(relay):
    (limiter,) = relay.app.extensions["limiter"]
    assert limiter.initialized
    hooks = [*relay.app.before_request_funcs[None], *relay.app.after_request_funcs[None]]
    assert [hook.__self__ for hook in hooks] == [relay.admission, relay.admission]
    assert not relay.app.teardown_request_funcs
