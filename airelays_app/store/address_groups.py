"""Under which address limits and blocks count a client: its own, or for IPv6 that of its /64."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

UNIX_PEER = "unix"
"""What stands for the peers on a UNIX socket."""

Address = IPv4Address | IPv6Address
_IPV6_GROUP_BITS = 64


def group_of(address: Address | None) -> str:
    """Return the group of an address, None for a peer on a UNIX socket."""
    if address is None:
        return UNIX_PEER
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((address, _IPV6_GROUP_BITS), strict=False))


def group_named(text: str) -> str:
    """Return the group that an owner means, by an address in it or as it is shown.

    Raises ValueError for anything else.
    """
    if text == UNIX_PEER:
        return text
    if "/" in text:
        return str(ip_network(text, strict=True))
    address = parsed_address(text)
    if address is None:
        raise ValueError(f"{text!r} is not an IP address")
    return group_of(address)


@lru_cache(maxsize=4096)
def parsed_address(text: str) -> Address | None:
    """Return an address without its zone, an IPv4 one that is mapped into IPv6 as itself."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
