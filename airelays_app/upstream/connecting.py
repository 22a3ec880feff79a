"""Connections opened, and what went wrong told in words that help."""

import re
import socket
import ssl
from collections.abc import Iterator

import requests.exceptions
from urllib3 import exceptions
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.util.proxy import connection_requires_http_tunnel

from airelays_app.errors import UpstreamUnreachable
from airelays_app.upstream.adapter import RelayConnection
from airelays_app.upstream.address import Address

_FAILURES = (
    OSError,
    ValueError,
    exceptions.HTTPError,
    requests.exceptions.RequestException,
)

_EXPLANATIONS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    (
        (ssl.SSLCertVerificationError,),
        "The certificate of {address.host} is not trusted ({detail}). If a private authority "
        "signed it, name its PEM file in upstream.ca_bundle.",
    ),
    (
        (ssl.SSLError,),
        "{address.host} does not speak TLS properly on port {address.port}. Check the address.",
    ),
    (
        (socket.gaierror,),
        "The name {dialled} does not resolve. Check the address and this machine's DNS.",
    ),
    (
        (ConnectionRefusedError, FileNotFoundError),
        "Nothing listens at {dialled} on port {port}. Check that it runs, and the address.",
    ),
    (  # urllib3 derives refusals from its timeout, so this row stands below them
        (TimeoutError, exceptions.TimeoutError),
        "No connection to {dialled} within {seconds:g} seconds. Check the address, "
        "the network and the firewall.",
    ),
)

_TUNNEL_REFUSED = re.compile(r"Tunnel connection failed: (\d{3})")


def needs_tunnel(pool: HTTPConnectionPool, address: Address) -> bool:
    """Say whether ``address`` is reached through a CONNECT tunnel of the pool's proxy."""
    return connection_requires_http_tunnel(pool.proxy, pool.proxy_config, address.scheme)


def open_connection(
    conn: RelayConnection,
    *,
    pool: HTTPConnectionPool,
    address: Address,
    timeout: float,
    watch: socket.socket | None,
) -> None:
    """Connect ``conn``, with ``timeout`` seconds each for TCP and TLS; its socket never blocks.

    Raises UpstreamUnreachable, which names the host and what to do about it, and ClientGone
    when the client at ``watch`` leaves before the TCP connection stands.
    """
    conn.timeout = timeout
    conn.watch = watch
    try:
        if needs_tunnel(pool, address):
            pool._prepare_proxy(conn)
        else:
            conn.connect()
    except _FAILURES as error:
        conn.close()
        raise UpstreamUnreachable(_explain(error, pool, address, timeout)) from error
    finally:
        conn.watch = None
    conn.sock.settimeout(0.0)


def _explain(
    error: BaseException, pool: HTTPConnectionPool, address: Address, timeout: float
) -> str:
    proxy = pool.proxy
    dialled = f"the proxy {proxy.host}" if proxy is not None else address.host
    port = proxy.port if proxy is not None else address.port
    causes = list(_causes(error))
    refused = next(filter(None, (_TUNNEL_REFUSED.search(str(cause)) for cause in causes)), None)
    if refused is not None:
        return f"No tunnel to {address.host}: {dialled} answered {refused[1]}."
    for kinds, text in _EXPLANATIONS:
        cause = next((cause for cause in causes if isinstance(cause, kinds)), None)
        if cause is not None:
            return text.format(
                address=address,
                dialled=dialled,
                port=port,
                seconds=timeout,
                detail=getattr(cause, "verify_message", ""),
            )
    return f"Cannot reach {address.host} on port {address.port}. Check the address and the network."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error`` and everything it was raised from or wraps as an argument."""
    waiting, seen = [error], set()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        linked = (current.__cause__, current.__context__, *current.args)
        waiting += [item for item in linked if isinstance(item, BaseException)]
