"""What a client gets of an upstream that speaks HTTP oddly, relayed as it is.

The body is whole or the connection breaks; the answer's framing is the relay's own; what a browser
would do to the relay's whole address, and what only the relay may say, stays behind.
"""

import threading

import pytest

from tests.conftest import TOKEN, error_of
from tests.hostile.wire import Wire, ask, request_head
from tests.upstream.conftest import Upstream

OK = b"HTTP/1.1 200 OK\r\n"
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def upstream():
    server = Upstream()
    yield server
    server.close()


@pytest.fixture(scope="module")
def module_relay(start_relay, upstream):
    return start_relay(
        PROVIDERS_ODD_BASE_URL=f"http://127.0.0.1:{upstream.port}/v1",
        PROVIDERS_ODD_PASSTHROUGH="true",
    )


@pytest.fixture
def answer_to(relay, upstream):
    """Return a function that asks the relay while its upstream answers with the bytes given."""

    def asked(answer, method="GET"):
        def script(peer):
            while peer.request():
                peer.send(answer)
                peer.sock.shutdown(1)

        upstream.script = script
        return ask(relay.url, method, "/p/odd/thing", headers=WITH_TOKEN)

    return asked


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        OK + b"Content-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        OK + b"Content-Length: 5\r\n\r\nhello, and more than was said",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        + OK
        + b"Content-Length: 5\r\n\r\nhello",
        OK + b"\r\nhello",
        b"HTTP/1.0 200 OK\n\nhello",
    ],
)
def test_a_body_comes_whole_however_it_is_framed(answer_to, answer):
    got = answer_to(answer)
    assert (got.status, got.body) == (200, b"hello")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello",
    ],
)
def test_an_answer_that_has_no_body_gets_none(answer_to, answer):
    got = answer_to(answer)
    assert got.status in (204, 304)
    assert got.body == b""


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: evil\r\n\r\nbytes",
        OK + b"X: " + b"y" * 100_000,
        OK + b"X: y\r\n" * 10_000,
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        OK + b"Content-Length: -5\r\n\r\nhello",
        OK + b"Content-Length: 5, 6\r\n\r\nhello",
        OK + b"X: a\x01b\r\nContent-Length: 5\r\n\r\nhello",
        OK + b"X: a\x7fb\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/2 200 OK\r\n\r\n",
        b"\r\n" * 1000,
        b"",
    ],
    ids=lambda answer: repr(answer)[:60],
)
def test_what_is_no_answer_is_502(relay, upstream, answer):
    def script(peer):
        peer.request()
        peer.send(answer)

    upstream.script = script
    refused = relay.get("/p/odd/thing")
    assert refused.status_code == 502
    assert error_of(refused)["type"] == "upstream_error"


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 50\r\n\r\nhello",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n",
    ],
)
def test_a_body_that_is_cut_is_never_a_clean_end(relay, upstream, answer):
    def script(peer):
        peer.request()
        peer.send(answer)

    upstream.script = script
    with Wire(relay.url) as wire:
        wire.send(request_head("GET", "/p/odd/thing", WITH_TOKEN))
        came = wire.rest()
    assert came == b"" or came.startswith(OK)
    head, _, body = came.partition(b"\r\n\r\n")
    if b"chunked" in head:
        assert not body.endswith(b"0\r\n\r\n")
    else:
        assert len(body) < 50


@pytest.mark.parametrize("path", ["/p/odd/thing", "/v1/audio/speech"])
@pytest.mark.parametrize("kind", ["application/json", "audio/mpeg", "text/event-stream"])
def test_what_has_come_is_handed_on_before_the_rest(relay, upstream, path, kind):
    first_is_there = threading.Event()

    def script(peer):
        peer.request()
        peer.send(OK + f"Content-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        peer.chunk(b"first")
        assert first_is_there.wait(60), "the relay waits for the rest"
        peer.chunk(b"rest")
        peer.chunk(b"")

    upstream.script = script
    body = {"model": "odd/m", "input": "Hi", "voice": "alloy"}
    with relay.streaming(path, body) as answer:
        pieces = answer.iter_content(None)
        assert next(pieces) == b"first"
        first_is_there.set()
        assert b"".join(pieces) == b"rest"


def test_nothing_is_said_in_the_relays_name_or_about_its_address(answer_to):
    got = answer_to(
        OK + b"Content-Length: 5\r\n"
        b"X-Airelays-Route: codex/gpt-5.5\r\n"
        b"X-Airelays-Upstream-Auth: missing\r\n"
        b"X-Request-Id: theirs\r\n"
        b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
        b"Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"
        b'Clear-Site-Data: "*"\r\n'
        b'Alt-Svc: h3=":443"\r\n'
        b"Access-Control-Allow-Origin: https://evil.example\r\n"
        b"X-Vendor: kept\r\n\r\nhello"
    )
    assert got.headers["x-vendor"] == "kept"
    assert got.headers["x-request-id"] != "theirs"
    assert "1970" not in got.headers["date"]
    assert got.headers["access-control-allow-origin"] == "*"
    left_out = {"strict-transport-security", "clear-site-data", "alt-svc"}
    assert not left_out & got.headers.keys()
    assert not [name for name in got.headers if name.startswith("x-airelays-")]
