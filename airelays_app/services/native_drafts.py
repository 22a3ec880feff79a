"""Requests of batches as a provider takes them, and its replies as the clients get them."""

from collections.abc import Mapping
from types import MappingProxyType

from airelays_app.dialects import DIALECTS
from airelays_app.dialects.base import Json
from airelays_app.errors import RelayError
from airelays_app.framing.jsontext import dumps
from airelays_app.ids import fresh_id
from airelays_app.neutral.failure import error_of
from airelays_app.providers.base import BatchReply
from airelays_app.services.batch_outcomes import Outcome, crashed, refused
from airelays_app.services.batch_requests import ENDPOINTS
from airelays_app.services.creation import Asked, Creation
from airelays_app.services.generation import Prepared, prepare
from airelays_app.services.record import Record
from airelays_app.services.routing import Route
from airelays_app.services.whole_replies import read_whole, usage_of
from airelays_app.store.batch_submissions import Submission

_MESSAGES: Json = {"messages": [{"role": "user", "content": "-"}]}
_UNSAID: Mapping[str, Json] = MappingProxyType(
    {
        "/v1/responses": {"input": "-"},
        "/v1/chat/completions": _MESSAGES,
        "/v1/completions": {},
        "/v1/messages": _MESSAGES,
    }
)
"""What stands for all that was said, by endpoint."""


class Drafts:
    """Prepares requests just as if they were sent one by one.

    A reply is read by preparing its request again, because nothing of that is kept meanwhile.
    """

    def __init__(self, creation: Creation) -> None:
        self._creation = creation

    def prepared(
        self, submission: Submission, body: Json, route: Route, request_id: str = ""
    ) -> Prepared:
        """Return a request as its provider takes it; raises RelayError."""
        dialect = DIALECTS[ENDPOINTS[submission.endpoint]]
        asked = Asked(
            dialect=dialect, route=route, raw=dumps(body), body=body, owner=submission.owner
        )
        return prepare(self._creation.call(asked, request_id))

    def outcome(
        self, submission: Submission, body: Json, route: Route, reply: BatchReply
    ) -> tuple[Outcome, Record]:
        """Return how a request went, and the record of it for the log."""
        dialect = DIALECTS[ENDPOINTS[submission.endpoint]]
        record = record_of(submission)
        record.upstream_status = reply.status
        try:
            prepared = self._prepared_again(submission, body, route, record.request_id)
            record.upstream_dialect = prepared.upstream_dialect
            record.ignored = prepared.ignored
            if reply.status >= 300:
                failure = route.provider.refusal(reply.status, {}, dumps(reply.body))
                raise error_of(failure)
            record.usage = usage_of(prepared, reply.body)
            outcome = Outcome(200, read_whole(prepared, reply.body))
        except RelayError as error:
            outcome = refused(dialect, error, record)
        except Exception:
            outcome = crashed(dialect, record)
        return outcome, record

    def _prepared_again(
        self, submission: Submission, body: Json, route: Route, request_id: str
    ) -> Prepared:
        """Return the request that has been answered, for its reply to be read.

        A file that it names may have been deleted meanwhile. Its reply counts all the same, and
        can be read without knowing what was said.
        """
        try:
            return self.prepared(submission, body, route, request_id)
        except RelayError:
            unsaid = {**body, **_UNSAID[submission.endpoint]}
            return self.prepared(submission, unsaid, route, request_id)


def record_of(submission: Submission) -> Record:
    """Return the record of a request that a provider has run."""
    return Record(
        fresh_id("req"),
        method="BATCH",
        path=submission.endpoint,
        dialect=ENDPOINTS[submission.endpoint],
        provider=submission.provider,
        model=submission.model,
        attempts=1,
    )
