"""No bytes on a connection, whatever they are, make the relay fail or misunderstand it.

Broken HTTP is refused with a client's error in the usual shape and the connection ends, so that
nothing behind it can be taken for a request; bodies that never come are given up in time.
"""

import json
import socket

import pytest

from tests.hostile.answers import headers_of, refused
from tests.hostile.vital_signs import await_true, running_requests
from tests.hostile.wire import Wire, ask, request_head

MAX_BODY = 1024 * 1024
CHAT = "/v1/chat/completions"
SAID = json.dumps(
    {"model": "box/sandbox-small", "messages": [{"role": "user", "content": "hi"}]}
).encode()
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n"


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay with little patience and a small body limit."""
    return start_relay(
        MAX_BODY_BYTES=str(MAX_BODY),
        BODY_SECONDS="1",
        HEADER_SECONDS="1",
        FAILED_AUTH_MAX_ATTEMPTS="1000000",
    )


def request_with(relay, lines, body=SAID):
    """Return a POST whose further header lines are ``lines``, as they are."""
    start = f"POST {CHAT} HTTP/1.1\r\nHost: relay.test\r\nAuthorization: Bearer {relay.token}\r\n"
    kind = b"Content-Type: application/json\r\n"
    return start.encode() + kind + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


LENGTH = b"Content-Length: %d" % len(SAID)
CHUNKED = b"Transfer-Encoding: chunked"
WHOLE = b"%x\r\n%b\r\n0\r\n\r\n" % (len(SAID), SAID)


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        ([b"Content-Length: 99999999999999999999999999"], SAID),
        ([b"Content-Length: " + b"9" * 4_000], SAID),
        ([b"Content-Length: -1"], SAID),
        ([b"Content-Length: +5"], SAID),
        ([b"Content-Length: 0x10"], SAID),
        ([b"Content-Length: 1_0"], SAID),
        ([b"Content-Length: 5 5"], SAID),
        ([b"Content-Length: 5, 5"], SAID),
        ([b"Content-Length:"], SAID),
        ([b"Content-Length: \xb2"], SAID),
        ([LENGTH, b"Content-Length: 1"], SAID),
        ([LENGTH, LENGTH], SAID),
        ([b"Content-Length : 5"], SAID),
        ([LENGTH, CHUNKED], WHOLE),
        ([CHUNKED, LENGTH], WHOLE),
        ([CHUNKED, CHUNKED], WHOLE),
        ([b"Transfer-Encoding: chunked, chunked"], WHOLE),
        ([b"Transfer-Encoding: chunked, identity"], WHOLE),
        ([b"Transfer-Encoding: xchunked"], WHOLE),
        ([b"Transfer-Encoding: \x0bchunked"], WHOLE),
        ([b"Transfer-Encoding : chunked"], WHOLE),
        ([b"Transfer-Encoding: gzip, chunked"], WHOLE),
        ([b"Transfer-Encoding:", b" chunked"], WHOLE),
        ([CHUNKED], b"zz\r\n" + SAID),
        ([CHUNKED], b"-1\r\n" + SAID),
        ([CHUNKED], b"0x5\r\n" + SAID),
        ([CHUNKED], b"5 \r\n" + SAID),
        ([CHUNKED], b"5;" + b"x" * 200_000 + b"\r\nhello\r\n0\r\n\r\n"),
        ([CHUNKED], b"5\r\nhelloXX0\r\n\r\n"),
        ([CHUNKED], b"5\nhello\n0\n\n"),
        ([CHUNKED], b"\r\n" + WHOLE),
        ([CHUNKED], WHOLE[:-2] + b"no trailer\r\n\r\n"),
        ([CHUNKED], WHOLE[:-2] + b"A: b\r\n" * 100_000),
    ],
    ids=lambda value: repr(value)[:48],
)
def test_a_body_of_unclear_length_is_refused_and_nothing_behind_it_is_believed(relay, lines, body):
    with Wire(relay.url) as wire:
        wire.send(request_with(relay, lines, body) + SMUGGLED)
        refused(wire.answer(), 400, 413, 431)
        assert b"HTTP/1.1" not in wire.rest()
    assert not relay.sandbox.requests.to("/chat/completions")


@pytest.mark.parametrize("coding", [b"gzip", b"gzip, chunked", b"chunked, identity", b"sealed"])
def test_an_unknown_coding_is_the_client_s_error_and_its_header_is_named(relay, coding):
    with Wire(relay.url) as wire:
        wire.send(request_with(relay, [b"Transfer-Encoding: " + coding], WHOLE))
        error = refused(wire.answer(), 400)
    assert error["code"] == "unsupported_transfer_coding"
    assert error["message"].startswith("Transfer-Encoding: ")


@pytest.mark.parametrize("length", [MAX_BODY + 1, 10**12, 2**63, 2**64])
@pytest.mark.parametrize("path", [CHAT, "/v1/files"])
def test_an_absurd_length_is_refused_before_anything_has_come(relay, path, length):
    headers = headers_of(relay)
    if path == "/v1/files":
        headers["Content-Type"] = "multipart/form-data; boundary=xx"
        if length < 10**12:
            return
    with Wire(relay.url) as wire:
        wire.send(request_head("POST", path, headers, length=length))
        assert refused(wire.answer(), 413)["code"] == "request_too_large"


def test_a_chunked_body_stops_at_the_limit(relay):
    piece = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    with Wire(relay.url) as wire:
        wire.send(request_with(relay, [CHUNKED], b""))
        for _ in range(MAX_BODY // 65_536 + 1):
            wire.send(piece)
        assert refused(wire.answer(), 413)["code"] == "request_too_large"


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n" * 40_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 80 + b"\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /healthz\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\n\r\n",
        b"GET /healthz HTTP/1.1 x\r\n\r\n",
        b"GET  /healthz HTTP/1.1\r\n\r\n",
        b"get /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"G\x00T /healthz HTTP/1.1\r\n\r\n",
        b"A" * 5_000 + b" /healthz HTTP/1.1\r\n\r\n",
        b"GET \xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\nHost: x\n\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nA\x00: b\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\x00\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n folded\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: a-miracle\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + b"A: b\r\n" * 101 + b"\r\n",
        b"GET /healthz HTTP/1.1\r\nA: " + b"b" * 70_000,
        b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /?" + b"a" * 70_000,
    ],
    ids=lambda data: repr(data[:40]),
)
def test_what_is_no_http_is_refused_as_what_it_is(relay, data):
    with Wire(relay.url) as wire:
        wire.send(data)
        refused(wire.answer("GET"), 400, 405, 408, 414, 417, 431)
        wire.rest()
    assert relay.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer " + "x" * 8_000},
        {"Authorization": "Bearer \xff\xfe\xe9"},
        {"Authorization": "Bearer t\xc3\xb6ken"},
        {"Authorization": "Bearer a b c"},
        {"x-api-key": "\xa0"},
        {"x-goog-api-key": "a,b;c"},
    ],
    ids=lambda headers: repr(headers)[:50],
)
def test_a_credential_of_any_bytes_is_a_wrong_one(relay, headers):
    refused(ask(relay.url, "GET", "/v1/models", b"", headers), 401)
    assert relay.get("/v1/models").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "\xff, 1.2.3.4.5, ::::, " + "1.1.1.1," * 900},
        {"X-Forwarded-Proto": "javascript"},
        {"X-Request-Id": "\xff" * 200},
        {"Origin": "\xff://\xfe"},
        {"Origin": "null"},
        {"Origin": "http://[::1"},
        {"Accept": "\xff" * 2_000},
        {"Accept-Encoding": "*;q=\xff"},
        {"Connection": "Content-Length, Authorization"},
        {"Content-Encoding": "identity"},
        {"Content-Type": "application/json; charset=\xff\xfe"},
        {"Content-Type": "application/json; charset=utf-7"},
        {"Cookie": "a=" + "\xff" * 3_000},
        {"Range": "bytes=0-0,1-1,-1"},
        {"If-None-Match": "*"},
        {"If-Modified-Since": "\xff"},
        {"Upgrade": "websocket", "Connection": "Upgrade"},
        {"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings", "HTTP2-Settings": "AAA"},
        {"X-HTTP-Method-Override": "DELETE"},
        {"OpenAI-Organization": "\x80"},
        {"session_id": "\x80", "conversation_id": "\x80"},
        {"anthropic-version": "\xff"},
    ],
    ids=lambda headers: repr(headers)[:60],
)
def test_odd_headers_change_nothing(relay, headers):
    answer = ask(relay.url, "POST", CHAT, SAID, headers_of(relay) | headers)
    assert answer.status == 200, answer
    assert ask(relay.url, "GET", "/v1/models", b"", headers_of(relay) | headers).status == 200


def test_expect_100_continue_is_answered_before_the_body_is_sent(relay):
    headers = headers_of(relay, Expect="100-continue")
    with Wire(relay.url) as wire:
        wire.send(request_head("POST", CHAT, headers, length=len(SAID)))
        assert wire.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        wire.send(SAID)
        assert wire.answer().status == 200


@pytest.mark.parametrize("path", [CHAT, "/v1/conversations", "/v1/files"])
def test_a_body_that_does_not_come_is_given_up(relay, path):
    headers = headers_of(relay)
    if path == "/v1/files":
        headers["Content-Type"] = "multipart/form-data; boundary=xx"
    with Wire(relay.url) as wire:
        wire.send(request_head("POST", path, headers, length=1000) + b'{"mo')
        assert refused(wire.answer(), 408)["code"] == "request_timeout"
    await_true(lambda: running_requests(relay) == 0, lambda: running_requests(relay))


@pytest.mark.parametrize("size", [b"ffffffffffffffff", b"f" * 400])
def test_a_chunk_of_absurd_size_is_given_up_like_a_body_that_does_not_come(relay, size):
    with Wire(relay.url) as wire:
        wire.send(request_with(relay, [CHUNKED], size + b"\r\n" + SAID))
        assert refused(wire.answer(), 408)["code"] == "request_timeout"


@pytest.mark.parametrize(
    "host", [b"\xff", b"a" * 5_000, b"[::1", b"x:99999999", b"x\t", b"", b"a/b"]
)
def test_an_odd_host_is_refused_or_changes_nothing(relay, host):
    lines = f"GET /v1/models HTTP/1.1\r\nAuthorization: Bearer {relay.token}\r\nHost: ".encode()
    with Wire(relay.url) as wire:
        wire.send(lines + host + b"\r\n\r\n")
        answer = wire.answer("GET")
    if answer.status != 200:
        refused(answer, 400)


def test_a_client_that_stops_sending_is_shut_out_but_hears_why(relay):
    with Wire(relay.url) as wire:
        wire.send(request_head("POST", CHAT, headers_of(relay), length=1000) + b"{")
        wire.sock.shutdown(socket.SHUT_WR)
        wire.rest()
    await_true(lambda: running_requests(relay) == 0, lambda: running_requests(relay))


def test_half_a_head_is_given_up(relay):
    with Wire(relay.url) as wire:
        wire.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n")
        assert refused(wire.answer(), 408)["code"] == "request_timeout"
