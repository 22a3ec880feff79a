"""What a token says about itself.

The payload of a JWT is read without checking its signature: the token came from the issuer over
TLS or from the owner's own file, and nothing is granted because of what it says. Garbage reads
as a token that says nothing.
"""

import base64
import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airelays_app.providers.codex.constants import AUTH_CLAIM, PROFILE_CLAIM


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims we use; times are unix seconds, ``None`` is "not said"."""

    expires_at: float | None = None
    issued_at: float | None = None
    email: str | None = None
    account_id: str | None = None
    plan_type: str | None = None


def read_claims(token: str | None) -> Claims:
    """Return the claims of a JWT, all ``None`` if it is not one."""
    payload = _payload(token or "")
    auth = _mapping(payload.get(AUTH_CLAIM))
    profile = _mapping(payload.get(PROFILE_CLAIM))
    return Claims(
        expires_at=_moment(payload.get("exp")),
        issued_at=_moment(payload.get("iat")),
        email=_text(payload.get("email")) or _text(profile.get("email")),
        account_id=_text(auth.get("chatgpt_account_id")),
        plan_type=_text(auth.get("chatgpt_plan_type")),
    )


def _payload(token: str) -> Mapping[str, Any]:
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        raw = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return _mapping(json.loads(raw))
    except (ValueError, binascii.Error, RecursionError):
        return {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _moment(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        moment = float(value)
    except OverflowError:
        return None
    return moment if math.isfinite(moment) and moment > 0 else None
