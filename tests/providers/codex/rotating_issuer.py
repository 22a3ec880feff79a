"""A tiny issuer over a real socket: single-use refresh tokens, and a log of what it was asked."""

import base64
import http.client
import json
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from airelays_app.errors import UpstreamCut, UpstreamUnreachable
from airelays_app.providers.codex.constants import AUTH_CLAIM, Issuer
from airelays_app.providers.codex.courier import Delivery
from airelays_app.providers.codex.journal import PendingRecord
from airelays_app.providers.codex.oauth import IssuerAnswer, renewal_request


def jwt(**claims: Any) -> str:
    """Return an unsigned token with ``claims``."""

    def part(value: Any) -> str:
        raw = json.dumps(value).encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    return f"{part({'alg': 'none'})}.{part(claims)}.c2ln"


def token(*, account: str = "acc-1", lives: float = 3600.0, name: str = "t", **claims: Any) -> str:
    """Return a token of ``account``, good for an hour of which ``lives`` seconds are left."""
    now = time.time()
    return jwt(
        jti=name,
        exp=now + lives,
        iat=now + lives - 3600,
        email="owner@example.org",
        **{AUTH_CLAIM: {"chatgpt_account_id": account, "chatgpt_plan_type": "plus"}},
        **claims,
    )


def document(
    *, access: str | None = None, refresh: str | None = "refresh-0", account: str = "acc-1"
) -> dict[str, Any]:
    """Return the JSON of a login; the access token has expired unless given."""
    return {
        "bound_account_id": account,
        "tokens": {
            "id_token": token(account=account, name="id"),
            "access_token": access or token(account=account, lives=-60, name="access-0"),
            "refresh_token": refresh,
            "account_id": account,
        },
        "last_refresh": "2026-11-01T10:00:00+00:00",
    }


class RotatingIssuer:
    """Answers renewals. ``answers`` are statuses to give before it behaves.

    ``commits`` counts rotations; ``held`` makes it wait after the rotation, before the answer.
    """

    def __init__(self) -> None:
        self.current = "refresh-0"
        self.revoked = False
        self.requests: list[dict[str, Any]] = []
        self.commits = 0
        self.answers: list[tuple[int, bytes]] = []
        self.account = "acc-1"
        self.lives = 3600.0
        self.committed = threading.Event()
        self.release = threading.Event()
        self.release.set()
        self._guard = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.issuer = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "RotatingIssuer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, body: dict[str, Any]) -> tuple[int, bytes]:
        with self._guard:
            self.requests.append(body)
            if self.answers:
                return self.answers.pop(0)
            if self.revoked or body.get("refresh_token") != self.current:
                self.revoked = True
                return 401, b'{"error": {"code": "refresh_token_reused"}}'
            self.commits += 1
            self.current = f"refresh-{self.commits}"
            answer = {
                "access_token": token(
                    account=self.account, lives=self.lives, name=f"access-{self.commits}"
                ),
                "id_token": token(account=self.account, name="id"),
                "refresh_token": self.current,
            }
        self.committed.set()
        self.release.wait(30)
        return 200, json.dumps(answer).encode()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        raw = self.rfile.read(length)
        if self.headers["Content-Type"] == "application/json":
            body = json.loads(raw)
        else:
            body = {name: values[0] for name, values in parse_qs(raw.decode()).items()}
        status, answer = self.server.issuer.answer(body)  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: Any) -> None:
        """Stay silent."""

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, ValueError):
            self.close_connection = True


def post_plainly(
    url: str, *, form: Mapping[str, str] | None = None, json: Mapping[str, Any] | None = None
) -> IssuerAnswer:
    """A :class:`Poster` on the standard library's client."""
    from json import dumps
    from urllib.parse import urlencode

    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    body = dumps(json) if json is not None else urlencode(form or {})
    kind = "application/json" if json is not None else "application/x-www-form-urlencoded"
    try:
        connection.connect()
    except OSError as error:
        raise UpstreamUnreachable("no connection") from error
    try:
        connection.request("POST", address.path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        return IssuerAnswer(answer.status, answer.read())
    except (OSError, http.client.HTTPException) as error:
        raise UpstreamCut("cut") from error
    finally:
        connection.close()


class InPerson:
    """A :class:`Courier` without a process of its own, for tests that are not about processes."""

    def __init__(self, issuer: Issuer, *, clock: Callable[[], float] = time.time) -> None:
        self._issuer = issuer
        self._clock = clock

    def __call__(self, refresh_token: str, pending: PendingRecord, *, lock: int) -> Delivery:
        url, form = renewal_request(self._issuer, refresh_token)
        answer, at = post_plainly(url, json=form), self._clock()
        pending.keep(answer, at=at)
        return Delivery(answer, at)
