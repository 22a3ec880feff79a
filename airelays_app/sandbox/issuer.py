"""The OAuth issuer: authorize with PKCE, token exchange, rotating refresh, device login.

Parameters and answers as the reference relay and Codex's public client use them (seen 2026-11-22).
"""

import base64
import hashlib
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from airelays_app.sandbox.credentials import (
    CLIENT_ID,
    Owner,
    TokenBook,
    TokenRefused,
    account_id_of,
)
from airelays_app.sandbox.exchange import Answer, json_answer
from airelays_app.sandbox.faults import fault
from airelays_app.sandbox.routing import Route, Visit
from airelays_app.sandbox.settings import Settings

DEVICE_REDIRECT_PATH = "/deviceauth/callback"

_CODE_SECONDS = 600.0
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)
_WANTED = {
    "response_type": "code",
    "client_id": CLIENT_ID,
    "code_challenge_method": "S256",
    "id_token_add_organizations": "true",
    "codex_cli_simplified_flow": "true",
}


@dataclass(frozen=True, slots=True)
class _Code:
    owner: Owner
    redirect_uri: str
    challenge: str
    expires_at: float


class AuthorizationCodes:
    """Codes that were handed out and not yet used; each works once, for ten minutes."""

    def __init__(self) -> None:
        self._codes: dict[str, _Code] = {}
        self._guard = threading.Lock()

    def issue(self, owner: Owner, *, redirect_uri: str, challenge: str) -> str:
        """Return a fresh code for ``owner``."""
        code = f"ac_{secrets.token_urlsafe(32)}"
        with self._guard:
            self._codes[code] = _Code(
                owner, redirect_uri, challenge, time.monotonic() + _CODE_SECONDS
            )
        return code

    def redeem(self, code: str, *, redirect_uri: str, verifier: str) -> Owner | None:
        """Return whose code this is and use it up; None if anything about it is wrong."""
        with self._guard:
            known = self._codes.pop(code, None)
        if known is None or known.expires_at < time.monotonic():
            return None
        if redirect_uri != known.redirect_uri or challenge_of(verifier) != known.challenge:
            return None
        return known.owner


class Issuer:
    """The issuer's routes (the device login's are in ``device``)."""

    def __init__(self, settings: Settings, book: TokenBook, codes: AuthorizationCodes) -> None:
        self._settings = settings
        self._book = book
        self._codes = codes

    def routes(self) -> dict[tuple[str, str], Route]:
        """Return the issuer's routes by method and path."""
        return {
            ("GET", "/oauth/authorize"): Route("issuer", self._authorize),
            ("POST", "/oauth/token"): Route("issuer", self._token),
        }

    def _authorize(self, visit: Visit) -> Answer:
        query = visit.request.query
        if wrong := _wrong_parameter(query):
            return _page(400, f"This login link is broken: {wrong} is missing or wrong.")
        if "access_denied" in visit.plan.marks:
            denial = {"error": "access_denied", "error_description": "The owner said no."}
            return _sent_back(query, denial)
        owner = owner_from(self._settings, query.get("allowed_workspace_id"))
        code = self._codes.issue(
            owner, redirect_uri=query["redirect_uri"], challenge=query["code_challenge"]
        )
        state = "forged" if "wrong_state" in visit.plan.marks else query["state"]
        return _sent_back({**query, "state": state}, {"code": code, "scope": query["scope"]})

    def _token(self, visit: Visit) -> Answer:
        fields = _fields(visit)
        if fields.get("client_id") != CLIENT_ID:
            return fault("Unknown client.", "client_id", "invalid_client", status=401)
        grants: dict[str, Callable[[dict[str, str]], Answer]] = {
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh_token,
        }
        grant = grants.get(fields.get("grant_type", ""))
        if grant is None:
            return fault("Unknown grant type.", "grant_type", "unsupported_grant_type")
        return grant(fields)

    def _by_code(self, fields: dict[str, str]) -> Answer:
        owner = self._codes.redeem(
            fields.get("code", ""),
            redirect_uri=fields.get("redirect_uri", ""),
            verifier=fields.get("code_verifier", ""),
        )
        if owner is None:
            return fault("The authorization code is not valid.", "code", "invalid_grant")
        return self._tokens(self._book.login(owner))

    def _by_refresh_token(self, fields: dict[str, str]) -> Answer:
        try:
            return self._tokens(self._book.refresh(fields.get("refresh_token", "")))
        except TokenRefused as refused:
            message = "Your refresh token can no longer be used. Please sign in again."
            return fault(message, None, str(refused), status=401)

    def _tokens(self, issued: dict[str, str]) -> Answer:
        tokens = {name: issued[name] for name in ("id_token", "access_token", "refresh_token")}
        lifetime = self._settings.access_token_seconds
        return json_answer(
            200,
            {
                **tokens,
                "token_type": "Bearer",
                "expires_in": lifetime,
                "scope": "openid profile email offline_access",
            },
        )


def owner_from(settings: Settings, workspace: str | None = None) -> Owner:
    """Return who logs in now; a workspace is an account of its own."""
    account_id = workspace or account_id_of(settings.email)
    return Owner(settings.email, settings.plan, account_id)


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier."""
    digest = hashlib.sha256(verifier.encode("ascii", "replace")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _wrong_parameter(query: dict[str, str]) -> str | None:
    for name, wanted in _WANTED.items():
        if query.get(name) != wanted:
            return name
    scopes = query.get("scope", "").split()
    checks = {
        "redirect_uri": _is_callback(query.get("redirect_uri", "")),
        "scope": {"openid", "offline_access"} <= set(scopes),
        "code_challenge": bool(_VERIFIER.fullmatch(query.get("code_challenge", ""))),
        "state": bool(query.get("state")),
        "originator": bool(query.get("originator")),
    }
    return next((name for name, right in checks.items() if not right), None)


def _is_callback(uri: str) -> bool:
    parts = urlsplit(uri)
    return (
        parts.scheme == "http" and parts.hostname == "localhost" and parts.path == "/auth/callback"
    )


def _fields(visit: Visit) -> dict[str, str]:
    if isinstance(visit.request.json, dict):
        given: dict[str, Any] = visit.request.json
        return {name: value for name, value in given.items() if isinstance(value, str)}
    return dict(parse_qsl(visit.request.body.decode("utf-8", "replace")))


def _sent_back(query: dict[str, str], answer: dict[str, str]) -> Answer:
    target = f"{query['redirect_uri']}?{urlencode({**answer, 'state': query['state']})}"
    return Answer(302, b"", headers=(("location", target),))


def _page(status: int, text: str) -> Answer:
    return Answer(status, f"<!doctype html><p>{text}</p>".encode(), "text/html; charset=utf-8")
