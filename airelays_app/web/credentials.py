"""Where a request may carry its credential, and how to keep that place out of logs."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

_MOST_OFFERED = 8
_LONGEST_OFFERED = 4096
_HEADERS = ("HTTP_X_API_KEY", "HTTP_X_GOOG_API_KEY")
_QUERY_NAME = "key"
_SECRET_QUERY_NAMES = {"key", "api_key", "api-key", "apikey", "token", "access_token"}
_REDACTED = "REDACTED"
_PAIR = re.compile(r"[^&;]+")


def offered_credentials(environ: Mapping[str, Any]) -> tuple[bytes, ...]:
    """Return every credential the WSGI request offers, as bytes, each once.

    They come from ``Authorization: Bearer`` (the scheme in any case), ``x-api-key``,
    ``x-goog-api-key`` and ``?key=``. Empty ones are left out; the body is not touched.
    """
    offered = [_bearer(environ.get("HTTP_AUTHORIZATION", ""))]
    offered += [_field(environ.get(name, "")) for name in _HEADERS]
    offered += _in_query(environ.get("QUERY_STRING", ""))
    return tuple(dict.fromkeys(found[:_LONGEST_OFFERED] for found in offered if found))


def scrub_query(query: str) -> str:
    """Return a query string, or a whole URL, with the values of credential parameters replaced."""
    head, mark, pairs = query.rpartition("?")
    return head + mark + _PAIR.sub(_scrubbed_pair, pairs)


def _bearer(value: str) -> bytes:
    scheme, _, token = value.strip().partition(" ")
    return _field(token) if scheme.lower() == "bearer" else b""


def _field(value: str) -> bytes:
    """Return the bytes of a header field: WSGI hands them over as Latin-1."""
    return value.strip().encode("latin-1", "replace")


def _in_query(query: str) -> list[bytes]:
    if _QUERY_NAME not in unquote(query):
        return []
    pairs = (pair.partition("=") for pair in query.split("&"))
    values = [value for name, _, value in pairs if unquote(name) == _QUERY_NAME]
    return [unquote_to_bytes(value.replace("+", " ")) for value in values[:_MOST_OFFERED]]


def _scrubbed_pair(pair: re.Match[str]) -> str:
    name, equals, _ = pair[0].partition("=")
    if equals and unquote(name).strip().lower() in _SECRET_QUERY_NAMES:
        return f"{name}={_REDACTED}"
    return pair[0]
