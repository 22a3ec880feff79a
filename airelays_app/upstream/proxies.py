"""Which proxy, if any, an upstream is reached through."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network

from requests.utils import select_proxy

from airelays_app.upstream.address import Address


def proxy_for(address: Address, proxies: Mapping[str, str], no_proxy: str) -> str | None:
    """Return the URL of the proxy to ``address``, or None for a direct connection.

    ``proxies`` has the keys of requests: ``http``, ``https``, ``all``, ``https://host``.
    ``no_proxy`` is a comma separated list of names (their subdomains included), addresses,
    networks, each with or without a port, or ``*``.
    """
    proxy = select_proxy(address.origin, dict(proxies))
    if not proxy or any(_covers(entry.strip(), address) for entry in no_proxy.split(",")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _covers(entry: str, address: Address) -> bool:
    if entry == "*":
        return True
    if not entry:
        return False
    name = entry.lower().removeprefix("*").removeprefix(".")
    authority = address.origin.partition("://")[2]
    if any(f".{known}".endswith(f".{name}") for known in (address.host, authority)):
        return True
    return _is_within(address.host, network=entry)


def _is_within(host: str, *, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False
