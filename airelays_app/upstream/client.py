"""Calls to upstreams over the pooled connections of a requests session.

requests and urllib3 resolve, dial, tunnel, shake hands and pool; the request's bytes are written
and the answer's bytes are read here. Preparing a request and parsing an answer the general way
costs ten times the CPU, joins nothing that arrived together and cannot watch the client.
"""

import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import cast

import requests
from urllib3.connectionpool import HTTPConnectionPool

from airelays_app.errors import UpstreamCut, UpstreamTimeout
from airelays_app.upstream.adapter import ORIGINS, RelayAdapter, RelayConnection, UnixPool
from airelays_app.upstream.address import Address, address_of
from airelays_app.upstream.body import body_of, keeps_alive
from airelays_app.upstream.connecting import needs_tunnel, open_connection
from airelays_app.upstream.head import Head, HeadParser
from airelays_app.upstream.proxies import proxy_for
from airelays_app.upstream.request import OutboundRequest, request_head
from airelays_app.upstream.response import UpstreamResponse
from airelays_app.upstream.trust import tls_context
from airelays_app.upstream.wire import ClosedBeforeAnswer, Wire

_JOINED_BODY = 65_536
"""Up to this size a body is copied behind its head, so that both leave in one write."""

MAX_IDLE = 240.0
"""Seconds after which an unused connection is not trusted to be alive any more."""


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """How upstreams are reached.

    ``pool_size`` is the number of idle connections kept per origin: the threads of a worker.
    ``proxies`` has the keys of requests (``http``, ``https``, ``all``, ``https://host``);
    ``no_proxy`` lists names, suffixes, addresses and networks that are reached directly. The
    environment is not looked at. ``ca_bundle`` is trusted in addition to the public authorities.
    """

    pool_size: int = 64
    proxies: Mapping[str, str] = field(default_factory=dict)
    no_proxy: str = ""
    ca_bundle: str | None = None
    user_agent: str = "airelays"


@dataclass(frozen=True, slots=True)
class _Route:
    """How requests to one origin travel."""

    pool: HTTPConnectionPool
    forwarded: bool
    """Whether a proxy is sent the whole URL."""


class UpstreamClient:
    """One per worker process, shared by its threads; nothing is opened before the first call.

    Redirects are never followed, cookies never kept.
    """

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._session: requests.Session | None = None
        self._routes: dict[str, _Route] = {}

    def send(
        self, request: OutboundRequest, *, watch: socket.socket | None = None
    ) -> UpstreamResponse:
        """Send ``request`` and return the answer as soon as its headers are there.

        ``watch`` is the client's socket; when it hangs up, here or while the body is read, the
        upstream connection is closed and ClientGone raised. A pooled connection that turns out
        to be dead before a byte of the answer came is replaced once. Raises UpstreamUnreachable,
        UpstreamTimeout, UpstreamCut, UpstreamError.
        """
        address = address_of(request.url)
        route = self._route(address, request.socket_path)
        conn = _take(route.pool)
        try:
            return self._exchange(conn, request, address=address, route=route, watch=watch)
        except BaseException:
            conn.close()
            route.pool._put_conn(conn)
            raise

    def close(self) -> None:
        """Close all idle connections."""
        with self._lock:
            session, self._session = self._session, None
            routes, self._routes = self._routes, {}
        for route in routes.values():
            route.pool.close()
        if session is not None:
            session.close()

    def _exchange(
        self,
        conn: RelayConnection,
        request: OutboundRequest,
        *,
        address: Address,
        route: _Route,
        watch: socket.socket | None,
    ) -> UpstreamResponse:
        """Send on ``conn``; on a fresh one if this was pooled and proves to be dead."""
        data = self._serialized(request, address, route)
        reused = not conn.is_closed
        while True:
            if conn.is_closed:
                open_connection(
                    conn,
                    pool=route.pool,
                    address=address,
                    timeout=request.connect_timeout,
                    watch=watch,
                )
            wire = Wire(
                conn.sock, watch=watch, host=address.host, read_timeout=request.read_timeout
            )
            try:
                early = _send(wire, data, request.body)
                head, arrived = _receive_head(wire, early, host=address.host)
            except ClosedBeforeAnswer:
                conn.close()
                if not reused:
                    raise
                reused = False
            else:
                break
        return UpstreamResponse(
            head,
            body=body_of(head, method=request.method),
            arrived=arrived,
            wire=wire,
            reusable=not early and keeps_alive(head),
            host=address.host,
            release=_releaser(route.pool, conn),
        )

    def _serialized(self, request: OutboundRequest, address: Address, route: _Route) -> bytes:
        target = address.target
        if route.forwarded:
            target = f"{address.scheme}://{address.host_header}{target}"
        head = request_head(
            request,
            address=address,
            target=target,
            user_agent=self._options.user_agent,
            extra=route.pool.proxy_headers if route.forwarded else {},
        )
        body = request.body
        return head + body if body and len(body) <= _JOINED_BODY else head

    def _route(self, address: Address, socket_path: str | None) -> _Route:
        key = socket_path or address.origin
        route = self._routes.get(key)
        if route is None or route.pool.pool is None:
            with self._lock:
                route = self._new_route(address, socket_path)
                if len(self._routes) >= ORIGINS:
                    self._routes.clear()
                self._routes[key] = route
        return route

    def _new_route(self, address: Address, socket_path: str | None) -> _Route:
        options = self._options
        if socket_path:
            return _Route(UnixPool(socket_path, pool_size=options.pool_size), forwarded=False)
        if self._session is None:
            self._session = _new_session(options)
        adapter = self._session.get_adapter(address.origin)
        assert isinstance(adapter, RelayAdapter)
        proxy = proxy_for(address, options.proxies, options.no_proxy)
        pool = adapter.pool_for(address, proxy=proxy)
        return _Route(pool, forwarded=pool.proxy is not None and not needs_tunnel(pool, address))


def _new_session(options: ClientOptions) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    adapter = RelayAdapter(pool_size=options.pool_size, tls=tls_context(options.ca_bundle))
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    return session


def _take(pool: HTTPConnectionPool) -> RelayConnection:
    """Return a connection of ``pool``: idle and alive, as far as one can know, or not open."""
    conn = cast(RelayConnection, pool._get_conn())
    if not conn.is_closed and _clock() - conn.idle_since > MAX_IDLE:
        conn.close()
    return conn


def _send(wire: Wire, data: bytes, body: bytes | None) -> bytes:
    """Send the head, or head and body in one; return bytes of an answer that came too early."""
    early = wire.send(data)
    if not early and body and len(body) > _JOINED_BODY:
        early = wire.send(body)
    return early


def _receive_head(wire: Wire, early: bytes, *, host: str) -> tuple[Head, bytes]:
    """Wait for the final head; return it with the bytes of the body that came along."""
    parser = HeadParser()
    data: bytes | None = early
    while True:
        parsed = parser.feed(data) if data else None
        if parsed is not None:
            return parsed
        try:
            data = wire.receive(inf)
        except UpstreamTimeout:
            raise
        except UpstreamCut as error:
            if parser.started:
                raise
            raise ClosedBeforeAnswer(error.message) from error
        if data == b"":
            kind = UpstreamCut if parser.started else ClosedBeforeAnswer
            raise kind(f"{host} closed the connection without an answer.")


def _clock() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _releaser(pool: HTTPConnectionPool, conn: RelayConnection) -> Callable[[bool], None]:
    def release(reusable: bool) -> None:  # noqa: FBT001
        if reusable:
            conn.idle_since = _clock()
        else:
            conn.close()
        pool._put_conn(conn)

    return release
