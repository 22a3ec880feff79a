"""Rules of a worker towards its clients.

* Only a complete request head gets a thread: half-sent requests and idle connections cost none,
  and are ended when they are overdue.
* A body that drips, or stops, is given up after ``body_seconds``; a large steady one is taken.
* A client that leaves, or stops reading, has its iterator closed.
* Workers share the load: one that is full leaves new connections to the others.
* What reaches the log names neither bytes of the client nor messages of unexpected errors.
"""

import json
import select
import signal
import socket
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from airelays_app.server.lobby import LEAVING_SECONDS

HEAD = b"GET /pid HTTP/1.1\r\nHost: relay\r\n"


def send(server, data):
    sock = server.connect()
    sock.sendall(data)
    return sock


def upload_head(path, length):
    return f"POST {path} HTTP/1.1\r\nHost: relay\r\nContent-Length: {length}\r\n\r\n".encode()


def test_half_sent_requests_hold_no_threads(serve):
    server = serve(workers=1, threads=2, header_seconds=30)
    with ExitStack() as half_sent:
        for _ in range(200):
            half_sent.enter_context(send(server, HEAD))
        began = time.monotonic()
        for _ in range(5):
            assert server.get("/pid")[0] == 200
        assert time.monotonic() - began < 10


def test_connections_that_send_nothing_hold_no_threads(serve):
    server = serve(workers=1, threads=2)
    with ExitStack() as silent:
        for _ in range(50):
            silent.enter_context(server.connect())
        assert server.get("/pid")[0] == 200


def test_more_half_sent_requests_than_connections_do_not_shut_others_out(serve):
    server = serve(workers=1, threads=1, header_seconds=60)
    with ExitStack() as half_sent:
        for _ in range(600):
            half_sent.enter_context(send(server, HEAD))
        assert server.get("/pid")[0] == 200


def test_an_overdue_head_is_answered_408_and_closed(serve, tools):
    server = serve(header_seconds=0.5)
    with send(server, HEAD) as sock:
        status, body = tools.reply(sock)
        assert (status, json.loads(body)["error"]["code"]) == (408, "request_timeout")
        assert tools.ends(sock)


def test_a_head_that_drips_is_overdue_all_the_same(serve, tools):
    server = serve(header_seconds=1)
    with send(server, HEAD) as sock:
        assert drips_until_closed(sock, b"X: y\r\n", tools.patience)


def test_a_head_in_pieces_is_served(serve, tools):
    server = serve()
    with server.connect() as sock:
        for byte in HEAD + b"\r\n":
            sock.sendall(bytes([byte]))
        assert tools.reply(sock)[0] == 200


def test_requests_follow_each_other_on_one_connection_pipelined_or_not(serve, tools):
    server = serve(workers=1)
    with server.connect() as sock:
        sock.sendall(HEAD + b"\r\n")
        assert tools.reply(sock)[0] == 200
        sock.sendall(upload_head("/upload", 4) + b"body" + HEAD + b"\r\n" + HEAD)
        seen = b""
        while seen.count(b"HTTP/1.1 200 OK") < 2 or not seen.endswith(b"hello"):
            seen += sock.recv(65536)
        sock.sendall(b"\r\n")
        assert tools.reply(sock)[0] == 200


def test_an_idle_connection_is_closed_after_keepalive_seconds(serve, tools):
    server = serve(keepalive_seconds=1)
    with send(server, HEAD + b"\r\n") as sock:
        assert tools.reply(sock)[0] == 200
        assert tools.ends(sock)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /pid HTTP/1.1\nHost: relay\n\n", 400),
        (b"GET /pid\r\n\r\n", 400),
        (b"GET /pid HTTP/1.1\r\nplanted-secret\r\n\r\n", 400),
        (b"GET /pid HTTP/1.1\r\nAuthorization: planted-secret\x00\r\n\r\n", 400),
        (b"POST /upload HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /upload HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST /upload HTTP/1.1\r\nTransfer-Encoding: sealed\r\n\r\n", 400),
        (b"POST /upload HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400),
        (b"GET /pid HTTP/1.1\r\nExpect: planted-secret\r\n\r\n", 417),
        (b"GET /" + b"p" * 9000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET /pid HTTP/1.1\r\n" + b"A: b\r\n" * 101 + b"\r\n", 431),
        (b"GET /pid HTTP/1.1\r\n" + b"A" * 70_000, 431),
    ],
)
def test_malformed_requests_get_an_error_object_and_are_not_quoted(serve, tools, head, status):
    server = serve(workers=1)
    with send(server, head) as sock:
        seen, body = tools.reply(sock)
        assert seen == status
        assert json.loads(body)["error"]["type"].endswith("_error")
        assert b"planted-secret" not in body
        assert tools.ends(sock)
    assert "planted-secret" not in server.logged()
    assert server.get("/pid")[0] == 200


def test_an_unexpected_error_is_a_500_whose_message_stays_out_of_the_log(serve):
    server = serve()
    status, body = server.get("/broken?key=planted-secret")
    assert (status, json.loads(body)["error"]["type"]) == (500, "server_error")
    server.await_log("small_service.py")
    assert "ValueError" in server.logged()
    assert "planted-secret" not in server.logged() + body


def test_no_http_follows_on_a_connection_that_was_taken_over(serve):
    server = serve()
    with send(server, b"GET /break-off HTTP/1.1\r\nHost: relay\r\n\r\n") as sock:
        assert sock.makefile("rb").read() == b"not HTTP"
    server.await_log("ValueError")
    assert "planted-secret" not in server.logged()


def test_a_body_that_stops_is_a_408(serve, tools):
    server = serve(body_seconds=0.5)
    with send(server, upload_head("/upload", 1000) + b"some") as sock:
        assert tools.reply(sock) == (408, b"RequestTimeout")
        assert tools.ends(sock)


def test_a_body_that_drips_cannot_hold_a_thread(serve, tools):
    server = serve(workers=1, threads=1, body_seconds=1)
    with send(server, upload_head("/upload", 1_000_000)) as sock:
        assert drips_until_closed(sock, b"x", tools.patience)
    server.await_note("RequestTimeout")


def test_an_application_that_does_not_know_the_timeout_still_answers_408(serve, tools):
    server = serve(body_seconds=0.5)
    with send(server, upload_head("/careless-upload", 1000) + b"some") as sock:
        status, body = tools.reply(sock)
        assert (status, json.loads(body)["error"]["code"]) == (408, "request_timeout")


def test_a_large_steady_upload_longer_than_body_seconds_is_taken(serve, tools):
    server = serve(workers=1, body_seconds=1)
    piece, pieces = b"x" * 100_000, 25
    with send(server, upload_head("/upload", len(piece) * pieces)) as sock:
        for _ in range(pieces):
            sock.sendall(piece)
            time.sleep(0.1)
        assert tools.reply(sock) == (200, str(len(piece) * pieces).encode())


def test_a_client_that_leaves_within_its_body_is_not_taken_for_complete(serve):
    server = serve()
    with send(server, upload_head("/upload", 1000) + b"some"):
        pass
    server.await_note("ClientGone")


def test_broken_chunked_framing_is_the_clients_error(serve, tools):
    server = serve()
    head = b"POST /upload HTTP/1.1\r\nHost: relay\r\nTransfer-Encoding: chunked\r\n\r\n"
    with send(server, head + b"4\r\nbody\r\nnonsense\r\n") as sock:
        assert tools.reply(sock) == (400, b"BadRequest")
        assert tools.ends(sock)


def test_chunked_uploads_are_whole(serve, tools):
    server = serve()
    head = b"POST /upload HTTP/1.1\r\nHost: relay\r\nTransfer-Encoding: chunked\r\n\r\n"
    with send(server, head + b"4\r\nbody\r\n3\r\nabc\r\n0\r\n\r\n" + HEAD + b"\r\n") as sock:
        assert tools.reply(sock) == (200, b"7")


def test_an_unread_body_neither_holds_the_thread_nor_loses_the_answer(serve, tools):
    server = serve(workers=1, threads=1, body_seconds=60)
    with send(server, upload_head("/ignore-body", 10_000_000)) as sock:
        answered = select.poll()
        answered.register(sock, select.POLLRDHUP)
        assert answered.poll(tools.patience * 1000)
        for _ in range(10):
            sock.sendall(b"x" * 10_000)
            assert not answered.poll(20)[0][1] & select.POLLHUP
        assert tools.reply(sock) == (401, b"not read")
        assert server.get("/pid")[0] == 200


def test_a_connection_goes_on_after_a_small_unread_body(serve, tools):
    server = serve()
    with send(server, upload_head("/ignore-body", 4) + b"body") as sock:
        assert tools.reply(sock)[0] == 401
        sock.sendall(HEAD + b"\r\n")
        assert tools.reply(sock)[0] == 200


def test_a_client_that_leaves_a_stream_has_its_iterator_closed(serve):
    server = serve()
    with server.stream():
        pass
    server.await_note("closed")


def test_a_client_that_stops_reading_has_its_iterator_closed(serve):
    server = serve(send_seconds=0.5)
    with server.stream("/flood"):
        server.await_note("closed")


def test_an_answer_shorter_than_promised_ends_its_connection(serve, tools):
    server = serve()
    with send(server, b"GET /short HTTP/1.1\r\nHost: relay\r\n\r\n") as sock:
        assert tools.ends(sock, 10)


def test_a_client_that_keeps_its_side_open_does_not_stop_the_worker(serve, tools):
    server = serve(workers=1)
    closing = HEAD + b"Connection: close\r\n\r\n"
    with ExitStack() as lingering:
        socks = [lingering.enter_context(send(server, closing)) for _ in range(10)]
        for sock in socks:
            assert tools.reply(sock)[0] == 200
        began = time.monotonic()
        assert server.get("/pid")[0] == 200
        assert time.monotonic() - began < len(socks) * LEAVING_SECONDS, "waited for each of them"


def test_the_application_has_the_socket_and_trusts_no_forwarded_header(serve):
    server = serve()
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "1.2.3.4", "SCRIPT_NAME": "/x"}
    facts = json.loads(server.get("/environ", **forged)[1])
    assert facts == {
        "scheme": "http",
        "client": "127.0.0.1",
        "script": "",
        "socket": True,
        "notify": [],
    }


def test_two_workers_hold_as_many_streams_as_they_have_threads(serve):
    server = serve(workers=2, threads=40)
    with ExitStack() as streams:
        began = time.monotonic()
        socks = [streams.enter_context(server.connect()) for _ in range(80)]
        for sock in socks:
            sock.sendall(b"GET /ticks HTTP/1.1\r\nHost: relay\r\n\r\n")
        for sock in socks:
            assert sock.recv(100).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - began < 10
        assert server.notes_path.read_text().count("opened") == 80


def test_a_burst_of_connections_is_shared_between_the_workers(serve, tools):
    server = serve(workers=2, threads=64)
    with ExitStack() as clients:
        burst = [clients.enter_context(send(server, HEAD + b"\r\n")) for _ in range(60)]
        pids = Counter(tools.reply(sock)[1].split()[0] for sock in burst)
    assert len(pids) == 2
    assert min(pids.values()) >= 10


def test_beyond_all_threads_a_client_waits_and_is_served_when_one_is_free(serve, tools):
    server = serve(workers=2, threads=2)
    with ExitStack() as streams:
        first = streams.enter_context(server.stream())
        for _ in range(3):
            streams.enter_context(server.stream())
        with send(server, HEAD + b"\r\n") as waiting:
            waiting.settimeout(1)
            with pytest.raises(TimeoutError):
                waiting.recv(1)
            waiting.settimeout(tools.patience)
            first.close()
            assert tools.reply(waiting)[0] == 200


def test_a_full_worker_sends_its_idle_clients_to_another(serve, tools):
    server = serve(workers=1, threads=1)
    with send(server, HEAD + b"\r\n") as idle:
        assert tools.reply(idle)[0] == 200
        with server.stream():
            assert tools.ends(idle)


def test_an_idle_client_of_a_draining_worker_is_closed_soon(serve, tools):
    server = serve(workers=1, keepalive_seconds=600)
    with send(server, HEAD + b"\r\n") as idle, server.stream():
        assert tools.reply(idle)[0] == 200
        server.send(signal.SIGTERM)
        assert tools.ends(idle, 10)


def test_both_address_families_of_localhost_are_served_under_one_port(serve):
    server = serve(host="localhost")
    ports = {address[1] for address in server.addresses}
    assert len(ports) == 1
    for host, port in server.addresses:
        with socket.create_connection((host, port), timeout=40) as sock:
            sock.sendall(HEAD + b"\r\n")
            assert sock.recv(100).startswith(b"HTTP/1.1 200")


def test_an_ipv4_client_of_a_dual_stack_listener_has_its_ipv4_address(serve):
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    server = serve(host="::")
    server.address = ("127.0.0.1", server.address[1])
    assert json.loads(server.get("/environ")[1])["client"] == "127.0.0.1"


def test_a_worker_without_free_descriptors_pauses_and_lives_on(start, tools):
    limited = ["bash", "-c", f"ulimit -n 40; exec {sys.executable} {tools.service}"]
    server = start(command=limited, workers=1, threads=4, header_seconds=60).serving()
    worker = server.workers()
    with ExitStack() as half_sent:
        for _ in range(60):
            half_sent.enter_context(send(server, HEAD))
        server.await_log("cannot accept connections for now")
    assert server.get("/pid")[0] == 200
    assert server.workers() == worker


def test_a_worker_takes_no_more_than_its_threads_and_leaves_the_rest_to_others(serve, tools):
    server = serve(workers=2, threads=20)
    with ExitStack() as streams:
        for _ in range(25):
            streams.enter_context(server.stream())
        open_files = [len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in server.workers()]
        assert max(open_files) - min(open_files) <= 15
        assert server.get("/pid")[0] == 200


def drips_until_closed(sock, drop, seconds):
    """Whether the server ends the connection although something always comes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            sock.sendall(drop)
            sock.settimeout(0.05)
            if not sock.recv(65536):
                return True
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False
