"""Upstreams are reached through the configured proxy, and directly where ``no_proxy`` says so."""

import base64
import contextlib
import socket
import threading

import pytest

from airelays_app.errors import UpstreamUnreachable
from airelays_app.upstream.address import address_of
from airelays_app.upstream.client import ClientOptions, UpstreamClient
from airelays_app.upstream.proxies import proxy_for

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answering(peer):
    while peer.request():
        peer.send(ANSWER)


def splice(one, other):
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    with contextlib.suppress(OSError):
        other.shutdown(socket.SHUT_WR)


def tunnel(heads):
    """Return the script of a proxy that connects where CONNECT says."""

    def script(peer):
        head = peer.request()
        heads.append(head)
        host, port = head.split(b" ")[1].split(b":")
        with socket.create_connection((host.decode(), int(port))) as onward:
            peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=splice, args=(onward, peer.sock))
            back.start()
            splice(peer.sock, onward)
            back.join()

    return script


@pytest.fixture
def through():
    opened = []

    def build(proxy, *, scheme="http", **options):
        url = proxy.url.replace("://", "://me:pass@").rpartition("/v1")[0]
        opened.append(UpstreamClient(ClientOptions(proxies={scheme: url}, **options)))
        return opened[-1]

    yield build
    for client in opened:
        client.close()


def test_plain_calls_are_forwarded_whole(upstream, through, post):
    heads = []

    def script(peer):
        heads.append(peer.request())
        peer.send(ANSWER)

    upstream.script = script
    client = through(upstream)
    assert client.send(post("http://api.test/v1?a=b")).read(limit=10) == b"ok"
    assert heads[0].startswith(b"POST http://api.test/v1?a=b HTTP/1.1\r\n")
    assert b"\r\nHost: api.test\r\n" in heads[0]
    credentials = base64.b64encode(b"me:pass")
    assert b"\r\nproxy-authorization: basic " + credentials.lower() in heads[0].lower()


def test_tls_calls_go_through_a_tunnel_and_share_it(serve, tls, certificate, through, post):
    proxy, secure = serve(), serve(tls=tls)
    heads = []
    proxy.script = tunnel(heads)
    secure.script = answering
    client = through(proxy, scheme="https", ca_bundle=certificate)
    for _ in range(3):
        request = post(secure.url, headers={"Authorization": "Bearer upstream"})
        assert client.send(request).read(limit=10) == b"ok"
    client.close()
    assert (proxy.connections, secure.connections) == (1, 1)
    assert heads[0].startswith(b"CONNECT 127.0.0.1:")
    assert b"Bearer" not in heads[0]


def test_tls_calls_go_through_a_proxy_that_speaks_tls_itself(
    serve, tls, certificate, through, post
):
    proxy, secure = serve(tls=tls), serve(tls=tls)
    proxy.script = tunnel([])
    body = b"x" * 8_000_000

    def script(peer):
        while sent := peer.request().partition(b"\r\n\r\n")[2]:
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(sent))
            peer.send(sent)

    secure.script = script
    client = through(proxy, scheme="https", ca_bundle=certificate)
    for _ in range(2):
        assert client.send(post(secure.url, body=body)).read(limit=len(body)) == body
    client.close()
    assert proxy.connections == 1


def test_a_stale_tunnel_is_replaced(serve, tls, certificate, through, post):
    proxy, secure = serve(), serve(tls=tls)
    proxy.script = tunnel([])

    def script(peer):
        peer.request()
        peer.send(ANSWER)
        peer.request()

    secure.script = script
    client = through(proxy, scheme="https", ca_bundle=certificate)
    assert client.send(post(secure.url)).read(limit=10) == b"ok"
    assert client.send(post(secure.url)).read(limit=10) == b"ok"
    client.close()
    assert proxy.connections == 2


def test_a_proxy_that_refuses_is_named_without_its_password(upstream, through, post):
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")

    upstream.script = script
    with pytest.raises(UpstreamUnreachable) as caught:
        through(upstream, scheme="https").send(post("https://api.test/v1"))
    assert "No tunnel to api.test: the proxy 127.0.0.1 answered 407" in caught.value.message
    assert "pass" not in caught.value.message


def test_a_proxy_that_is_not_there_is_named(post):
    client = UpstreamClient(ClientOptions(proxies={"all": "me:secret@proxy.invalid:3128"}))
    for url in ("http://api.test/", "https://api.test/"):
        with pytest.raises(UpstreamUnreachable) as caught:
            client.send(post(url))
        assert "the proxy proxy.invalid does not resolve" in caught.value.message
        assert "secret" not in caught.value.message
    client.close()


@pytest.mark.parametrize(
    "proxy", ["gopher://me:secret@proxy", "socks5://me:secret@proxy", "http://[::1"]
)
def test_a_proxy_of_an_unknown_kind_is_refused(post, proxy):
    client = UpstreamClient(ClientOptions(proxies={"all": proxy}))
    with pytest.raises(UpstreamUnreachable, match=r"proxy to api[.]test cannot be used") as caught:
        client.send(post("http://api.test/"))
    assert "secret" not in caught.value.message
    client.close()


@pytest.mark.parametrize(
    ("url", "no_proxy", "proxied"),
    [
        ("https://api.openai.test", "", True),
        ("https://api.openai.test", "openai.test", False),
        ("https://api.openai.test", ".openai.test", False),
        ("https://api.openai.test", "*.openai.test", False),
        ("https://api.openai.test", "other.test, API.openai.test:443", False),
        ("https://api.openai.test:8443", "api.openai.test:443", True),
        ("https://notopenai.test", "openai.test", True),
        ("https://api.openai.test", "*", False),
        ("http://127.0.0.5:8080", "127.0.0.0/8", False),
        ("http://[::1]:8080", "::1", False),
        ("http://192.168.1.5", "192.168.1.5", False),
        ("http://192.168.1.5", "192.168.2.0/24,,10.0.0.0/8", True),
    ],
)
def test_who_is_reached_directly(url, no_proxy, proxied):
    proxies = {"http": "http://proxy:1", "https": "proxy:2"}
    proxy = proxy_for(address_of(url), proxies, no_proxy)
    assert (proxy is not None) is proxied
    assert proxy is None or proxy.startswith("http://proxy:")
