"""Which address a request comes from, and under which one its limits are counted.

``X-Forwarded-For`` is believed only from a listed proxy, and only from the right: the entry
that the outermost listed proxy appended is the client; whatever stands left of it the client
may have invented.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

from airelays_app.store.address_groups import UNIX_PEER, Address, group_of, parsed_address

_MOST_HOPS = 32

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

    def cover(self, address: Address | None) -> bool:
        """Return whether a peer, None for one on a UNIX socket, is a listed proxy."""
        if address is None:
            return self.unix
        return any(address in network for network in self.networks)


def client_address(
    peer: str | None, forwarded_for: str | None, proxies: TrustedProxies
) -> ClientAddress:
    """Return the client's address from the socket's peer and the header, if there is one."""
    hop = parsed_address(peer or "")
    if forwarded_for and proxies.cover(hop):
        hop = _client_behind(hop, forwarded_for, proxies)
    return _client(hop)


def is_this_machine(peer: str | None) -> bool:
    """Return whether the socket's peer is on this machine: a loopback address or a UNIX socket."""
    hop = parsed_address(peer or "")
    return hop is None or hop.is_loopback


def _client_behind(
    hop: Address | None, forwarded_for: str, proxies: TrustedProxies
) -> Address | None:
    """Walk from the nearest hop outwards; stop at the first unlisted or unreadable one."""
    for entry in reversed(forwarded_for.split(",")[-_MOST_HOPS:]):
        address = parsed_address(_without_port(entry.strip()))
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
def _client(address: Address | None) -> ClientAddress:
    text = UNIX_PEER if address is None else str(address)
    return ClientAddress(text, group_of(address))
