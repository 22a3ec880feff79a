"""Batches that providers run: handed over, looked at now and then, their results taken in.

Each step is written down before or after it is taken, so that any process can go on from there.
What was being sent when a process died is looked for at the provider before it is sent again.
"""

import logging
import time
from collections.abc import Mapping, Sequence

from airelays_app.errors import RelayError, UpstreamRefused
from airelays_app.neutral.failure import failure_of
from airelays_app.providers.base import BatchUndecidedError, Provider, SoughtBatch
from airelays_app.services.calls import Calls
from airelays_app.services.chores import Keep
from airelays_app.services.native_calls import NativeAccount, native_account
from airelays_app.services.native_handover import LONGEST_PAUSE, Handover, name_of
from airelays_app.services.native_results import Harvest
from airelays_app.store.batch_submissions import Submission, SubmissionStore

MOST_PAUSES = 10
"""The longest pause between two looks, counted in first ones."""
SETTLE_PAUSES = 2
"""How long a provider may take to list what it has been given, likewise."""

_GONE_STATUSES = frozenset({404, 410})

_log = logging.getLogger("airelays.batches")


class NativeBatches:
    """A chore of one process; a first pause takes ``poll_seconds``."""

    def __init__(
        self,
        store: SubmissionStore,
        accounts: Mapping[str, Sequence[Provider]],
        calls: Calls,
        *,
        handover: Handover,
        harvest: Harvest,
        poll_seconds: int,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._calls = calls
        self._handover = handover
        self._harvest = harvest
        self._poll_seconds = poll_seconds
        self._unfit: set[str] = set()

    def is_due(self) -> bool:
        """Tell whether a submission has something to do now."""
        return bool(self._store.due(limit=1))

    def run(self, keep: Keep) -> None:
        """Take the next step of each submission that is due.

        A provider that fails to answer is asked no more in this round: its batches could each
        take the whole patience of the relay, while those of others wait.
        """
        self._unfit.clear()
        for submission in self._store.due():
            if not keep():
                return
            if submission.provider not in self._unfit:
                self._step(submission, keep)

    def _step(self, submission: Submission, keep: Keep) -> None:
        try:
            self._advance(submission, keep)
        except RelayError as error:
            _log.warning("a batch at %s waits: %s", submission.provider, name_of(error))
            self._unfit.add(submission.provider)
            self._look_later(submission, asked=failure_of(error).retry_after)
        except Exception:
            _log.exception("a batch at %s cannot go on", submission.provider)
            self._look_later(submission)

    def _advance(self, submission: Submission, keep: Keep) -> None:
        if submission.state == "planned":
            self._begin(submission, keep)
            return
        provider = self._account(submission)
        account = native_account(provider, self._calls, keep) if provider else None
        if account is None:
            _log.warning("%s is not there to tell of its batch", submission.provider)
            self._look_later(submission)
        elif submission.state == "sending":
            self._search(submission, account)
        else:
            self._follow(submission, account)

    def _begin(self, submission: Submission, keep: Keep) -> None:
        members = self._accounts.get(submission.provider)
        if members and not submission.is_unwanted:
            if not self._handover.hand_over(submission, members[0], keep):
                self._unfit.add(submission.provider)
        else:
            self._store.close(submission, leave=True)

    def _search(self, submission: Submission, account: NativeAccount) -> None:
        """Find out whether the provider has got what was being sent."""
        sent_at = submission.sent_at or 0
        sought = SoughtBatch(
            submission.id, submission.size, sent_at, self._store.known_ids(submission)
        )
        try:
            native_id = account.wire.find(sought, account.caller)
        except BatchUndecidedError:
            self._look_later(submission)
            return
        if native_id:
            self._store.sent(submission, native_id, look_at=time.time())
        elif time.time() < sent_at + SETTLE_PAUSES * self._poll_seconds:
            self._look_later(submission)
        else:
            self._store.plan_again(submission, look_at=time.time())

    def _follow(self, submission: Submission, account: NativeAccount) -> None:
        assert submission.native_id is not None
        if submission.is_unwanted and not submission.is_called_off:
            self._call_off(submission, submission.native_id, account)
            return
        try:
            progress = account.wire.progress(submission.native_id, account.caller)
        except UpstreamRefused as error:
            if error.status not in _GONE_STATUSES:
                raise
            _log.warning("%s has lost a batch: %s", submission.provider, name_of(error))
            self._store.close(submission, leave=True)
            return
        if progress.end is None:
            self._look_later(submission)
            return
        if progress.why:
            _log.warning("a batch at %s has ended: %s", submission.provider, progress.why)
        self._harvest.take(submission, account, progress.end)

    def _call_off(self, submission: Submission, native_id: str, account: NativeAccount) -> None:
        """Tell the provider; one that refuses has most likely ended it already."""
        look_at = time.time() + self._poll_seconds
        try:
            account.wire.cancel(native_id, account.caller)
        except UpstreamRefused as error:
            if error.status >= 500:
                raise
            look_at = time.time()
        self._store.call_off(submission, look_at=look_at)

    def _account(self, submission: Submission) -> Provider | None:
        members = self._accounts.get(submission.provider, ())
        return next((each for each in members if each.account == submission.account), None)

    def _look_later(self, submission: Submission, *, asked: int | None = None) -> None:
        """Look again after a pause that grows, and not before the provider has ``asked`` to."""
        usual = min(2**submission.looks, MOST_PAUSES) * self._poll_seconds
        pause = max(usual, min(asked or 0, LONGEST_PAUSE))
        self._store.look_later(submission, look_at=time.time() + pause)
