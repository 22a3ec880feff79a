"""The requests adapter whose connection pools carry our calls, and the pool of a UNIX socket."""

import socket
import ssl
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from airelays_app.upstream.address import Address

ORIGINS = 64
"""Origins whose connections are kept; a household has a handful of providers."""

_SOCKET_OPTIONS = [
    *HTTPConnection.default_socket_options,
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
]
"""Routers must not forget a long silent answer; a host that vanished must not hold a thread."""


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

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        """Return the pools of connections through ``proxy``."""
        return super().proxy_manager_for(
            proxy, proxy_ssl_context=self._tls, **self._options(), **proxy_kwargs
        )

    def pool_for(self, address: Address, *, proxy: str | None) -> HTTPConnectionPool:
        """Return the pool of connections to ``address``."""
        manager = self.proxy_manager_for(proxy) if proxy else self.poolmanager
        pool: HTTPConnectionPool = manager.connection_from_url(address.origin)
        return pool

    def _options(self) -> dict[str, Any]:
        return {"ssl_context": self._tls, "socket_options": _SOCKET_OPTIONS}


class UnixConnection(HTTPConnection):
    """A connection to a UNIX socket; ``host`` is the path."""

    def connect(self) -> None:
        """Connect within ``timeout`` seconds."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(self.timeout)
            sock.connect(self._dns_host)
        except OSError:
            sock.close()
            raise
        self.sock = sock


class UnixPool(HTTPConnectionPool):
    """The pool of connections to one UNIX socket."""

    ConnectionCls = UnixConnection
