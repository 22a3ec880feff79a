"""Host and Origin: what keeps a web page away from a relay that requires no token.

A page can point its own name at this machine (DNS rebinding) or send requests here with the
visitor's browser. Browsers always say which: in ``Host`` and ``Origin``, which a page cannot
choose, and to a secure or loopback address in ``Sec-Fetch-Site``.
"""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from airelays_app.errors import Forbidden
from airelays_app.web.address import is_this_machine

_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>\d*))?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_FOREIGN_SITES = {"cross-site", "same-site"}


def require_own_host(host: str | None, *, allowed: frozenset[str]) -> None:
    """Raise Forbidden unless ``Host`` is loopback, an IP literal or one of the ``allowed`` names.

    ``allowed`` holds lower-case names without a trailing dot; ``*.example`` is every name below
    it. A missing or doubled header is not one of them.
    """
    match = _HOST.fullmatch(host or "")
    if match is None or not _is_own(match, allowed):
        raise Forbidden(
            "This relay requires no token, so it answers only to its address, localhost and the "
            "names in security.allowed_hosts.",
            code="host_not_allowed",
        )


def require_own_machine(environ: Mapping[str, Any]) -> None:
    """Raise Forbidden for a connection from another machine.

    ``airelays serve`` does not listen for those; another WSGI server listens where it is told to.
    """
    if not is_this_machine(environ.get("REMOTE_ADDR")):
        raise Forbidden(
            "This relay requires no token, so it answers this machine only; turn tokens on, or "
            "set security.allow_open_relay to open it to everybody.",
            code="client_not_on_this_machine",
        )


def require_own_origin(environ: Mapping[str, Any], *, allowed: frozenset[str]) -> None:
    """Raise Forbidden for a request of a page of another origin that is not in ``allowed``."""
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None and origin.lower() not in allowed and comes_from_page(environ):
        raise Forbidden(
            "This relay does not answer web pages of this origin here; name it in "
            "security.cors_origins to allow it.",
            code="origin_not_allowed",
        )


def require_own_site(environ: Mapping[str, Any]) -> None:
    """Raise Forbidden for a request that a page of another site makes without an Origin."""
    if "HTTP_ORIGIN" not in environ and comes_from_page(environ):
        raise Forbidden(
            "This relay requires no token, so it answers no web page of another site.",
            code="origin_not_allowed",
        )


def comes_from_page(environ: Mapping[str, Any]) -> bool:
    """Return whether a browser says that a page of another origin sent the request."""
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None:
        return not _is_same_origin(origin, environ.get("HTTP_HOST", ""))
    return environ.get("HTTP_SEC_FETCH_SITE", "").lower() in _FOREIGN_SITES


def _is_own(match: re.Match[str], allowed: frozenset[str]) -> bool:
    if match["v6"] is not None:
        return _is_literal(IPv6Address, match["v6"])
    name = match["name"].lower().removesuffix(".")
    return (
        name == "localhost"
        or name.endswith(".localhost")
        or _is_listed(name, allowed)
        or _is_literal(IPv4Address, name)
    )


def _is_listed(name: str, allowed: frozenset[str]) -> bool:
    labels = name.split(".")
    above = (".".join(labels[start:]) for start in range(1, len(labels)))
    return name in allowed or any(f"*.{domain}" in allowed for domain in above)


def _is_literal(kind: type[IPv4Address] | type[IPv6Address], text: str) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True


def _is_same_origin(origin: str, host: str) -> bool:
    """Compare by name and port; behind a proxy that ends TLS the scheme says nothing."""
    scheme, separator, authority = origin.lower().partition("://")
    port = _DEFAULT_PORTS.get(scheme)
    if not separator or port is None:
        return False
    return _place(authority, port) == _place(host.lower(), port) is not None


def _place(authority: str, default_port: str) -> tuple[str, str] | None:
    match = _HOST.fullmatch(authority)
    if match is None:
        return None
    return match["v6"] or match["name"].removesuffix("."), match["port"] or default_port
