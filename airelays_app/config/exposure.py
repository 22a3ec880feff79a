"""Whether the relay would be open to people other than those on this machine."""

import ipaddress
from collections.abc import Iterable

from airelays_app.config.settings import Settings


def is_loopback_host(host: str) -> bool:
    """Return whether ``host``, an address or a name to listen on, is this machine only."""
    name = host.strip("[]").lower().rstrip(".")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def is_wildcard_host(host: str) -> bool:
    """Return whether ``host`` stands for every address of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def open_relay_problem(settings: Settings, *, hosts: Iterable[str] | None = None) -> str | None:
    """Return why the server must not start as an open relay, or None if it may.

    ``hosts`` are the addresses that it really listens on, where those are known; otherwise
    ``server.host`` counts.
    """
    security = settings.security
    if security.require_bearer_auth or security.allow_open_relay:
        return None
    listening = (settings.server.host,) if hosts is None else hosts
    exposed = [host for host in listening if not is_loopback_host(host)]
    if not exposed:
        return None
    return (
        f"Without relay tokens the server may listen on loopback only, not on {exposed[0]}: "
        "anybody who reaches it could use your subscription. Turn tokens on, listen on "
        "127.0.0.1, or give --i-understand-open-relay."
    )
