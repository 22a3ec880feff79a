"""The dialect in which a request is answered, errors included: its path decides, mostly."""

from collections.abc import Mapping
from types import MappingProxyType

from flask import Request

from airelays_app.dialects import DIALECTS
from airelays_app.dialects.base import Dialect

_BY_PREFIX: Mapping[str, str] = MappingProxyType(
    {"/v1/messages": "messages", "/no-tools/v1/messages": "messages", "/v1beta": "gemini"}
)
_SHARED_PREFIXES = ("/v1/models", "/no-tools/v1/models")
"""Clients of several dialects ask here; each says by a header which one it speaks."""

_BY_HEADER: Mapping[str, str] = MappingProxyType(
    {"anthropic-version": "messages", "x-goog-api-key": "gemini"}
)


def answering_dialect(request: Request) -> Dialect:
    """Return the dialect for the answer to ``request``, that of OpenAI unless it says otherwise."""
    for prefix, name in _BY_PREFIX.items():
        if _is_under(request.path, prefix):
            return DIALECTS[name]
    if any(_is_under(request.path, prefix) for prefix in _SHARED_PREFIXES):
        return DIALECTS[_of_shared(request)]
    return DIALECTS["responses"]


def _of_shared(request: Request) -> str:
    """Only Gemini clients post to a model, and they alone may have their key in the query."""
    for header, name in _BY_HEADER.items():
        if header in request.headers:
            return name
    posts = request.method == "POST" and ":" in request.path
    return "gemini" if posts or "key" in request.args else "responses"


def _is_under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")
