"""Calls to upstreams over the pooled connections of a requests adapter.

requests and urllib3 resolve proxies, tunnel, shake hands and pool; the request's bytes are
written and the answer's bytes are read here. Preparing a request and parsing an answer the
general way costs several times the CPU, never joins what arrived together and cannot watch the
client.
"""

import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from urllib3.connectionpool import HTTPConnectionPool

from airelays_app.upstream.adapter import ORIGINS, RelayAdapter, UnixPool
from airelays_app.upstream.address import Address, address_of
from airelays_app.upstream.connecting import needs_tunnel
from airelays_app.upstream.exchange import Exchange
from airelays_app.upstream.proxies import proxy_for
from airelays_app.upstream.request import OutboundRequest, request_head
from airelays_app.upstream.response import UpstreamResponse
from airelays_app.upstream.trust import tls_context
from airelays_app.upstream.waiting import nothing


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """How upstreams are reached.

    ``pool_size`` is the number of idle connections kept per origin: the threads of a worker.
    ``proxies`` has the keys of requests (``http``, ``https``, ``all``, ``https://host``);
    ``no_proxy`` lists names, suffixes, addresses and networks that are reached directly. The
    environment is not looked at. ``ca_bundle`` is trusted in addition to the public authorities.
    """

    pool_size: int = 64
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    no_proxy: str = ""
    ca_bundle: str | None = None
    user_agent: str = "airelays"


@dataclass(frozen=True, slots=True)
class _Route:
    """How requests to one origin travel; ``forwarded`` by a proxy that is sent the whole URL."""

    pool: HTTPConnectionPool
    forwarded: bool

    @property
    def is_open(self) -> bool:
        return self.pool.pool is not None


class UpstreamClient:
    """One per worker process, shared by its threads; nothing is opened before the first call.

    Redirects are never followed, cookies never kept.
    """

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._adapters: dict[str | None, RelayAdapter] = {}
        self._routes: dict[tuple[str, str | None], _Route] = {}

    def send(
        self,
        request: OutboundRequest,
        *,
        watch: socket.socket | None = None,
        on_tick: Callable[[], None] = nothing,
    ) -> UpstreamResponse:
        """Send ``request`` and return the answer as soon as its headers are there.

        ``watch`` is the client's socket; when it hangs up, here or while the body is read, the
        upstream connection is closed and ClientGone raised. Raises UpstreamUnreachable,
        UpstreamTimeout, UpstreamCut and UpstreamError.
        """
        address = address_of(request.url)
        route = self._route(address, request)
        head = request_head(
            request,
            address=address,
            target=address.url if route.forwarded else address.target,
            user_agent=self._options.user_agent,
            extra=route.pool.proxy_headers if route.forwarded else {},
        )
        return Exchange(
            request,
            address=address,
            head=head,
            pool=route.pool,
            watch=watch,
            on_tick=on_tick,
        ).run()

    def close(self) -> None:
        """Close all idle connections; those in use are closed when their answers are read."""
        with self._lock:
            adapters, self._adapters = self._adapters, {}
            routes, self._routes = self._routes, {}
        for route in routes.values():
            route.pool.close()
        for adapter in adapters.values():
            adapter.close()

    def _route(self, address: Address, request: OutboundRequest) -> _Route:
        key = request.socket_path or address.origin, request.ca_bundle
        route = self._routes.get(key)
        if route is not None and route.is_open:
            return route
        with self._lock:
            route = self._routes.get(key)
            if route is None or not route.is_open:
                route = self._new_route(address, request)
                if len(self._routes) >= ORIGINS:
                    self._routes.clear()
                self._routes[key] = route
        return route

    def _new_route(self, address: Address, request: OutboundRequest) -> _Route:
        options = self._options
        if request.socket_path:
            pool_size = options.pool_size
            return _Route(UnixPool(request.socket_path, pool_size=pool_size), forwarded=False)
        proxy = proxy_for(address, options.proxies, options.no_proxy)
        pool = self._adapter(request.ca_bundle).pool_for(address, proxy=proxy)
        return _Route(pool, forwarded=pool.proxy is not None and not needs_tunnel(pool, address))

    def _adapter(self, ca_bundle: str | None) -> RelayAdapter:
        """Return the adapter whose connections trust ``ca_bundle`` too; the lock is held."""
        adapter = self._adapters.get(ca_bundle)
        if adapter is None:
            tls = tls_context(*filter(None, (self._options.ca_bundle, ca_bundle)))
            adapter = RelayAdapter(pool_size=self._options.pool_size, tls=tls)
            self._adapters[ca_bundle] = adapter
        return adapter
