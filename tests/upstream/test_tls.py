"""TLS upstreams stream and pool like plain ones, and are trusted only for a reason."""

import contextlib
import ssl
import threading
import time

import pytest

from airelays_app.errors import ClientGone, UpstreamUnreachable
from airelays_app.upstream.client import ClientOptions, UpstreamClient

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
MEGABYTES = b"x" * 8_000_000


@pytest.fixture
def secure(serve, tls):
    return serve(tls=tls)


@pytest.fixture
def trusting(certificate):
    client = UpstreamClient(ClientOptions(ca_bundle=certificate))
    yield client
    client.close()


def test_records_that_arrived_together_are_one_piece(secure, trusting, post):
    events = [b"data: %d\n\n" % number for number in range(700)]

    def script(peer):
        peer.request()
        peer.send(CHUNKED)
        for event in events:
            peer.chunk(event)
        sent.set()
        peer.request()

    sent = threading.Event()
    secure.script = script
    response = trusting.send(post(secure.url))
    assert sent.wait(20)
    pieces = response.pieces(tick=30)
    got = [next(pieces)]
    while len(b"".join(got)) < len(b"".join(events)):
        got.append(next(pieces))
    assert b"".join(got) == b"".join(events)
    assert len(got) <= 3
    pieces.close()


def test_records_without_data_do_not_block_the_ticks(serve, tls, trusting, post):
    """A TLS 1.3 server sends session tickets after the handshake: readable, but no data."""
    tls.num_tickets = 4
    secure = serve(tls=tls)
    done = threading.Event()

    def script(peer):
        peer.request()
        peer.send(CHUNKED)
        done.wait(20)
        peer.send(b"0\r\n\r\n")

    secure.script = script
    pieces = trusting.send(post(secure.url)).pieces(tick=0.05)
    began = time.monotonic()
    assert [next(pieces), next(pieces)] == [b"", b""]
    assert time.monotonic() - began < 10
    done.set()
    assert b"".join(pieces) == b""


def test_one_connection_carries_calls_that_follow_each_other(secure, trusting, post):
    def script(peer):
        while peer.request():
            peer.send(ANSWER)

    secure.script = script
    for _ in range(5):
        assert trusting.send(post(secure.url)).read(limit=10) == b"ok"
    assert secure.connections == 1


def test_a_large_body_goes_both_ways(secure, trusting, post):
    def script(peer):
        body = peer.request().partition(b"\r\n\r\n")[2]
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    secure.script = script
    response = trusting.send(post(secure.url, body=MEGABYTES))
    assert response.read(limit=len(MEGABYTES)) == MEGABYTES


def test_a_client_that_leaves_closes_the_upstream(secure, trusting, post, watched):
    ours, theirs = watched
    noticed = []

    def script(peer):
        peer.request()
        peer.send(CHUNKED + b"1\r\n!\r\n")
        left.wait(20)
        noticed.append(peer.closed_soon())

    left = threading.Event()
    secure.script = script
    pieces = trusting.send(post(secure.url), watch=ours).pieces(tick=30)
    assert next(pieces) == b"!"
    theirs.close()
    left.set()
    with pytest.raises(ClientGone):
        next(pieces)
    secure.close()
    assert noticed == [True]


def test_the_end_of_the_connection_ends_a_body_without_length(secure, trusting, post):
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
        with contextlib.suppress(OSError):
            peer.sock.unwrap()

    secure.script = script
    assert trusting.send(post(secure.url)).read(limit=10) == b"abc"


def test_the_authority_of_one_call_is_trusted_by_that_call_alone(secure, client, post, certificate):
    def script(peer):
        peer.request()
        peer.send(ANSWER)

    secure.script = script
    own = post(secure.url, ca_bundle=certificate)
    assert client.send(own).read(limit=10) == b"ok"
    with pytest.raises(UpstreamUnreachable, match="not trusted"):
        client.send(post(secure.url))


def test_an_unknown_certificate_names_the_host_and_the_setting(secure, client, post):
    with pytest.raises(UpstreamUnreachable) as caught:
        client.send(post(secure.url))
    assert "127.0.0.1" in caught.value.message
    assert "self-signed" in caught.value.message
    assert "upstream.ca_bundle" in caught.value.message


def test_a_certificate_for_another_name_is_refused(secure, trusting, post):
    url = secure.url.replace("127.0.0.1", "localhost")
    with pytest.raises(UpstreamUnreachable, match="localhost is not trusted"):
        trusting.send(post(url))


def test_a_server_without_tls_is_named(upstream, client, post):
    upstream.script = lambda peer: peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(UpstreamUnreachable, match="does not speak TLS"):
        client.send(post(upstream.url.replace("http://", "https://")))


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_bundle_that_cannot_be_read_names_the_setting(post, tmp_path, content):
    path = tmp_path / "bundle.pem"
    if content is not None:
        path.write_text(content)
    of_all = UpstreamClient(ClientOptions(ca_bundle=str(path)))
    with pytest.raises(UpstreamUnreachable, match="setting ca_bundle"):
        of_all.send(post("https://127.0.0.1:1/"))
    with pytest.raises(UpstreamUnreachable, match="setting ca_bundle"):
        UpstreamClient(ClientOptions()).send(post("https://127.0.0.1:1/", ca_bundle=str(path)))


def test_the_trust_is_built_once(secure, trusting, post, monkeypatch):
    """Building a context costs more CPU than a thousand events."""
    built = []
    real = ssl.SSLContext.load_verify_locations
    monkeypatch.setattr(
        ssl.SSLContext,
        "load_verify_locations",
        lambda self, *args, **kw: (built.append(1), real(self, *args, **kw))[1],
    )

    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    secure.script = script
    for _ in range(3):
        trusting.send(post(secure.url)).close()
    assert secure.connections == 3
    assert len(built) == 2
