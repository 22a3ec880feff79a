"""The issuer's device login: a code to type in elsewhere, polled until somebody approves it."""

import secrets
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from airelays_app.sandbox.credentials import CLIENT_ID, Owner
from airelays_app.sandbox.exchange import Answer, json_answer
from airelays_app.sandbox.faults import fault
from airelays_app.sandbox.issuer import (
    DEVICE_REDIRECT_PATH,
    AuthorizationCodes,
    challenge_of,
    owner_from,
)
from airelays_app.sandbox.routing import Route, Visit
from airelays_app.sandbox.settings import Settings

_LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"
_CODE_SECONDS = 900


@dataclass(slots=True)
class _Pending:
    user_code: str
    device_auth_id: str = field(default_factory=lambda: f"deviceauth_{secrets.token_hex(16)}")
    expires_at: float = field(default_factory=lambda: time.monotonic() + _CODE_SECONDS)
    polls: int = 0
    owner: Owner | None = None
    denied: bool = False


class DeviceLogin:
    """The device login's routes, and the owner's two answers: ``approve`` and ``deny``."""

    def __init__(self, settings: Settings, codes: AuthorizationCodes, issuer_url: str) -> None:
        self._settings = settings
        self._codes = codes
        self._issuer_url = issuer_url
        self._pending: dict[str, _Pending] = {}
        self._guard = threading.Lock()

    def routes(self) -> dict[tuple[str, str], Route]:
        """Return the device login's routes by method and path."""
        base = "/api/accounts/deviceauth"
        return {
            ("POST", f"{base}/usercode"): Route("issuer", self._begin),
            ("POST", f"{base}/token"): Route("issuer", self._poll),
            ("GET", "/codex/device"): Route("issuer", _form),
            ("POST", "/codex/device"): Route("issuer", self._typed_in),
        }

    def approve(self, user_code: str) -> None:
        """Approve a device code for whoever logs in now.

        Raises:
            KeyError: no such code is pending.
        """
        with self._guard:
            self._named(user_code).owner = owner_from(self._settings)

    def deny(self, user_code: str) -> None:
        """Refuse a device code.

        Raises:
            KeyError: no such code is pending.
        """
        with self._guard:
            self._named(user_code).denied = True

    def _begin(self, visit: Visit) -> Answer:
        if "device_not_enabled" in visit.plan.marks:
            return json_answer(404, {"detail": "Not Found"})
        if visit.body.get("client_id") != CLIENT_ID:
            return fault("Unknown client.", "client_id", "invalid_client", status=401)
        letters = [secrets.choice(_LETTERS) for _ in range(9)]
        pending = _Pending(f"{''.join(letters[:4])}-{''.join(letters[4:])}")
        with self._guard:
            self._pending[pending.device_auth_id] = pending
        return json_answer(
            200,
            {
                "device_auth_id": pending.device_auth_id,
                "user_code": pending.user_code,
                "interval": str(self._settings.device_interval_seconds),
                "expires_in": _CODE_SECONDS,
            },
        )

    def _poll(self, visit: Visit) -> Answer:
        with self._guard:
            pending = self._pending.get(str(visit.body.get("device_auth_id")))
            if pending is None or pending.user_code != visit.body.get("user_code"):
                return fault("Unknown device code.", None, "invalid_device_code")
            if pending.denied or pending.expires_at < time.monotonic():
                return fault("The login was refused.", None, "access_denied")
            pending.polls += 1
            if pending.polls == self._settings.auto_approve_polls:
                pending.owner = owner_from(self._settings)
            if pending.owner is None:
                waiting = "deviceauth_authorization_pending"
                return fault("Nobody has approved this code yet.", None, waiting, status=403)
            del self._pending[pending.device_auth_id]
        return self._approved(pending.owner)

    def _approved(self, owner: Owner) -> Answer:
        verifier = secrets.token_urlsafe(48)
        challenge = challenge_of(verifier)
        redirect_uri = self._issuer_url + DEVICE_REDIRECT_PATH
        code = self._codes.issue(owner, redirect_uri=redirect_uri, challenge=challenge)
        return json_answer(
            200,
            {
                "authorization_code": code,
                "code_challenge": challenge,
                "code_verifier": verifier,
            },
        )

    def _typed_in(self, visit: Visit) -> Answer:
        typed = dict(parse_qsl(visit.request.body.decode("utf-8", "replace")))
        try:
            self.approve(typed.get("user_code", "").strip().upper())
        except KeyError:
            return _page(404, "<p>There is no such code.</p>")
        return _page(200, "<p>You are signed in. You can close this page.</p>")

    def _named(self, user_code: str) -> _Pending:
        for pending in self._pending.values():
            if pending.user_code == user_code:
                return pending
        raise KeyError(user_code)


def _form(_: Visit) -> Answer:
    return _page(
        200, "<form method=post>Code <input name=user_code> <button>Approve</button></form>"
    )


def _page(status: int, html: str) -> Answer:
    return Answer(status, f"<!doctype html>{html}".encode(), "text/html; charset=utf-8")
