"""Which address a request comes from, and under which one its limits are counted.

``X-Forwarded-For`` is believed only from a listed proxy, and only from the right: the entry
that the outermost listed proxy appended is the client; whatever stands left of it the client
may have invented.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

UNIX_PEER = "unix"
_IPV6_GROUP_BITS = 64
_MOST_HOPS = 32

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class ClientAddress:
    """``text`` is the address itself; ``group`` is what limits count: an IPv6 client's /64."""

    text: str
    group: str


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The reverse proxies whose word is taken, as networks; ``unix``: peers on a UNIX socket."""

    networks: tuple[_Network, ...] = ()
    unix: bool = False

    @classmethod
    def parse(cls, entries: Iterable[str]) -> "TrustedProxies":
        """Read addresses, networks and the word ``unix``; ValueError for anything else."""
        texts = [entry.strip() for entry in entries]
        networks = tuple(ip_network(text, strict=False) for text in texts if text != UNIX_PEER)
        return cls(networks, UNIX_PEER in texts)

    def cover(self, address: _Address | None) -> bool:
        """Return whether a peer, None for one on a UNIX socket, is a listed proxy."""
        if address is None:
            return self.unix
        return any(address in network for network in self.networks)


def client_address(
    peer: str | None, forwarded_for: str | None, proxies: TrustedProxies
) -> ClientAddress:
    """Return the client's address from the socket's peer and the header, if there is one."""
    hop = _parsed(peer or "")
    if forwarded_for and proxies.cover(hop):
        hop = _client_behind(hop, forwarded_for, proxies)
    return _client(hop)


def is_this_machine(peer: str | None) -> bool:
    """Return whether the socket's peer is on this machine: a loopback address or a UNIX socket."""
    hop = _parsed(peer or "")
    return hop is None or hop.is_loopback


def address_group(text: str) -> str:
    """Return the group that an address an owner typed belongs to; ValueError if it is none."""
    if text == UNIX_PEER:
        return text
    if "/" in text:
        return str(ip_network(text, strict=True))
    address = _parsed(text)
    if address is None:
        raise ValueError(f"{text!r} is not an IP address")
    return _client(address).group


def _client_behind(
    hop: _Address | None, forwarded_for: str, proxies: TrustedProxies
) -> _Address | None:
    """Walk from the nearest hop outwards; stop at the first unlisted or unreadable one."""
    for entry in reversed(forwarded_for.split(",")[-_MOST_HOPS:]):
        address = _parsed(_without_port(entry.strip()))
        if address is None:
            return hop
        hop = address
        if not proxies.cover(hop):
            return hop
    return hop


def _without_port(entry: str) -> str:
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry


@lru_cache(maxsize=4096)
def _parsed(text: str) -> _Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


@lru_cache(maxsize=4096)
def _client(address: _Address | None) -> ClientAddress:
    if address is None:
        return ClientAddress(UNIX_PEER, UNIX_PEER)
    text = str(address)
    if isinstance(address, IPv4Address):
        return ClientAddress(text, text)
    return ClientAddress(text, str(ip_network((address, _IPV6_GROUP_BITS), strict=False)))
