"""Cross-origin answers: web clients may call the relay from their own pages.

The relay never answers with ``Access-Control-Allow-Credentials``: what authorises a request is
a token that the page itself sends, never one that a browser adds.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response

from airelays_app.web.replies import empty_response

ANY_ORIGIN = "*"
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_MAX_AGE_SECONDS = "7200"
_EXPOSED = ("x-request-id", "request-id", "retry-after", "x-should-retry", "content-disposition")
_EXPOSED_PREFIXES = ("x-airelays-", "x-ratelimit-", "anthropic-ratelimit-")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}", re.ASCII)
_MOST_HEADER_NAMES = 128


@dataclass(frozen=True, slots=True)
class CorsRules:
    """The origins (lower-case) whose pages may read answers; ``*`` is any."""

    origins: frozenset[str]

    def preflight(self, environ: Mapping[str, Any]) -> Response:
        """Return the answer to a preflight; :meth:`annotate` adds the origin as to any other."""
        response = empty_response()
        if self._allowed(environ.get("HTTP_ORIGIN")) is None:
            return response
        headers = response.headers
        headers["Access-Control-Allow-Methods"] = _METHODS
        requested = _header_names(environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", ""))
        if requested:
            headers["Access-Control-Allow-Headers"] = requested
        headers["Access-Control-Max-Age"] = _MAX_AGE_SECONDS
        if environ.get("HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK", "").lower() == "true":
            headers["Access-Control-Allow-Private-Network"] = "true"
        return response

    def annotate(self, response: Response, origin: str | None) -> None:
        """Add to any answer, errors and streams included, which pages may read it."""
        if not self.origins:
            return
        if ANY_ORIGIN not in self.origins:
            response.vary.add("Origin")
        allowed = self._allowed(origin)
        if allowed is not None:
            response.headers["Access-Control-Allow-Origin"] = allowed
            response.headers["Access-Control-Expose-Headers"] = _exposed(response)

    def _allowed(self, origin: str | None) -> str | None:
        if ANY_ORIGIN in self.origins:
            return ANY_ORIGIN
        return origin if origin is not None and origin.lower() in self.origins else None


def is_preflight(environ: Mapping[str, Any]) -> bool:
    """Return whether a browser asks what a page may send (Fetch standard, CORS-preflight)."""
    return (
        environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
    )


def _header_names(requested: str) -> str:
    """Return the requested header names that are ones, at most 128 of them."""
    names = (name.strip() for name in requested.split(",", _MOST_HEADER_NAMES))
    return ", ".join([name for name in names if _HEADER_NAME.fullmatch(name)][:_MOST_HEADER_NAMES])


def _exposed(response: Response) -> str:
    ours = [
        name.lower() for name, _ in response.headers if name.lower().startswith(_EXPOSED_PREFIXES)
    ]
    return ", ".join(dict.fromkeys((*_EXPOSED, *ours)))
