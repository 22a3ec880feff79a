"""Only the request with our state ends the wait, and the browser's page tells the truth."""

import socket
import threading
import time
from http.client import HTTPConnection

import pytest

from airelays_app.providers.codex.callback import (
    CallbackListener,
    CallbackPortBusyError,
    Redirect,
)

UPPER = 30.0
STATE = "s" * 43
GOOD = f"/auth/callback?code=the-code&state={STATE}"


@pytest.fixture
def listener():
    with CallbackListener(STATE, ports=(0,)) as listening:
        yield listening


def port_of(listener) -> int:
    return int(listener.redirect_uri.split(":")[2].split("/")[0])


def visit(listener, target, *, method="GET", host="127.0.0.1"):
    connection = HTTPConnection(host, port_of(listener), timeout=UPPER)
    try:
        connection.request(method, target)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())
    finally:
        connection.close()


def raw_exchange(listener, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port_of(listener)), timeout=UPPER) as connection:
        connection.sendall(sent)
        received = b""
        while piece := connection.recv(4096):
            received += piece
        return received


class Browser(threading.Thread):
    """Visits in the background, because the page comes only after the verdict."""

    def __init__(self, listener, target):
        super().__init__()
        self.arguments = (listener, target)
        self.page = None
        self.start()

    def run(self):
        self.page = visit(*self.arguments)

    def result(self):
        self.join(UPPER)
        return self.page


def test_the_code_arrives_and_the_page_waits_for_the_verdict(listener):
    browser = Browser(listener, GOOD)
    assert listener.wait(UPPER) == Redirect(code="the-code")
    assert browser.is_alive()
    listener.conclude(worked=True)
    status, page, headers = browser.result()
    assert status == 200
    assert "You are logged in" in page
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "the-code" not in page


def test_a_login_that_fails_after_the_callback_is_not_called_a_success():
    with CallbackListener(STATE, ports=(0,)) as listener:
        browser = Browser(listener, GOOD)
        assert listener.wait(UPPER).code == "the-code"
    status, page, _ = browser.result()
    assert status == 502
    assert "did not work" in page


@pytest.mark.parametrize(
    "target",
    [
        "/auth/callback",
        "/auth/callback?code=x",
        "/auth/callback?code=x&state=",
        "/auth/callback?code=x&state=wrong",
        f"/auth/callback?code=x&state={STATE}x",
        f"/auth/callback?code=x&state={STATE}&state=other",
        f"/auth/callback?state={STATE}",
        f"/auth/callback?code=a&code=b&state={STATE}",
        "/auth/callback?error=access_denied&state=wrong",
        "/auth/callback?code=x&state=%ff%fe",
        "/auth/callback?code=<script>alert(1)</script>&state=<script>",
        "/favicon.ico",
        "/",
        "/auth/callback/?code=x",
        "/" + "x" * 20_000,
    ],
)
def test_one_bad_hit_does_not_end_the_wait(listener, target):
    status, page, _ = visit(listener, target)
    assert status in (400, 404)
    assert "script" not in page.replace("<!doctype", "")
    assert listener.wait(0) is None
    browser = Browser(listener, GOOD)
    assert listener.wait(UPPER).code == "the-code"
    listener.conclude(worked=True)
    assert browser.result()[0] == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40 + b"\r\n\r\n",
        b"<script>alert(1)</script>\r\n\r\n",
        b"GET /<script> HTTP/9.9\r\n\r\n",
        b"GET " + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /auth/callback?code=x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
        b"GET http://[bad/auth/callback HTTP/1.1\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\n\r\n",
    ],
)
def test_garbage_gets_a_fixed_page_that_reflects_nothing(listener, sent):
    received = raw_exchange(listener, sent)
    assert b"script>" not in received
    assert b"Python" not in received
    assert listener.wait(0) is None


def test_a_half_open_connection_does_not_keep_the_browser_out(listener):
    with socket.create_connection(("127.0.0.1", port_of(listener)), timeout=UPPER) as half:
        half.sendall(b"GET /auth/call")
        browser = Browser(listener, GOOD)
        assert listener.wait(UPPER).code == "the-code"
        listener.conclude(worked=True)
        assert browser.result()[0] == 200


def test_a_browser_that_leaves_does_not_end_the_login(listener):
    with socket.create_connection(("127.0.0.1", port_of(listener)), timeout=UPPER) as connection:
        connection.sendall(f"GET {GOOD} HTTP/1.1\r\n\r\n".encode())
        assert listener.wait(UPPER).code == "the-code"
    listener.conclude(worked=True)


def test_a_reload_gets_the_same_verdict(listener):
    first = Browser(listener, GOOD)
    assert listener.wait(UPPER).code == "the-code"
    second = Browser(listener, GOOD)
    listener.conclude(worked=True)
    assert first.result()[0] == second.result()[0] == 200


def test_the_issuers_refusal_with_our_state_is_an_answer(listener):
    status, page, _ = visit(listener, f"/auth/callback?error=access_denied&state={STATE}")
    assert status == 400
    assert "not granted" in page
    assert listener.wait(UPPER) == Redirect(error="access_denied")


def test_a_pasted_address_is_an_answer(listener):
    assert listener.offer("http://localhost:1455/auth/callback?code=x&state=wrong") is False
    assert listener.offer("nonsense") is False
    assert listener.offer("http://[") is False
    assert listener.offer(f"  http://localhost:1455{GOOD}\n") is True
    assert listener.wait(0).code == "the-code"


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 loopback here")
def test_both_loopback_addresses_answer(listener):
    assert visit(listener, "/", host="::1")[0] == 404
    assert visit(listener, "/", host="127.0.0.1")[0] == 404


def test_only_loopback_is_bound(listener):
    hosts = {server.server_address[0] for server in listener._servers}
    assert hosts <= {"127.0.0.1", "::1"}
    assert "127.0.0.1" in hosts


def test_a_busy_port_names_the_other_way_to_log_in():
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(CallbackPortBusyError, match=f"Port {port} .*--device"):
            CallbackListener(STATE, ports=(port,)).__enter__()


def test_the_second_port_is_taken_when_the_first_is_busy():
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with CallbackListener(STATE, ports=(port, 0)) as listener:
            assert port_of(listener) != port


def test_leaving_closes_the_port_at_once():
    with CallbackListener(STATE, ports=(0,)) as listener:
        port = port_of(listener)
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", port)):
        assert time.monotonic() - started < UPPER
