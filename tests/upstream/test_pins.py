"""What is used of requests and urllib3 beyond their documentation, one by one.

A new release that changes one of these fails here, with the reason it is needed.
"""

import inspect
import socket

import pytest
import requests
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from airelays_app.upstream.adapter import RelayAdapter, RelayConnection
from airelays_app.upstream.address import address_of
from airelays_app.upstream.trust import tls_context

PINS = [
    (HTTPConnectionPool, "_get_conn", ["self", "timeout"], "take an idle connection, or a new one"),
    (HTTPConnectionPool, "_put_conn", ["self", "conn"], "give a connection back"),
    (HTTPSConnectionPool, "_prepare_proxy", ["self", "conn"], "open a CONNECT tunnel"),
    (HTTPConnection, "_new_conn", ["self"], "open the TCP connection"),
]


@pytest.mark.parametrize(("owner", "name", "parameters", "purpose"), PINS)
def test_a_private_method_is_as_it_was(owner, name, parameters, purpose):
    method = getattr(owner, name, None)
    assert method is not None, purpose
    assert list(inspect.signature(method).parameters) == parameters, purpose


@pytest.fixture
def adapter():
    opened = RelayAdapter(pool_size=3, tls=tls_context())
    yield opened
    opened.close()


@pytest.mark.parametrize("proxy", [None, "http://proxy:1"])
@pytest.mark.parametrize("url", ["http://host", "https://host"])
def test_pools_hold_our_connections_and_know_their_size_and_trust(adapter, url, proxy):
    pool = adapter.pool_for(address_of(url), proxy=proxy)
    assert pool.pool.maxsize == 3
    assert (pool.proxy is None) is (proxy is None)
    conn = pool._get_conn()
    assert isinstance(conn, RelayConnection)
    assert conn.is_closed
    assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in conn.socket_options
    if url.startswith("https"):
        assert isinstance(conn, HTTPSConnection)
        assert conn.ssl_context is adapter._tls
    pool._put_conn(conn)
    assert pool._get_conn() is conn


def test_a_closed_pool_says_so(adapter):
    pool = adapter.pool_for(address_of("http://host"), proxy=None)
    pool.close()
    assert pool.pool is None


def test_the_adapter_serves_plain_requests_too(adapter, upstream):
    def script(peer):
        while peer.request():
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    upstream.script = script
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", adapter)
        assert session.get(upstream.url).content == b"ok"
