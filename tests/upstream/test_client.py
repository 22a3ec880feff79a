"""A call reaches the upstream over a pooled connection and tells honestly why it did not."""

import socket
import threading
import time

import pytest

from airelays_app.errors import (
    ClientGone,
    UpstreamCut,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from airelays_app.upstream.client import ClientOptions, UpstreamClient
from airelays_app.upstream.request import OutboundRequest

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
MEGABYTES = b"x" * 32_000_000


def answering(peer):
    """Answer every request on the connection."""
    while peer.request():
        peer.send(ANSWER)


def test_the_request_arrives_as_it_was_given(upstream, client, post):
    def script(peer):
        got.append(peer.request())
        peer.send(ANSWER)

    got = []
    upstream.script = script
    headers = {"Authorization": "Bearer t", "content-length": "99", "Transfer-Encoding": "chunked"}
    request = post(upstream.url + "?a=b c&d=%2F#part", headers=headers, body=b'{"a":1}')
    client.send(request).read(limit=10)
    assert got == [
        b"POST /v1/responses?a=b%20c&d=%2F HTTP/1.1\r\n"
        b"Authorization: Bearer t\r\n"
        b"Host: 127.0.0.1:" + str(upstream.port).encode() + b"\r\n"
        b"Accept-Encoding: identity\r\n"
        b"User-Agent: airelays\r\n"
        b"Content-Length: 7\r\n"
        b"\r\n"
        b'{"a":1}'
    ]


def test_the_callers_own_headers_go_before_ours(upstream, client, post):
    def script(peer):
        got.append(peer.request())
        peer.send(ANSWER)

    got = []
    upstream.script = script
    headers = {"HOST": "here", "accept-encoding": "br", "USER-AGENT": "mine"}
    client.send(post(upstream.url, method="GET", headers=headers, body=None)).read(limit=10)
    expected = b"GET /v1/responses HTTP/1.1\r\nHOST: here\r\naccept-encoding: br\r\n"
    assert got == [expected + b"USER-AGENT: mine\r\n\r\n"]


@pytest.mark.parametrize(
    "request_",
    [
        {"headers": {"A": "b\r\nC: d"}},
        {"headers": {"A": "b\nC: d"}},
        {"headers": {"A": "b\0"}},
        {"headers": {"A": "“quoted”"}},
        {"headers": {"A:": "b"}},
        {"headers": {"": "b"}},
        {"method": "GET / HTTP/1.1\r\nX:"},
    ],
)
def test_nothing_can_be_smuggled_into_the_head(upstream, client, post, request_):
    upstream.script = answering
    with pytest.raises(UpstreamError):
        client.send(post(upstream.url, **request_))


def test_one_connection_carries_calls_that_follow_each_other(upstream, client, post):
    upstream.script = answering
    for _ in range(5):
        assert client.send(post(upstream.url)).read(limit=10) == b"ok"
    assert upstream.connections == 1


def test_calls_at_the_same_time_have_their_own_connections(upstream, client, post):
    upstream.script = answering
    responses = [client.send(post(upstream.url)) for _ in range(3)]
    assert [response.read(limit=10) for response in responses] == [b"ok"] * 3
    for _ in range(3):
        client.send(post(upstream.url)).read(limit=10)
    assert upstream.connections == 3


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 smuggled",
        b"HTTP/1.1 204 No Content\r\n\r\nsmuggled",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_a_connection_that_may_not_carry_more_is_closed(upstream, client, post, answer):
    def script(peer):
        peer.request()
        peer.send(answer)
        closed.append(peer.closed_within(20))

    closed = []
    upstream.script = script
    client.send(post(upstream.url)).read(limit=10)
    upstream.close()
    assert closed == [True]


def test_an_answer_without_a_body_frees_its_connection_at_once(upstream, client, post):
    def script(peer):
        while peer.request():
            peer.send(b"HTTP/1.1 204 No Content\r\n\r\n")

    upstream.script = script
    responses = [client.send(post(upstream.url)) for _ in range(3)]
    assert upstream.connections == 1
    assert responses[0].read(limit=0) == b""


def test_an_interim_answer_counts_as_a_byte_of_the_answer(upstream, client, post):
    def script(peer):
        peer.request()
        peer.send(ANSWER)
        peer.request()
        peer.send(b"HTTP/1.1 102 Processing\r\n\r\n")

    upstream.script = script
    client.send(post(upstream.url)).read(limit=10)
    with pytest.raises(UpstreamCut):
        client.send(post(upstream.url))
    assert upstream.connections == 1


@pytest.mark.parametrize("how", ["end", "reset"])
def test_a_stale_connection_is_replaced_once(upstream, client, post, how):
    """The upstream gives the connection up just when the next request is on its way."""
    requests = []

    def script(peer):
        for _ in range(2):
            requests.append(peer.request())
            if len(requests) == 2:
                break
            peer.send(ANSWER)
        if len(requests) == 2 and how == "reset":
            peer.reset()

    upstream.script = script
    client.send(post(upstream.url)).read(limit=10)
    upstream.script = answering
    assert client.send(post(upstream.url, body=b"again")).read(limit=10) == b"ok"
    assert upstream.connections == 2
    assert requests[1].endswith(b"again")


def test_a_connection_that_was_idle_for_long_is_not_trusted(upstream, client, post, monkeypatch):
    upstream.script = answering
    client.send(post(upstream.url)).read(limit=10)
    monkeypatch.setattr("airelays_app.upstream.pooling.MAX_IDLE", -1.0)
    client.send(post(upstream.url)).read(limit=10)
    assert upstream.connections == 2


def test_a_fresh_connection_that_fails_is_not_replaced(upstream, client, post):
    upstream.script = lambda peer: peer.request()
    with pytest.raises(UpstreamCut, match="without an answer"):
        client.send(post(upstream.url))
    assert upstream.connections == 1


def test_nothing_is_sent_again_once_a_byte_of_the_answer_came(upstream, client, post):
    def script(peer):
        peer.request()
        peer.send(ANSWER)
        peer.request()
        peer.send(b"HTTP/1.1 2")

    upstream.script = script
    client.send(post(upstream.url)).read(limit=10)
    with pytest.raises(UpstreamCut):
        client.send(post(upstream.url))
    assert upstream.connections == 1


def test_a_slow_first_byte_and_interim_answers_are_waited_for(upstream, client, post):
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        peer.send_each_byte(b"HTTP/1.1 102 Processing\r\nA: b\r\n\r\n" + ANSWER)

    upstream.script = script
    assert client.send(post(upstream.url)).read(limit=10) == b"ok"


def test_silence_before_the_headers_is_a_timeout(upstream, client, post):
    def script(peer):
        peer.request()
        closed.append(peer.closed_within(20))

    closed = []
    upstream.script = script
    with pytest.raises(UpstreamTimeout):
        client.send(post(upstream.url, read_timeout=0.2))
    upstream.close()
    assert closed == [True]


def test_a_client_that_leaves_before_the_headers(upstream, client, post, watched):
    ours, theirs = watched
    noticed = []

    def script(peer):
        peer.request()
        theirs.close()
        noticed.append(peer.closed_soon())

    upstream.script = script
    with pytest.raises(ClientGone):
        client.send(post(upstream.url), watch=ours)
    upstream.close()
    assert noticed == [True]


def test_a_client_that_leaves_while_its_request_is_sent_on(upstream, client, post, watched):
    ours, theirs = watched
    leaving = threading.Timer(0.1, theirs.close)
    done = threading.Event()
    upstream.script = lambda peer: done.wait(20)
    leaving.start()
    began = time.monotonic()
    with pytest.raises(ClientGone):
        client.send(post(upstream.url, body=MEGABYTES), watch=ours)
    assert time.monotonic() - began < 10
    done.set()
    leaving.join()


def test_an_upstream_that_takes_no_data_is_a_timeout(upstream, client, post):
    done = threading.Event()
    upstream.script = lambda peer: done.wait(20)
    with pytest.raises(UpstreamTimeout, match="took no data"):
        client.send(post(upstream.url, body=MEGABYTES, read_timeout=0.2))
    done.set()


def test_a_large_body_arrives_whole(upstream, client, post):
    def script(peer):
        got.append(len(peer.request().partition(b"\r\n\r\n")[2]))
        peer.send(ANSWER)

    got = []
    upstream.script = script
    assert client.send(post(upstream.url, body=MEGABYTES)).read(limit=10) == b"ok"
    assert got == [len(MEGABYTES)]


@pytest.mark.parametrize("stays", [True, False])
def test_a_refusal_in_the_middle_of_an_upload_is_heard(upstream, client, post, stays):
    def script(peer):
        peer.sock.recv(1000)
        peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        if stays:
            closed.append(peer.closed_within(20))
        else:
            peer.sock.shutdown(socket.SHUT_WR)
            while peer.sock.recv(65536):
                pass

    closed = []
    upstream.script = script
    response = client.send(post(upstream.url, body=MEGABYTES))
    assert response.status == 413
    assert response.read(limit=10) == b"big"
    upstream.close()
    assert closed == [True] * stays


def test_an_interim_answer_in_the_middle_of_an_upload_changes_nothing(upstream, client, post):
    def script(peer):
        for _ in range(2):
            peer.sock.recv(1000)
            peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            threading.Event().wait(0.2)
        left = len(MEGABYTES) - 10_000
        while left > 0:
            left -= len(peer.sock.recv(65536))
        peer.send(ANSWER)

    upstream.script = script
    response = client.send(post(upstream.url, body=MEGABYTES, read_timeout=5))
    assert response.read(limit=10) == b"ok"


def test_an_upstream_that_closes_its_side_during_an_upload_is_given_up(upstream, client, post):
    def script(peer):
        peer.sock.shutdown(socket.SHUT_WR)
        closed.append(peer.closed_soon())

    closed = []
    upstream.script = script
    with pytest.raises(UpstreamCut):
        client.send(post(upstream.url, body=MEGABYTES))
    upstream.close()
    assert closed == [True]


def test_redirects_are_not_followed_and_cookies_not_kept(upstream, client, post):
    def script(peer):
        while request := peer.request():
            got.append(request)
            peer.send(
                b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
                b"Set-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
            )

    got = []
    upstream.script = script
    assert [client.send(post(upstream.url)).status for _ in range(2)] == [302, 302]
    assert b"cookie" not in got[1].lower()


def test_the_environment_is_not_looked_at(upstream, client, post, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    def script(peer):
        got.append(peer.request())
        peer.send(ANSWER)

    got = []
    upstream.script = script
    assert client.send(post(upstream.url)).read(limit=10) == b"ok"
    assert b"authorization" not in got[0].lower()


def test_a_unix_socket(client, post, serve, tmp_path):
    path = str(tmp_path / "model.sock")
    server = serve(path=path)
    server.script = answering
    for _ in range(3):
        request = post("http://localhost/v1/models", socket_path=path)
        assert client.send(request).read(limit=10) == b"ok"
    assert server.connections == 1
    client.close()
    server.close()
    with pytest.raises(UpstreamUnreachable) as caught:
        client.send(post("http://localhost/v1/models", socket_path=path))
    assert str(tmp_path) not in caught.value.message


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://nowhere.invalid/v1", "nowhere.invalid does not resolve"),
        ("http://127.0.0.1:{free}/v1", "Nothing listens at 127.0.0.1 on port {free}"),
        ("http://[::1]:{free}/v1", "::1"),
        ("ftp://127.0.0.1/", "not an http"),
        ("http://127.0.0.1:99999/", "not an http"),
        ("http:///v1", "no usable host"),
        ("http://me:secret@host/v1", "user name or password"),
    ],
)
def test_an_upstream_that_cannot_be_reached_is_named(client, post, url, says):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        free = taken.getsockname()[1]
        with pytest.raises(UpstreamUnreachable) as caught:
            client.send(post(url.format(free=free)))
    assert says.format(free=free) in caught.value.message
    assert "secret" not in caught.value.message


def test_an_upstream_that_is_no_http_server(upstream, client, post):
    def script(peer):
        peer.request()
        peer.send(b"SSH-2.0-OpenSSH_9.2\r\n")

    upstream.script = script
    with pytest.raises(UpstreamError, match="not HTTP"):
        client.send(post(upstream.url))


def test_nothing_is_opened_before_the_first_call_and_close_closes_all(upstream, post):
    upstream.script = answering
    client = UpstreamClient(ClientOptions())
    client.close()
    client.send(post(upstream.url)).read(limit=10)
    client.close()
    client.send(post(upstream.url)).read(limit=10)
    client.close()
    assert upstream.connections == 2


def test_many_threads_share_one_client(upstream, post):
    upstream.script = answering
    client = UpstreamClient(ClientOptions(pool_size=8))
    failures = []

    def calls():
        for _ in range(50):
            got = client.send(post(upstream.url)).read(limit=10)
            if got != b"ok":
                failures.append(got)

    threads = [threading.Thread(target=calls) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.close()
    assert failures == []
    assert 1 <= upstream.connections <= 8


def test_the_request_does_not_show_its_body():
    request = OutboundRequest("POST", "http://h/", {}, b"a private prompt")
    assert "private" not in repr(request)


class Pieces:
    """A body in pieces that can be told again."""

    length = 300_003

    def __init__(self):
        self.told = 0

    def chunks(self):
        self.told += 1
        yield from [b"abc", b"x" * 300_000]


def test_a_body_in_pieces_is_sent_with_its_length(upstream, client, post):
    def script(peer):
        got.append(peer.request())
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    got = []
    upstream.script = script
    assert client.send(post(upstream.url, body=Pieces())).read(limit=10) == b"ok"
    head, _, body = got[0].partition(b"\r\n\r\n")
    assert b"Content-Length: 300003" in head
    assert body == b"abc" + b"x" * 300_000


def test_a_body_in_pieces_is_told_again_where_the_connection_was_dead(upstream, client, post):
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    upstream.script = script
    body = Pieces()
    assert client.send(post(upstream.url, body=body)).read(limit=10) == b"ok"
    assert client.send(post(upstream.url, body=body)).read(limit=10) == b"ok"
    assert body.told >= 2
