"""JSON web tokens, HS256: enough for a throw-away issuer."""

import base64
import hashlib
import hmac
from typing import Any

from airelays_app.sandbox import wire_json

_HEADER = {"alg": "HS256", "typ": "JWT"}


def signed(claims: dict[str, Any], key: bytes) -> str:
    """Return ``claims`` as a compact token."""
    body = f"{_encoded(wire_json.dumps(_HEADER))}.{_encoded(wire_json.dumps(claims))}"
    return f"{body}.{_encoded(_tag(body, key))}"


def verified(token: str, key: bytes) -> dict[str, Any] | None:
    """Return the claims of a token signed with ``key``; None for any other string."""
    body, _, tag = token.rpartition(".")
    try:
        if not hmac.compare_digest(_decoded(tag), _tag(body, key)):
            return None
        claims = wire_json.loads(_decoded(body.partition(".")[2]))
    except ValueError:
        return None
    return claims if isinstance(claims, dict) else None


def _tag(body: str, key: bytes) -> bytes:
    return hmac.digest(key, body.encode("ascii", "replace"), hashlib.sha256)


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii", "replace") + b"==")
