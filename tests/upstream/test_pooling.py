"""A connection is used again only when it may be, and not after a long sleep."""

import pytest
from urllib3.connectionpool import HTTPConnectionPool

from airelays_app.errors import UpstreamUnreachable
from airelays_app.upstream import pooling
from airelays_app.upstream.adapter import RelayConnection


@pytest.fixture
def pool(upstream):
    class Pool(HTTPConnectionPool):
        ConnectionCls = RelayConnection

    opened = Pool("127.0.0.1", upstream.port)
    upstream.script = lambda peer: peer.request()
    yield opened
    opened.close()


def connected(pool):
    conn = pooling.take(pool)
    assert conn.is_closed
    conn.connect()
    return conn


def test_a_reusable_connection_stays_open(pool):
    conn = connected(pool)
    pooling.give_back(conn, pool, reusable=True)
    assert pooling.take(pool) is conn
    assert not conn.is_closed
    conn.close()


def test_another_is_closed_at_once(pool):
    conn = connected(pool)
    pooling.give_back(conn, pool, reusable=False)
    assert conn.is_closed


def test_a_connection_that_was_idle_for_long_is_closed(pool, monkeypatch):
    conn = connected(pool)
    pooling.give_back(conn, pool, reusable=True)
    monkeypatch.setattr(pooling, "MAX_IDLE", -1.0)
    assert pooling.take(pool).is_closed


def test_a_closed_pool_is_an_upstream_out_of_reach(pool):
    conn = connected(pool)
    pool.close()
    pooling.give_back(conn, pool, reusable=True)
    assert conn.is_closed
    with pytest.raises(UpstreamUnreachable):
        pooling.take(pool)
