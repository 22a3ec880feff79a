"""Checks on the form of a setting's value.

Each raises :class:`ValueError` with a message that continues "upstream.base_url ...".
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import SplitResult, urlsplit

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\.?", re.ASCII)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_TOKEN = re.compile(r"[\x21-\x7e]{16,4096}", re.ASCII)
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?# ]+", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_PROXY_SCHEMES = frozenset({"http", "https"})


def host(value: str) -> None:
    """An address or host name to listen on."""
    if not _is_address(value) and not _HOST.fullmatch(value):
        raise ValueError("must be an address or a host name, such as 127.0.0.1, 0.0.0.0 or ::")


def url(value: str) -> None:
    """A base URL with scheme and host, without query or fragment."""
    parts = _split(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a URL that begins with http:// or https:// and names a host")
    if parts.username is not None:
        raise ValueError("must not hold a user name or a password: set them as a header instead")
    if parts.query or parts.fragment:
        raise ValueError("must be a base URL, without ? or #")


def optional_url(value: str) -> None:
    """A base URL, or nothing."""
    if value:
        url(value)


def proxy(value: str) -> None:
    """A proxy as a URL or as ``host:port``, or nothing."""
    if not value:
        return
    parts = _split(value if "://" in value else f"http://{value}")
    if parts.scheme not in _PROXY_SCHEMES:
        raise ValueError("must be an http:// or https:// proxy (SOCKS proxies are not supported)")
    if not parts.hostname:
        raise ValueError("must name the proxy's host, such as http://proxy.example:3128")


def token(value: str) -> None:
    """A relay token that the owner chose; nothing means there is none."""
    if value and not _TOKEN.fullmatch(value):
        raise ValueError("must be 16 to 4096 printable ASCII characters without spaces")


def not_blank(value: str) -> None:
    """A text with something in it."""
    if not value.strip():
        raise ValueError("must not be empty")


def header_text(value: str) -> None:
    """A text that can stand in an HTTP header, or nothing."""
    if not (value.isascii() and value == value.strip()):
        raise ValueError("must be ASCII text without spaces around it")


def header_texts(value: Iterable[str]) -> None:
    """Texts that can each stand in an HTTP header."""
    for text in value:
        header_text(text)


def headers(value: Mapping[str, str]) -> None:
    """A table of HTTP header names and values."""
    for name, content in value.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"has {name!r}, which is not a header name")
        header_text(content)


def peers(value: Iterable[str]) -> None:
    """Addresses, networks in CIDR form, or ``unix`` for whoever is on a UNIX socket."""
    _each(value, _peer, "address or network")


def host_names(value: Iterable[str]) -> None:
    """Host names or addresses, without port; ``*.example`` stands for every name below it."""
    _each(value, _host_pattern, "host name or address")


def origins(value: Iterable[str]) -> None:
    """Origins such as ``https://app.example`` or ``tauri://localhost``, or ``*`` for any."""
    _each(value, _origin, "origin such as https://app.example")


def variable(value: str) -> None:
    """The name of an environment variable, or nothing."""
    if value and not _VARIABLE.fullmatch(value):
        raise ValueError("must be the name of an environment variable, such as BOX_API_KEY")


def one_of(*options: str) -> Callable[[str], None]:
    """Return a check for one of ``options``."""

    def check(value: str) -> None:
        if value not in options:
            raise ValueError("must be one of " + ", ".join(options))

    return check


def some_of(*options: str) -> Callable[[Iterable[str]], None]:
    """Return a check for a list of ``options``."""
    each = one_of(*options)

    def check(value: Iterable[str]) -> None:
        for item in value:
            each(item)

    return check


def _each(values: Iterable[str], check: Callable[[str], bool], what: str) -> None:
    for value in values:
        if not check(value):
            raise ValueError(f"has {value!r}, which is no {what}")


def _peer(value: str) -> bool:
    if value == "unix":
        return True
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return True


def _host_pattern(value: str) -> bool:
    return _is_address(value) or bool(_HOST.fullmatch(value.removeprefix("*.")))


def _origin(value: str) -> bool:
    return value == "*" or bool(_ORIGIN.fullmatch(value))


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _split(value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - reading it is what refuses a bad port
    except ValueError:
        raise ValueError("is not a URL") from None
    return parts
