"""The issuer's protocol: PKCE, authorization code, device code, renewal, revocation.

Plain functions over an injected :class:`Poster`, so that they work with any HTTP client and know
neither sockets nor settings. Source of the protocol: AIRelays 0.22.0 sources and openai/codex,
seen 2026-11-22.
"""

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode

from airelays_app.errors import UpstreamError
from airelays_app.providers.codex import constants
from airelays_app.providers.codex.constants import Issuer

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_DEVICE_INTERVAL_SECONDS: Final = 5.0
_DEVICE_INTERVAL_MAX_SECONDS: Final = 60.0
_DEVICE_PENDING: Final = frozenset({403, 404})
_REFUSALS: Final = frozenset({400, 401})
_TOKEN_NAMES: Final = ("id_token", "access_token", "refresh_token")

DEAD_TOKEN_CODES: Final = frozenset(
    {
        "invalid_grant",
        "refresh_token_expired",
        "refresh_token_reused",
        "refresh_token_invalidated",
    }
)
"""Codes that end a login whatever the status (codex-rs/login/src/auth/manager.rs)."""


@dataclass(frozen=True, slots=True)
class IssuerAnswer:
    """What the issuer answered, unparsed, so that it can be saved before anyone looks at it."""

    status: int
    raw: bytes

    def document(self) -> Mapping[str, Any] | None:
        """Return the JSON object in the body, ``None`` if there is none."""
        try:
            parsed = json.loads(self.raw)
        except (ValueError, RecursionError):
            return None
        return parsed if isinstance(parsed, dict) else None


class Poster(Protocol):
    """Sends one POST with either a form or a JSON body; never follows a redirect.

    Any status is an answer. Raises a subclass of :class:`airelays_app.errors.UpstreamError` if
    there is none: ``UpstreamUnreachable`` only if the request certainly was not sent.
    """

    def __call__(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> IssuerAnswer:
        """Return the answer, read to its end."""


class IssuerRefusedError(UpstreamError):
    """The issuer has said no for good; asking again with the same credential is pointless."""

    def __init__(self, reason: str, *, status: int) -> None:
        super().__init__(f"The login issuer refused ({reason}, status {status})", code=reason)
        self.reason = reason


class IssuerTroubleError(UpstreamError):
    """The issuer could not answer just now: overloaded, out of order or not the issuer at all."""

    def __init__(self, status: int) -> None:
        super().__init__(f"The login issuer is out of order (status {status}); try again later")


class DeviceLoginDisabledError(UpstreamError):
    """The issuer has no device login for this client or workspace."""

    def __init__(self) -> None:
        super().__init__("Device login is not enabled at the issuer; log in with a browser")


@dataclass(frozen=True, slots=True)
class Pkce:
    """A proof key (RFC 7636): ``verifier`` stays here, ``challenge`` travels."""

    verifier: str
    challenge: str


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What the owner types at ``page`` (``user_code``), and how often to ask, in seconds."""

    device_id: str
    user_code: str
    page: str
    interval: float


@dataclass(frozen=True, slots=True)
class DeviceGrant:
    """What a device login yields once approved; exchanged like any authorization code."""

    code: str
    verifier: str


def fresh_state() -> str:
    """Return a new unguessable ``state``: 32 random bytes in 43 characters."""
    return secrets.token_urlsafe(32)


def fresh_pkce() -> Pkce:
    """Return a new proof key with the S256 method."""
    verifier = secrets.token_urlsafe(32)
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return Pkce(verifier, base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"))


def authorize_url(
    issuer: Issuer, *, redirect_uri: str, pkce: Pkce, state: str, workspace_id: str | None = None
) -> str:
    """Return the address that the owner opens in a browser; spaces are ``%20``."""
    query = {
        "response_type": "code",
        "client_id": issuer.client_id,
        "redirect_uri": redirect_uri,
        "scope": constants.LOGIN_SCOPE,
        "code_challenge": pkce.challenge,
        "code_challenge_method": "S256",
        "id_token_add_organizations": "true",
        "codex_cli_simplified_flow": "true",
        "state": state,
        "originator": issuer.originator,
    }
    if workspace_id:
        query["allowed_workspace_id"] = workspace_id
    return f"{issuer.url(constants.AUTHORIZE_PATH)}?{urlencode(query, quote_via=quote)}"


def exchange_code(
    issuer: Issuer, post: Poster, *, code: str, redirect_uri: str, verifier: str
) -> dict[str, str]:
    """Return ``id_token``, ``access_token`` and ``refresh_token`` for an authorization code.

    Raises :class:`IssuerRefusedError`, :class:`IssuerTroubleError` or what ``post`` raises.
    """
    answer = post(
        issuer.url(constants.TOKEN_PATH),
        form={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": issuer.client_id,
            "code_verifier": verifier,
        },
    )
    tokens = read_tokens(answer)
    if len(tokens) < len(_TOKEN_NAMES):
        raise IssuerRefusedError("incomplete_answer", status=answer.status)
    return tokens


def start_device_login(issuer: Issuer, post: Poster) -> DeviceCode:
    """Ask for a device code; raise :class:`DeviceLoginDisabledError` if there is no such login."""
    answer = post(issuer.url(constants.DEVICE_CODE_PATH), json={"client_id": issuer.client_id})
    if answer.status == 404:
        raise DeviceLoginDisabledError
    document = _accepted(answer)
    device_id = document.get("device_auth_id")
    user_code = document.get("user_code") or document.get("usercode")
    if not isinstance(device_id, str) or not isinstance(user_code, str):
        raise IssuerTroubleError(answer.status)
    page = issuer.url(constants.DEVICE_PAGE_PATH)
    return DeviceCode(device_id, user_code, page, _interval(document.get("interval")))


def poll_device_login(issuer: Issuer, post: Poster, device: DeviceCode) -> DeviceGrant | None:
    """Return the grant once the owner has approved, ``None`` while that is pending."""
    answer = post(
        issuer.url(constants.DEVICE_POLL_PATH),
        json={"device_auth_id": device.device_id, "user_code": device.user_code},
    )
    if answer.status in _DEVICE_PENDING:
        return None
    document = _accepted(answer, refusals=range(400, 429))
    code, verifier = document.get("authorization_code"), document.get("code_verifier")
    if not isinstance(code, str) or not isinstance(verifier, str):
        raise IssuerTroubleError(answer.status)
    return DeviceGrant(code, verifier)


def renewal_request(issuer: Issuer, refresh_token: str) -> tuple[str, dict[str, str]]:
    """Return where a refresh token is sent and the JSON body; see :func:`read_tokens`."""
    form = {
        "client_id": issuer.client_id,
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "scope": constants.REFRESH_SCOPE,
    }
    return issuer.url(constants.TOKEN_PATH), form


def read_tokens(answer: IssuerAnswer) -> dict[str, str]:
    """Return the tokens in an answer of the token endpoint; at least one of the three.

    Raises :class:`IssuerRefusedError` if asking again is pointless: a code of
    ``DEAD_TOKEN_CODES``, or 400 or 401 with a JSON object. Everything else that is not a token
    answer, a page of some proxy included, is :class:`IssuerTroubleError`.
    """
    document = _accepted(answer)
    tokens = {name: document[name] for name in _TOKEN_NAMES if _is_token(document.get(name))}
    if not tokens:
        raise IssuerTroubleError(answer.status)
    return tokens


def revoke(issuer: Issuer, post: Poster, refresh_token: str) -> bool:
    """Ask the issuer to forget a login; say whether it agreed. Never raises for its answer."""
    answer = post(
        issuer.url(constants.REVOKE_PATH),
        json={
            "token": refresh_token,
            "token_type_hint": "refresh_token",
            "client_id": issuer.client_id,
        },
    )
    return 200 <= answer.status < 300


def _accepted(
    answer: IssuerAnswer, *, refusals: frozenset[int] | range = _REFUSALS
) -> Mapping[str, Any]:
    document = answer.document()
    if answer.status == 200 and document is not None:
        return document
    code = _error_code(document or {})
    if document is not None and (code in DEAD_TOKEN_CODES or answer.status in refusals):
        raise IssuerRefusedError(code or "refused", status=answer.status)
    raise IssuerTroubleError(answer.status)


def _error_code(document: Mapping[str, Any]) -> str | None:
    """Return the code in any of the three places where issuers of this family put it."""
    error = document.get("error")
    nested = error.get("code") if isinstance(error, dict) else error
    for candidate in (nested, document.get("code")):
        if isinstance(candidate, str) and _CODE.fullmatch(candidate):
            return candidate
    return None


def _interval(value: object) -> float:
    try:
        seconds = float(value) if isinstance(value, str | int | float) else 0.0
    except (ValueError, OverflowError):
        seconds = 0.0
    if not 0 < seconds <= _DEVICE_INTERVAL_MAX_SECONDS:
        return _DEVICE_INTERVAL_SECONDS
    return seconds


def _is_token(value: object) -> bool:
    return isinstance(value, str) and bool(value)
