"""The requests adapter whose connection pools carry our calls, and the pool of a UNIX socket."""

import socket
import ssl
from typing import Any, cast

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from airelays_app.errors import UpstreamUnreachable
from airelays_app.upstream.address import Address
from airelays_app.upstream.dialling import SocketOptions, dial

ORIGINS = 64
"""Origins whose connections are kept; a household has a handful of providers."""

_SOCKET_OPTIONS = [
    *HTTPConnection.default_socket_options,
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 60_000),
]
"""Routers must not forget a long silent answer. A peer that vanished (a change of network, a
machine that slept) is given up after a minute, not after the kernel's quarter of an hour."""

_CONNECT_TIMEOUT = 60.0
"""Seconds for a caller who names no timeout; none of ours does."""


class RelayConnection(HTTPConnection):
    """A connection that is opened by ``dial``.

    ``watch`` is the client it is opened for; ``idle_since`` is when it went back to its pool,
    in seconds of the clock that goes on while the machine sleeps.
    """

    watch: socket.socket | None = None
    idle_since = 0.0

    def _new_conn(self) -> socket.socket:
        """Open the TCP connection: urllib3's hook for it."""
        return dial(
            self.host.strip("[]"),
            self.port,
            timeout=self.timeout or _CONNECT_TIMEOUT,
            options=cast(SocketOptions, self.socket_options or ()),
            watch=self.watch,
        )


class _TlsConnection(RelayConnection, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = RelayConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _PlainPool, "https": _TlsPool}
_PROXY_SCHEMES = ("http://", "https://")


class RelayAdapter(HTTPAdapter):
    """An HTTPAdapter with one TLS context for all connections, and direct access to its pools.

    Building a context costs some 10 ms of CPU, which requests spends on every new connection.
    """

    def __init__(self, *, pool_size: int, tls: ssl.SSLContext) -> None:
        self._tls = tls
        super().__init__(pool_connections=ORIGINS, pool_maxsize=pool_size, pool_block=False)

    def init_poolmanager(
        self,
        connections: int,
        maxsize: int,
        block: bool = False,  # noqa: FBT001, FBT002 - the signature of requests
        **pool_kwargs: Any,
    ) -> None:
        """Create the pools of direct connections."""
        super().init_poolmanager(
            connections, maxsize, block=block, **self._options(), **pool_kwargs
        )

        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        """Return the pools of connections through ``proxy``."""
        manager = super().proxy_manager_for(
            proxy, proxy_ssl_context=self._tls, **self._options(), **proxy_kwargs
        )
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def pool_for(self, address: Address, *, proxy: str | None) -> HTTPConnectionPool:
        """Return the pool of connections to ``address``.

        Raises UpstreamUnreachable if ``proxy`` is of a kind that cannot be used.
        """
        try:
            manager = self._manager(proxy) if proxy else self.poolmanager
        except ValueError:
            raise UpstreamUnreachable(
                f"The proxy to {address.host} cannot be used: it must be an http:// or https:// "
                "address."
            ) from None
        pool: HTTPConnectionPool = manager.connection_from_url(address.origin)
        return pool

    def _manager(self, proxy: str) -> Any:
        """Return the pools of connections through ``proxy``; raises ValueError.

        Those through a SOCKS proxy, which requests can have too, are not opened by ``dial``.
        """
        if not proxy.lower().startswith(_PROXY_SCHEMES):
            raise ValueError(proxy)
        return self.proxy_manager_for(proxy)

    def _options(self) -> dict[str, Any]:
        return {"ssl_context": self._tls, "socket_options": _SOCKET_OPTIONS}


class _UnixConnection(RelayConnection):
    """A connection to a UNIX socket; ``host`` is the path."""

    def _new_conn(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(self.timeout)
            sock.connect(self.host)
        except OSError:
            sock.close()
            raise
        return sock


class UnixPool(HTTPConnectionPool):
    """The pool of connections to one UNIX socket."""

    ConnectionCls = _UnixConnection

    def __init__(self, path: str, *, pool_size: int) -> None:
        super().__init__("localhost", maxsize=pool_size)
        self.host = path
