"""Renewing the login: one process at a time, and the rotated token is never lost by us.

Order of events, all under the lock of the login file: look whether someone else has already done
it; look whether an earlier process died holding an answer (then that answer is used); open a
pending record; send; put the raw answer on disk; replace the file; drop the record. Sending and
putting on disk are the errand of a messenger process, which holds the lock as well and goes on
when the worker that sent it is killed (:mod:`airelays_app.providers.codex.messenger`). Whoever is
killed at any of these points, the next process finds the old login, the answer or the new login.

One gap cannot be closed from this side: between the issuer's decision to rotate and our first
read of its answer the new token exists nowhere on this machine. A messenger, a machine or a
connection that dies there leaves a record without an answer; the next renewal tries the old token,
and if the issuer refuses it, says that a renewal was cut off and that ``airelays login`` is needed.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from airelays_app.errors import LoginProblem, UpstreamError, UpstreamUnreachable
from airelays_app.providers.codex.courier import Courier
from airelays_app.providers.codex.credentials import (
    CredentialFile,
    Credentials,
    CredentialsBusyError,
    UnreadableCredentialsError,
    fingerprint,
)
from airelays_app.providers.codex.journal import Journal, Renewal
from airelays_app.providers.codex.oauth import (
    IssuerAnswer,
    IssuerRefusedError,
    IssuerTroubleError,
    read_tokens,
)

LOCK_WAIT_SECONDS: Final = 45.0
"""How long to wait for another process's renewal (AIRelays 0.22.0 waits as long)."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a renewal ended, as a value that any number of waiting threads can share.

    Exactly one of three: ``credentials``; ``problem`` (for good, ``detail`` says more);
    ``trouble`` (passing, worth another try later). ``stored`` is false if the credentials could
    not be written to the login file and live in the pending record only.
    """

    credentials: Credentials | None = None
    problem: LoginProblem | None = None
    detail: str = ""
    trouble: str = ""
    stored: bool = True


class LoginRenewal:
    """Renews the login in one file at one issuer. Safe to use from any thread."""

    def __init__(
        self,
        file: CredentialFile,
        *,
        courier: Courier,
        lock_wait_seconds: float = LOCK_WAIT_SECONDS,
    ) -> None:
        self._file = file
        self._journal = Journal(file.pending_path)
        self._courier = courier
        self._lock_wait_seconds = lock_wait_seconds

    def run(self, needed: Callable[[Credentials], bool]) -> Outcome:
        """Renew the stored login if, once it is ours alone, it is still ``needed``."""
        try:
            with self._file.locked(wait_seconds=self._lock_wait_seconds) as lock:
                return self._run_alone(needed, lock)
        except CredentialsBusyError:
            return Outcome(trouble="another process is still renewing the login")
        except UnreadableCredentialsError:
            return Outcome(problem="incomplete", detail="the login file is not readable JSON")
        except OSError as error:
            _log.error("The login cannot be renewed: %s", error.strerror)
            return Outcome(trouble="the login directory cannot be written")

    def _run_alone(self, needed: Callable[[Credentials], bool], lock: int) -> Outcome:
        current = self._file.load()
        if current is None:
            return Outcome(problem="missing")
        record = self._journal.read()
        if record and record.fingerprint != fingerprint(current.refresh_token):
            self._journal.forget()
            record = None
        if record and record.answer:
            left = self._take(current, record.answer, at=record.answered_at, cut_off=record.cut_off)
            if left.problem or (left.credentials and not needed(left.credentials)):
                return left
            if not left.stored:
                return Outcome(trouble="the login directory cannot be written")
            current, record = left.credentials or current, None
        if not needed(current):
            return Outcome(credentials=current)
        return self._ask(current, record, lock)

    def _ask(self, current: Credentials, record: Renewal | None, lock: int) -> Outcome:
        if not current.refresh_token:
            return Outcome(problem="incomplete", detail="there is no refresh token")
        cut_off = record is not None and (record.cut_off or record.answer is None)
        with self._journal.begin(fingerprint(current.refresh_token), cut_off=cut_off) as pending:
            try:
                delivery = self._courier(current.refresh_token, pending, lock=lock)
            except UpstreamError as error:
                return self._without_report(current, error, cut_off=cut_off)
        return self._take(current, delivery.answer, at=delivery.at, cut_off=cut_off)

    def _without_report(
        self, current: Credentials, error: UpstreamError, *, cut_off: bool
    ) -> Outcome:
        """Use what a messenger that was killed on its way back has put on disk."""
        record = self._journal.read()
        if record and record.answer:
            return self._take(current, record.answer, at=record.answered_at, cut_off=cut_off)
        if isinstance(error, UpstreamUnreachable) and not cut_off:
            self._journal.forget()
        return Outcome(trouble=error.message)

    def _take(
        self, current: Credentials, answer: IssuerAnswer, *, at: float, cut_off: bool
    ) -> Outcome:
        try:
            tokens = read_tokens(answer)
        except IssuerRefusedError as refusal:
            return Outcome(problem="refresh_failed", detail=_refusal(refusal, cut_off=cut_off))
        except IssuerTroubleError as trouble:
            self._journal.forget()
            return Outcome(trouble=trouble.message)
        renewed = current.with_tokens(tokens, at=at)
        try:
            self._file.save(renewed)
        except OSError as error:
            _log.error("The renewed login waits in the pending record: %s", error.strerror)
            return Outcome(credentials=renewed, stored=False)
        self._journal.forget()
        return Outcome(credentials=renewed)


def _refusal(refusal: IssuerRefusedError, *, cut_off: bool) -> str:
    if cut_off:
        return f"{refusal.reason}; an earlier renewal was cut off before its answer arrived"
    return refusal.reason
