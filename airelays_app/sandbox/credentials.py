"""The issuer's books: who logged in, which tokens are alive, which were used up."""

import hashlib
import secrets
import threading
import time
import uuid
from dataclasses import dataclass
from typing import Any

from airelays_app.sandbox import jwt
from airelays_app.sandbox.settings import Settings

CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann"
"""The Codex command line's public OAuth client id (seen 2026-11-22)."""

CLAIMS = "https://api.openai.com/auth"
"""The claim that holds account and plan (seen 2026-11-22)."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a token speaks for."""

    email: str
    plan: str
    account_id: str


@dataclass(slots=True)
class _Family:
    owner: Owner
    alive: bool = True


class TokenRefused(Exception):
    """A refresh token that buys nothing; ``args[0]`` is the OAuth error code."""


class TokenBook:
    """Issues and checks tokens; safe for many threads.

    A refresh token works once. Using it again kills every refresh token of that login (reuse
    detection).
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key = secrets.token_bytes(32)
        self._guard = threading.Lock()
        self._fresh: dict[str, _Family] = {}
        self._used: dict[str, _Family] = {}
        self._void_before = 0

    def login(self, owner: Owner) -> dict[str, str]:
        """Return a fresh credential set, the start of a new family of refresh tokens."""
        with self._guard:
            return self._issue(_Family(owner))

    def refresh(self, refresh_token: str) -> dict[str, str]:
        """Trade a refresh token in for a new credential set.

        Raises:
            TokenRefused: unknown, used or dead token.
        """
        with self._guard:
            if used := self._used.get(refresh_token):
                used.alive = False
                raise TokenRefused("refresh_token_reused")
            family = self._fresh.pop(refresh_token, None)
            if family is None or not family.alive:
                raise TokenRefused("refresh_token_invalidated")
            self._used[refresh_token] = family
            return self._issue(family)

    def bearer(self, token: str) -> Owner | str:
        """Return whose access token this is, or the error code that it deserves."""
        claims = jwt.verified(token, self._key)
        if not claims or "scp" not in claims:
            return "invalid_token"
        if claims["serial"] < self._void_before:
            return "token_invalidated"
        if claims["exp"] <= time.time():
            return "token_expired"
        named = claims[CLAIMS]
        email = claims["https://api.openai.com/profile"]["email"]
        return Owner(email, named["chatgpt_plan_type"], named["chatgpt_account_id"])

    def void_access_tokens(self) -> None:
        """Make every access token issued so far worthless, as a password change would."""
        with self._guard:
            self._void_before = time.monotonic_ns()

    def _issue(self, family: _Family) -> dict[str, str]:
        refresh_token = f"rt_{secrets.token_urlsafe(48)}"
        self._fresh[refresh_token] = family
        return {
            "id_token": jwt.signed(self._id_claims(family.owner), self._key),
            "access_token": jwt.signed(self._access_claims(family.owner), self._key),
            "refresh_token": refresh_token,
            "account_id": family.owner.account_id,
        }

    def _common(self, owner: Owner) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": "https://auth.openai.com",
            "sub": f"auth0|{owner.account_id[:8]}",
            "iat": now,
            "exp": now + self._settings.access_token_seconds,
            "jti": str(uuid.uuid4()),
            CLAIMS: {
                "chatgpt_account_id": owner.account_id,
                "chatgpt_plan_type": owner.plan,
                "chatgpt_user_id": f"user-{owner.account_id[:8]}",
            },
        }

    def _id_claims(self, owner: Owner) -> dict[str, Any]:
        return {
            **self._common(owner),
            "aud": [CLIENT_ID],
            "email": owner.email,
            "email_verified": True,
        }

    def _access_claims(self, owner: Owner) -> dict[str, Any]:
        return {
            **self._common(owner),
            "aud": ["https://api.openai.com/v1"],
            "client_id": CLIENT_ID,
            "scp": ["openid", "profile", "email", "offline_access"],
            "serial": time.monotonic_ns(),
            "https://api.openai.com/profile": {"email": owner.email, "email_verified": True},
        }


def account_id_of(email: str) -> str:
    """Return the account id that an address always gets."""
    return str(uuid.UUID(bytes=hashlib.sha256(email.lower().encode()).digest()[:16], version=4))
