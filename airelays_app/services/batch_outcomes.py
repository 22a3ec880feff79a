"""How the requests of a batch went: what is kept of it, and what is written to the log."""

import logging
from dataclasses import dataclass

from airelays_app.dialects.base import Dialect, Json
from airelays_app.errors import RelayError, UpstreamLoginError
from airelays_app.neutral.failure import PASSING_STATUSES, failure_of
from airelays_app.services.record import Record

_LONGEST_PAUSE = 300.0
_LOGIN_PAUSE = 60.0

_log = logging.getLogger("airelays.batches")
_requests = logging.getLogger("airelays.requests")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one request went; ``pause`` seconds are to pass before it is asked again, if set.

    ``is_owed`` says that this goes on for as long as the batch may take: a quota comes back, and a
    login is renewed when its owner sees to it.
    """

    status: int
    body: Json
    pause: float | None = None
    is_owed: bool = False


def log_outcome(outcome: Outcome, record: Record) -> None:
    """Write the request's line in the log."""
    record.status = outcome.status
    _requests.info("request", extra={"fields": record.fields()})


def crashed(dialect: Dialect, record: Record) -> Outcome:
    """Return the outcome of a request at which the relay itself has just failed."""
    _log.exception("request %s crashed", record.request_id)
    crash = RelayError("AIRelays failed; its log tells more.", code="internal_error")
    return Outcome(crash.status, dialect.error_body(failure_of(crash), ""))


def refused(dialect: Dialect, error: RelayError, record: Record) -> Outcome:
    """Return the outcome of a request that ``error`` has ended."""
    record.outcome = error.code or error.type
    told = dialect.error_body(failure_of(error), record.request_id)
    needs_owner = isinstance(error, UpstreamLoginError)
    return Outcome(
        error.status,
        told,
        pause=_LOGIN_PAUSE if needs_owner else _pause_of(error),
        is_owed=needs_owner or failure_of(error).kind == "limit",
    )


def _pause_of(error: RelayError) -> float | None:
    failure = failure_of(error)
    if failure.kind != "limit" and error.status not in PASSING_STATUSES:
        return None
    return min(float(failure.retry_after or 0), _LONGEST_PAUSE)
