"""The login as the rest of the relay uses it: a token for this request, now.

While the token is fresh this costs one ``stat`` and takes no lock. A few minutes before it expires
one thread of one process renews it in the background; once it has expired, everybody waits for
that one. A renewal runs in a thread of its own, which no signal interrupts, which no request
carries with it when its client leaves, and for which the interpreter waits before it exits.
"""

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from airelays_app.errors import LoginProblem, UpstreamLoginError, UpstreamUnreachable
from airelays_app.providers.codex.courier import Courier
from airelays_app.providers.codex.credentials import (
    CredentialFile,
    Credentials,
    FileStamp,
    UnreadableCredentialsError,
    fingerprint,
)
from airelays_app.providers.codex.journal import Journal
from airelays_app.providers.codex.lifetime import RENEW_AHEAD_SECONDS, Lifetime, lifetime_of
from airelays_app.providers.codex.oauth import IssuerRefusedError, read_tokens
from airelays_app.providers.codex.renewal import LOCK_WAIT_SECONDS, LoginRenewal, Outcome

LAST_SECONDS: Final = 10.0
"""A token this close to its expiry may die on the way to the upstream."""
PAUSE_SECONDS: Final = 5.0
"""After a passing failure the issuer is left alone for this long."""
REJECTION_SECONDS: Final = 60.0
"""A token that is rejected this soon after a rejection led to it will not be helped by another."""
_WAIT_SECONDS: Final = LOCK_WAIT_SECONDS + 60.0
_ROUNDS: Final = 3
_NOT_NOW: Final = "The login could not be renewed just now: {}"


@dataclass(frozen=True, slots=True)
class Access:
    """What a request needs: the bearer token and the account (empty if no token names one)."""

    token: str = field(repr=False)
    account_id: str


_NO_LIFE: Final = Lifetime(-math.inf, -math.inf)


@dataclass(frozen=True, slots=True)
class _Login:
    stamp: FileStamp | None
    credentials: Credentials
    access: Access | None
    lifetime: Lifetime
    problem: LoginProblem | None = None
    detail: str = ""


class CodexSession:
    """The owner's login, kept alive. One per process; safe to use from any thread."""

    def __init__(
        self,
        file: CredentialFile,
        *,
        courier: Courier,
        clock: Callable[[], float] = time.time,
        renew_ahead_seconds: float = RENEW_AHEAD_SECONDS,
        lock_wait_seconds: float = LOCK_WAIT_SECONDS,
    ) -> None:
        self._file = file
        self._clock = clock
        self._ahead = renew_ahead_seconds
        self._renewal = LoginRenewal(file, courier=courier, lock_wait_seconds=lock_wait_seconds)
        self._login: _Login | None = None
        self._guard = threading.Lock()
        self._flight: Future[Outcome] | None = None
        self._refused: tuple[FileStamp | None, str] | None = None
        self._trouble: tuple[float, str] | None = None
        self._after_rejection: tuple[str, float] | None = None

    def access(self) -> Access:
        """Return a token that is valid now, renewing it if it must be.

        Raises :class:`UpstreamLoginError` (``missing``, ``incomplete``, ``account_mismatch``,
        ``refresh_failed``) and :class:`UpstreamUnreachable` if the login cannot be renewed just
        now. A token that still lives is used even when its renewal fails.
        """
        login = self._current()
        now = self._clock()
        if login.access is not None and now < login.lifetime.renew_from:
            return login.access
        _require_no_problem(login)
        alive = self._usable(login, rejected=None)
        if alive is None:
            return self._renewed(rejected=None)
        if login.credentials.refresh_token and self._may_ask(login):
            with suppress(UpstreamUnreachable):  # the token lives on meanwhile
                self._fly(rejected=None)
        return alive

    def renew(self, rejected_token: str) -> Access:
        """Return another token than the one that the upstream has just answered 401 to.

        Another thread's or process's renewal is reused. Raises what :meth:`access` raises, and
        ``UpstreamLoginError("rejected")`` if that token was itself the answer to a rejection.
        """
        login = self._current()
        _require_no_problem(login)
        if self._usable(login, rejected=rejected_token) is not None:
            return self.access()
        if self._after_rejection is not None:
            token, until = self._after_rejection
            if token == rejected_token and self._clock() < until:
                raise UpstreamLoginError("rejected")
        access = self._renewed(rejected=rejected_token)
        self._after_rejection = (access.token, self._clock() + REJECTION_SECONDS)
        return access

    def is_ready(self) -> bool:
        """Say whether the token lives or can be renewed; no network, one ``stat`` as a rule."""
        login = self._current()
        return self._lives(login) or self._is_renewable(login)

    def secrets(self) -> tuple[str, ...]:
        """Return the access token, if there is one; no network."""
        access = self._current().access
        return () if access is None else (access.token,)

    def status(self) -> dict[str, Any]:
        """Return what status pages show; no network, no secret.

        ``ready_for_requests`` is true only while the stored token is alive and belongs to the
        bound account. ``problem`` is one of the login problems, ``expired``, or ``None``.
        ``renewable`` is false if there is no refresh token or the issuer has refused it. Times
        are ISO 8601, ``None`` if unknown.
        """
        login = self._current()
        credentials = login.credentials
        problem = login.problem or self._health(login)
        present = login.access is not None or credentials.refresh_token is not None
        return {
            "authenticated": present and problem in (None, "account_mismatch"),
            "credentials_present": present,
            "account_bound": credentials.bound_account_id is not None,
            "ready_for_requests": problem is None,
            "problem": problem,
            "renewable": self._is_renewable(login),
            "email": credentials.email,
            "plan_type": credentials.plan_type,
            "account_id": credentials.account_id,
            "bound_account_id": credentials.bound_account_id,
            "last_refresh": _iso(credentials.last_refresh),
            "expires_at": _iso(login.lifetime.dies_at) if login.access else None,
        }

    def _health(self, login: _Login) -> str | None:
        if self._lives(login):
            return None
        return "refresh_failed" if self._known_refusal(login) else "expired"

    def _lives(self, login: _Login) -> bool:
        return login.access is not None and self._clock() < login.lifetime.dies_at

    def _is_renewable(self, login: _Login) -> bool:
        return login.credentials.refresh_token is not None and not self._known_refusal(login)

    def _known_refusal(self, login: _Login) -> bool:
        if self._refusal(login) is not None:
            return True
        record = Journal(self._file.pending_path).read()
        if record is None or record.answer is None:
            return False
        if record.fingerprint != fingerprint(login.credentials.refresh_token):
            return False
        try:
            read_tokens(record.answer)
        except IssuerRefusedError:
            return True
        return False

    def _current(self) -> _Login:
        login = self._login
        stamp = self._file.stamp()
        if login is None or login.stamp != stamp:
            login = self._login = self._load(stamp)
        return login

    def _load(self, stamp: FileStamp | None) -> _Login:
        try:
            credentials = self._file.load() if stamp is not None else None
        except UnreadableCredentialsError:
            return _unusable(stamp, "incomplete", "the login file is not readable JSON")
        if credentials is None:
            return _unusable(stamp, "missing", "")
        return _view(credentials, stamp, ahead=self._ahead)

    def _usable(self, login: _Login, *, rejected: str | None) -> Access | None:
        if login.access is None or login.access.token == rejected:
            return None
        return login.access if self._clock() < login.lifetime.dies_at - LAST_SECONDS else None

    def _may_ask(self, login: _Login) -> bool:
        return self._refusal(login) is None and self._recent_trouble() is None

    def _refusal(self, login: _Login) -> str | None:
        refused = self._refused
        return refused[1] if refused is not None and refused[0] == login.stamp else None

    def _recent_trouble(self) -> str | None:
        trouble = self._trouble
        if trouble is None or not 0 < trouble[0] - self._clock() <= PAUSE_SECONDS:
            return None
        return trouble[1]

    def _renewed(self, *, rejected: str | None) -> Access:
        for _ in range(_ROUNDS):
            login = self._current()
            _require_no_problem(login)
            usable = self._usable(login, rejected=rejected)
            if usable is not None:
                return usable
            self._require_renewable(login)
            try:
                outcome = self._fly(rejected=rejected).result(timeout=_WAIT_SECONDS)
            except FutureTimeoutError:
                break
            _require_success(outcome)
        raise UpstreamUnreachable(_NOT_NOW.format("it is still being renewed; try again"))

    def _require_renewable(self, login: _Login) -> None:
        if not login.credentials.refresh_token:
            raise UpstreamLoginError("incomplete", detail="there is no refresh token")
        refusal, trouble = self._refusal(login), self._recent_trouble()
        if refusal is not None:
            raise UpstreamLoginError("refresh_failed", detail=refusal)
        if trouble is not None:
            raise UpstreamUnreachable(_NOT_NOW.format(trouble))

    def _fly(self, *, rejected: str | None) -> Future[Outcome]:
        """Return the renewal under way in this process, starting one if there is none.

        Raises :class:`UpstreamUnreachable` if the system lets this process have no further thread.
        """
        with self._guard:
            if self._flight is None:
                flight: Future[Outcome] = Future()
                thread = threading.Thread(
                    target=self._renew_in_thread,
                    args=(flight, rejected),
                    name="codex-login-renewal",
                    daemon=False,
                )
                try:
                    thread.start()
                except RuntimeError as error:
                    raise UpstreamUnreachable(_NOT_NOW.format("no thread is left")) from error
                self._flight = flight
            return self._flight

    def _renew_in_thread(self, flight: "Future[Outcome]", rejected: str | None) -> None:
        def needed(credentials: Credentials) -> bool:
            access = credentials.access_token
            if access is None or access == rejected:
                return True
            return self._clock() >= lifetime_of(credentials, ahead=self._ahead).renew_from

        try:
            outcome = self._renewal.run(needed)
            self._remember(outcome)
            self._land(flight).set_result(outcome)
        except BaseException as error:
            self._land(flight).set_exception(error)
            raise

    def _land(self, flight: "Future[Outcome]") -> "Future[Outcome]":
        with self._guard:
            self._flight = None
        return flight

    def _remember(self, outcome: Outcome) -> None:
        stamp = self._file.stamp()
        self._login = None
        if outcome.problem == "refresh_failed":
            self._refused = (stamp, outcome.detail)
        if outcome.trouble:
            self._trouble = (self._clock() + PAUSE_SECONDS, outcome.trouble)
        if outcome.credentials is not None:
            self._refused = self._trouble = None
            if not outcome.stored:
                self._login = _view(outcome.credentials, stamp, ahead=self._ahead)


def _view(credentials: Credentials, stamp: FileStamp | None, *, ahead: float) -> _Login:
    account = credentials.account_id
    problem: LoginProblem | None = None
    if not credentials.access_token and not credentials.refresh_token:
        problem = "incomplete"
    elif credentials.bound_account_id and account and account != credentials.bound_account_id:
        problem = "account_mismatch"
    token = credentials.access_token
    access = Access(token, account or "") if token else None
    lifetime = lifetime_of(credentials, ahead=ahead) if problem is None else _NO_LIFE
    return _Login(stamp, credentials, access, lifetime, problem)


def _unusable(stamp: FileStamp | None, problem: LoginProblem, detail: str) -> _Login:
    return _Login(stamp, Credentials(), None, _NO_LIFE, problem, detail)


def _require_no_problem(login: _Login) -> None:
    if login.problem is not None:
        raise UpstreamLoginError(login.problem, detail=login.detail)


def _require_success(outcome: Outcome) -> None:
    if outcome.problem is not None:
        raise UpstreamLoginError(outcome.problem, detail=outcome.detail)
    if outcome.trouble:
        raise UpstreamUnreachable(_NOT_NOW.format(outcome.trouble))


def _iso(moment: float | None) -> str | None:
    if moment is None or not math.isfinite(moment):
        return None
    try:
        return datetime.fromtimestamp(moment, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None
