"""Where a URL points: origin, authority and request target, parsed once per URL."""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from requests.utils import requote_uri

from airelays_app.errors import UpstreamUnreachable

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of one http(s) URL.

    ``host`` is without the brackets of an IPv6 address; ``origin`` is ``scheme://host:port``.
    """

    scheme: str
    host: str
    port: int
    origin: str
    host_header: str
    target: str

    @property
    def url(self) -> str:
        """Return the whole URL, as a forwarding proxy wants it."""
        return f"{self.scheme}://{self.host_header}{self.target}"


@lru_cache(maxsize=512)
def address_of(url: str) -> Address:
    """Return where ``url`` points. Raises UpstreamUnreachable if it is no usable http(s) URL."""
    try:
        parts = urlsplit(requote_uri(url))
        scheme, host = parts.scheme, parts.hostname
        port = parts.port or _DEFAULT_PORTS[scheme]
    except (ValueError, KeyError):
        raise UpstreamUnreachable("The upstream's address is not an http(s) URL.") from None
    if not host or not host.isascii():
        raise UpstreamUnreachable("The upstream's address has no usable host name.")
    if parts.username is not None:
        raise UpstreamUnreachable(
            f"The address of {host} holds a user name or password; put them into a header."
        )
    bracketed = f"[{host}]" if ":" in host else host
    default = port == _DEFAULT_PORTS[scheme]
    target = parts.path or "/"
    return Address(
        scheme=scheme,
        host=host,
        port=port,
        origin=f"{scheme}://{bracketed}:{port}",
        host_header=bracketed if default else f"{bracketed}:{port}",
        target=f"{target}?{parts.query}" if parts.query else target,
    )
