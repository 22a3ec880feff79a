"""The address under which clients reach the relay."""

import socket
from collections.abc import Callable
from contextlib import closing

from airelays_app.config import Settings
from airelays_app.config.exposure import is_loopback_host, is_wildcard_host

_DOCUMENTATION_ADDRESS = ("192.0.2.1", 9)


def lan_address() -> str | None:
    """Return this machine's address on its network, or None when it has no network.

    Asks the kernel which address it would send from; nothing is sent.
    """
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(_DOCUMENTATION_ADDRESS)
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if is_loopback_host(address) or is_wildcard_host(address) else address


def root_url(settings: Settings, *, lan: Callable[[], str | None] = lan_address) -> str:
    """Return the URL of the relay as clients see it, without a slash at its end.

    ``server.public_url`` if set; else the address it listens on, for which the machine's LAN
    address stands when that is every address.
    """
    if settings.server.public_url:
        return settings.server.public_url.rstrip("/")
    host = settings.server.host
    if is_wildcard_host(host):
        host = lan() or "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.server.port}"


def base_url(settings: Settings, *, lan: Callable[[], str | None] = lan_address) -> str:
    """Return the base URL that OpenAI clients want, with ``/v1``."""
    return f"{root_url(settings, lan=lan)}/v1"


def is_private_to_this_machine(settings: Settings) -> bool:
    """Return whether no other machine can reach the relay at :func:`root_url`."""
    return not settings.server.public_url and is_loopback_host(settings.server.host)
