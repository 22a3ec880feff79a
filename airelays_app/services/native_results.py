"""Taking in the results of what a provider has run, each request's once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from airelays_app.dialects import DIALECTS
from airelays_app.errors import UpstreamError
from airelays_app.providers.base import BatchEnd, BatchReply
from airelays_app.services.batch_outcomes import Outcome, log_outcome, refused
from airelays_app.services.batch_requests import ENDPOINTS
from airelays_app.services.native_calls import NativeAccount
from airelays_app.services.native_drafts import Drafts, record_of
from airelays_app.services.native_handover import position_of
from airelays_app.services.record import Record
from airelays_app.services.routing import Route
from airelays_app.store.batch_submissions import Result, Submission, SubmissionStore

_CHUNK = 100
_T = TypeVar("_T")
Taken = tuple[Outcome, Record]

_MISSING: dict[BatchEnd, str] = {
    "completed": "The provider has ended the batch without a result for this request.",
    "cancelled": "The batch was cancelled at the provider before this request was run.",
}
"""What becomes of requests without result; after any other end the relay runs them."""


class Harvest:
    """Takes the results of a submission that has ended, and closes it.

    What failed at the provider for a reason that may pass is left to the relay, if it is still
    wanted. Interrupted, it is simply done again.
    """

    def __init__(self, store: SubmissionStore, drafts: Drafts) -> None:
        self._store = store
        self._drafts = drafts

    def take(self, submission: Submission, account: NativeAccount, end: BatchEnd) -> None:
        """Take everything; raises RelayError when the provider does not give it."""
        assert submission.native_id is not None
        route = Route(account.provider, submission.model)
        replies = account.wire.replies(submission.native_id, account.caller)
        for chunk in _chunks(replies):
            self._take(submission, route, chunk)
        if not submission.is_unwanted and end in _MISSING:
            self._miss(submission, _MISSING[end])
        self._store.close(submission, leave=not submission.is_unwanted)

    def _take(self, submission: Submission, route: Route, replies: Sequence[BatchReply]) -> None:
        taken: dict[int, Taken] = {}
        left: list[int] = []
        for reply in replies:
            request = self._store.request(submission, position_of(submission, reply.custom_id))
            if request is None:
                continue  # not ours, or taken already
            found = self._drafts.outcome(submission, request.body, route, reply)
            if found[0].pause is None or submission.is_unwanted:
                taken.setdefault(request.position, found)
            else:
                left.append(request.position)
        self._store.leave(submission, left)
        self._write(submission, taken)

    def _miss(self, submission: Submission, why: str) -> None:
        dialect = DIALECTS[ENDPOINTS[submission.endpoint]]
        for requests in _chunks(self._store.requests(submission.id)):
            taken = {}
            for request in requests:
                record = record_of(submission)
                error = UpstreamError(why, code="batch_result_missing")
                taken[request.position] = refused(dialect, error, record), record
            self._write(submission, taken)

    def _write(self, submission: Submission, taken: Mapping[int, Taken]) -> None:
        if not taken:
            return
        results = [
            Result(position, outcome.status, outcome.body)
            for position, (outcome, _) in taken.items()
        ]
        for position in self._store.finish(submission, results):
            log_outcome(*taken[position])


def _chunks(items: Iterable[_T]) -> Iterator[list[_T]]:
    rest = iter(items)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
