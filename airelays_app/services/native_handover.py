"""Handing requests over to a provider that runs batches."""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

from airelays_app.dialects.base import Json
from airelays_app.errors import (
    RelayError,
    Unavailable,
    UpstreamError,
    UpstreamRefused,
    UpstreamUnreachable,
)
from airelays_app.neutral.failure import failure_of
from airelays_app.providers.base import BatchJob, BatchLine, NativeBatches, Provider
from airelays_app.services.calls import Calls
from airelays_app.services.chores import Keep
from airelays_app.services.generation import Prepared
from airelays_app.services.native_calls import NativeAccount, native_account
from airelays_app.services.native_drafts import Drafts
from airelays_app.services.pool import Pool
from airelays_app.services.routing import Route
from airelays_app.store.batch_submissions import Submission, SubmissionStore

LONGEST_PAUSE = 3600.0
"""For how many seconds a provider that asks to wait is believed."""

_LINE_OVERHEAD_BYTES = 256
_USUAL_PAUSE = 60.0
_TIMEOUTS = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})
_UNPAID = HTTPStatus.PAYMENT_REQUIRED
"""Mistral's answer until batches are paid for, while other requests are answered (litellm-docs
pull request 1412, seen 2026-11-26)."""

_log = logging.getLogger("airelays.batches")


@dataclass(slots=True)
class _Drafted:
    """What is to be sent, in one dialect; ``left`` are positions that the relay is to run."""

    dialect: str = ""
    lines: list[BatchLine] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    size: int = 0

    def suits(self, prepared: Prepared, wire: NativeBatches) -> bool:
        """Tell whether a request can be one of these at all."""
        dialect = prepared.upstream_dialect
        return (
            dialect in wire.dialects
            and dialect == (self.dialect or dialect)
            and _size_of(prepared) <= wire.most_bytes
        )

    def has_room(self, prepared: Prepared, wire: NativeBatches) -> bool:
        """Tell whether there is room for one more."""
        is_light = self.size + _size_of(prepared) <= wire.most_bytes
        return is_light and len(self.lines) < wire.most_requests

    def add(self, custom_id: str, prepared: Prepared) -> None:
        """Take a request in."""
        self.dialect = prepared.upstream_dialect
        self.size += _size_of(prepared)
        self.lines.append(BatchLine(custom_id, prepared.body))


def _size_of(prepared: Prepared) -> int:
    return len(prepared.body) + _LINE_OVERHEAD_BYTES


class Handover:
    """Hands submissions over, each to the first account that takes it.

    What is not certain to have arrived stays ``sending``, to be looked for after ``poll_seconds``.
    """

    def __init__(
        self, store: SubmissionStore, pool: Pool, calls: Calls, drafts: Drafts, *, poll_seconds: int
    ) -> None:
        self._store = store
        self._pool = pool
        self._calls = calls
        self._drafts = drafts
        self._poll_seconds = poll_seconds

    def hand_over(self, submission: Submission, provider: Provider, keep: Keep) -> bool:
        """Have a provider run it; without one that will, the relay runs the requests itself.

        Returns false if the provider should be left alone for now: no account could be asked.
        """
        pauses: list[float] = []
        route = Route(provider, submission.model)
        for candidate in self._pool.candidates(route, None, fallbacks=False):
            account = native_account(candidate.route.provider, self._calls, keep)
            current = self._store.get(submission.id)
            if account is None or current is None:
                return True
            try:
                self._give(current, candidate.route, account)
            except RelayError as error:
                _log.warning("%s has not taken a batch: %s", provider.name, name_of(error))
                if error.status != _UNPAID:
                    self._pool.failed(candidate, error)
                if _is_uncertain(error):
                    return False
                pauses += [_pause_of(error)] if _may_pass(error) else []
                continue
            self._pool.succeeded(candidate)
            return True
        self._not_taken(submission, pauses)
        return not pauses

    def _not_taken(self, submission: Submission, pauses: Sequence[float]) -> None:
        if pauses:
            look_at = time.time() + min(pauses)
            self._store.plan_again(submission, look_at=look_at)
            self._store.hold_back(submission, look_at=look_at)
        else:
            self._store.close(submission, leave=True)

    def _give(self, submission: Submission, route: Route, account: NativeAccount) -> None:
        drafted = self._drafted(submission, route, account)
        self._store.leave(submission, drafted.left)
        if not drafted.lines:
            self._store.close(submission, leave=True)
            return
        look_at = time.time() + self._poll_seconds
        name, size = account.provider.account, len(drafted.lines)
        if not self._store.sending(submission, account=name, size=size, look_at=look_at):
            return  # another process has it
        job = BatchJob(submission.id, drafted.dialect, submission.model, drafted.lines)
        native_id = account.wire.submit(job, account.caller)
        look_at = time.time() + self._poll_seconds
        if self._store.sent(submission, native_id, look_at=look_at):
            _log.info("%s runs %d requests of %s", route.provider.name, size, submission.batch_id)
            return
        with suppress(RelayError):  # another process was faster: this one is not to be run, too
            account.wire.cancel(native_id, account.caller)

    def _drafted(self, submission: Submission, route: Route, account: NativeAccount) -> _Drafted:
        """Prepare as many requests as fit; the others become a submission of their own."""
        wire = account.wire
        drafted = _Drafted()
        for request in self._store.requests(submission.id):
            prepared = self._prepared(submission, request.body, route)
            if prepared is None or not drafted.suits(prepared, wire):
                drafted.left.append(request.position)
            elif drafted.has_room(prepared, wire):
                drafted.add(custom_id(submission, request.position), prepared)
            else:
                self._store.split(submission, at=request.position)
                break
        return drafted

    def _prepared(self, submission: Submission, body: Json, route: Route) -> Prepared | None:
        try:
            return self._drafts.prepared(submission, body, route)
        except RelayError:
            return None  # the relay says so when it runs it


def custom_id(submission: Submission, position: int) -> str:
    """Return the id under which a provider knows a request: one of its kind everywhere."""
    return f"{submission.id}-{position}"


def position_of(submission: Submission, custom_id: str) -> int:
    """Return the position of the request with that id; -1 for an id that is none of these."""
    ours, _, position = custom_id.rpartition("-")
    is_ours = ours == submission.id and position.isascii() and position.isdecimal()
    return int(position) if is_ours else -1


def name_of(error: RelayError) -> str:
    """Return what the log says of an error: no message, which may repeat what a client wrote."""
    return f"{error.status} {error.code or error.type}"


def _is_uncertain(error: RelayError) -> bool:
    """Tell whether the provider may have taken it although that was not said, or not noted."""
    if isinstance(error, Unavailable):
        return True
    if isinstance(error, UpstreamRefused):
        return error.status >= HTTPStatus.INTERNAL_SERVER_ERROR or error.status in _TIMEOUTS
    return isinstance(error, UpstreamError) and not isinstance(error, UpstreamUnreachable)


def _may_pass(error: RelayError) -> bool:
    """Tell whether the provider may take it another time: a used-up quota, no connection."""
    if isinstance(error, UpstreamUnreachable):
        return True
    return failure_of(error).kind == "limit" and error.status != _UNPAID


def _pause_of(error: RelayError) -> float:
    asked = failure_of(error).retry_after
    return _USUAL_PAUSE if asked is None else min(asked, LONGEST_PAUSE)
