"""An answer's body comes as it arrives, whatever its framing, and never ends clean when cut."""

import gzip
import threading
import time
import zlib

import pytest

from airelays_app.errors import ClientGone, UpstreamCut, UpstreamError, UpstreamTimeout

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSE = OK + b"\r\n"


def with_length(body: bytes) -> bytes:
    return OK + b"Content-Length: %d\r\n\r\n" % len(body) + body


def joined(response, tick: float = 30.0) -> bytes:
    return b"".join(response.pieces(tick=tick))


@pytest.mark.parametrize(
    "answer",
    [
        CHUNKED + b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n",
        with_length(b"abcdefg"),
        UNTIL_CLOSE + b"abcdefg",
        b"HTTP/1.0 200 OK\r\n\r\nabcdefg",
        b"HTTP/1.1 200\nContent-Length: 7\n\nabcdefg",
    ],
    ids=["chunked", "length", "until close", "HTTP/1.0", "bare line feeds"],
)
@pytest.mark.parametrize("cut", [False, True], ids=["at once", "byte by byte"])
def test_body_in_every_framing(upstream, client, post, answer, cut):
    def script(peer):
        peer.request()
        (peer.send_each_byte if cut else peer.send)(answer)

    upstream.script = script
    with client.send(post(upstream.url)) as response:
        assert response.status == 200
        assert joined(response) == b"abcdefg"


def test_each_second_of_waiting_is_told_before_the_head_and_within_the_body(upstream, client, post):
    def script(peer):
        peer.request()
        peer.sock.settimeout(30)
        assert before_head.wait(30)
        peer.send(OK + b"Content-Length: 3\r\n\r\na")
        assert within_body.wait(30)
        peer.send(b"bc")

    before_head, within_body = threading.Event(), threading.Event()
    upstream.script = script
    response = client.send(post(upstream.url), on_tick=before_head.set)
    before_head.clear()
    assert response.read(limit=10, on_tick=within_body.set) == b"abc"


@pytest.mark.parametrize(
    "answer",
    [
        CHUNKED + b"5\r\nabc",
        CHUNKED + b"3\r\nabc\r\n",
        CHUNKED + b"3\r\nabc\r\n0\r\n",
        OK + b"Content-Length: 5\r\n\r\nabc",
    ],
    ids=["inside a chunk", "between chunks", "inside the trailer", "short of its length"],
)
@pytest.mark.parametrize("how", ["end", "reset"])
def test_a_cut_body_is_an_error_after_what_came(upstream, client, post, answer, how):
    went_on = threading.Event()

    def script(peer):
        peer.request()
        peer.send(answer)
        went_on.wait(20)
        if how == "reset":
            peer.reset()

    upstream.script = script
    pieces = client.send(post(upstream.url)).pieces(tick=30)
    assert next(pieces) == b"abc"
    went_on.set()
    with pytest.raises(UpstreamCut):
        next(pieces)


def test_a_burst_is_one_piece(upstream, client, post):
    events = b"".join(b'data: {"delta":"%d"}\n\n' % number for number in range(700))
    body = b"".join(b"%x\r\n%b\r\n" % (len(e) + 2, e + b"\n\n") for e in events.split(b"\n\n")[:-1])

    def script(peer):
        peer.request()
        peer.send(CHUNKED + b"1\r\n!\r\n")
        go.wait(20)
        peer.send(body)
        sent.set()
        peer.request()

    go, sent = threading.Event(), threading.Event()
    upstream.script = script
    pieces = client.send(post(upstream.url)).pieces(tick=30)
    assert next(pieces) == b"!"
    go.set()
    assert sent.wait(20)
    assert next(pieces) == events
    pieces.close()


def test_ticks_come_on_time_while_the_upstream_is_silent(upstream, client, post):
    done = threading.Event()

    def script(peer):
        peer.request()
        peer.send(CHUNKED)
        done.wait(20)
        peer.send(b"1\r\n!\r\n0\r\n\r\n")

    upstream.script = script
    pieces = client.send(post(upstream.url)).pieces(tick=0.1)
    began = time.monotonic()
    assert [next(pieces) for _ in range(3)] == [b"", b"", b""]
    assert 0.3 <= time.monotonic() - began < 10
    done.set()
    assert [piece for piece in pieces if piece] == [b"!"]


def test_silence_in_the_body_is_a_timeout(upstream, client, post):
    def script(peer):
        peer.request()
        peer.send(CHUNKED + b"1\r\n!\r\n")
        assert peer.closed_within(20)

    upstream.script = script
    pieces = client.send(post(upstream.url, read_timeout=0.3)).pieces(tick=0.1)
    assert next(pieces) == b"!"
    with pytest.raises(UpstreamTimeout, match=r"was silent for 0[.]3 seconds"):
        list(pieces)


def test_a_client_that_leaves_closes_the_upstream(upstream, client, post, watched):
    ours, theirs = watched
    noticed = []

    def script(peer):
        peer.request()
        peer.send(CHUNKED + b"1\r\n!\r\n")
        left.wait(20)
        noticed.append(peer.closed_soon())

    left = threading.Event()
    upstream.script = script
    pieces = client.send(post(upstream.url), watch=ours).pieces(tick=30)
    assert next(pieces) == b"!"
    theirs.close()
    left.set()
    with pytest.raises(ClientGone):
        next(pieces)
    upstream.close()
    assert noticed == [True]


def test_a_client_that_leaves_during_a_buffered_body(upstream, client, post, watched):
    ours, theirs = watched
    noticed = []

    def script(peer):
        peer.request()
        peer.send(OK + b"Content-Length: 100\r\n\r\nabc")
        theirs.close()
        noticed.append(peer.closed_soon())

    upstream.script = script
    with pytest.raises(ClientGone):
        client.send(post(upstream.url), watch=ours).read(limit=1000)
    upstream.close()
    assert noticed == [True]


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("gzip", gzip.compress(b"hello " * 1000)),
        ("gzip", gzip.compress(b"hello " * 400) + gzip.compress(b"hello " * 600)),
        ("deflate", zlib.compress(b"hello " * 1000)),
        ("deflate", zlib.compress(b"hello " * 1000, wbits=-15)),
        ("identity", b"hello " * 1000),
    ],
    ids=["gzip", "two members", "deflate", "raw deflate", "identity"],
)
def test_read_undoes_the_content_encoding(upstream, client, post, name, encoded):
    def script(peer):
        asked.append(peer.request())
        head = OK + b"Content-Encoding: %b\r\nContent-Length: %d\r\n\r\n"
        peer.send_each_byte(head % (name.encode(), len(encoded)) + encoded[:200])
        peer.send(encoded[200:])

    asked = []
    upstream.script = script
    response = client.send(post(upstream.url, stream=False))
    assert response.read(limit=10_000) == b"hello " * 1000
    assert b"Accept-Encoding: gzip, deflate\r\n" in asked[0]


def test_pieces_can_be_left_encoded(upstream, client, post):
    body = gzip.compress(b"hello")

    def script(peer):
        peer.request()
        peer.send(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    upstream.script = script
    assert b"".join(client.send(post(upstream.url)).pieces(tick=30, decode=False)) == body


@pytest.mark.parametrize("body", [b"x" * 101, gzip.compress(b"x" * 10_000_000)])
def test_read_stops_at_its_limit(upstream, client, post, body):
    encoding = b"Content-Encoding: gzip\r\n" if body[:1] == b"\x1f" else b""

    def script(peer):
        peer.request()
        peer.send(OK + encoding + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    upstream.script = script
    with pytest.raises(UpstreamError, match="more than 100 bytes"):
        client.send(post(upstream.url, stream=False)).read(limit=100)


def test_a_cut_or_unknown_content_encoding_is_an_error(upstream, client, post):
    body = gzip.compress(b"hello")[:-4]
    answers = iter([(b"gzip", body), (b"br", b"?")])

    def script(peer):
        name, sent = next(answers)
        peer.request()
        head = b"Content-Encoding: %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
        peer.send(OK + head % (name, len(sent)) + sent)

    upstream.script = script
    with pytest.raises(UpstreamCut):
        client.send(post(upstream.url, stream=False)).read(limit=1000)
    with pytest.raises(UpstreamError, match="not asked for"):
        client.send(post(upstream.url, stream=False)).read(limit=1000)


def test_close_neither_waits_nor_drains(upstream, client, post):
    closed = []

    def script(peer):
        peer.request()
        peer.send(OK + b"Content-Length: 1000000000\r\n\r\nabc")
        closed.append(peer.closed_within(20))

    upstream.script = script
    response = client.send(post(upstream.url))
    began = time.monotonic()
    response.close()
    response.close()
    assert time.monotonic() - began < 15
    assert list(response.pieces(tick=1)) == []
    upstream.close()
    assert closed == [True]
