"""How batches end: with nothing left to run, cancelled, or out of time."""

import time
from types import MappingProxyType

from airelays_app.dialects import DIALECTS
from airelays_app.errors import Conflict, UpstreamTimeout
from airelays_app.neutral.failure import failure_of
from airelays_app.services.batch_files import ResultFiles, Unrun
from airelays_app.services.batch_requests import ENDPOINTS
from airelays_app.services.chores import Keep
from airelays_app.store.batch_work import BatchWork, End, OpenBatch

_UNRUN = MappingProxyType(
    {
        "expired": UpstreamTimeout(
            "The batch's time was over before this request was run.", code="batch_expired"
        ),
        "cancelled": Conflict(
            "The batch was cancelled before this request was run.", code="batch_cancelled"
        ),
    }
)
"""What becomes of the requests that have not been run, with OpenAI's codes (seen 2026-11-25)."""


class BatchEnds:
    """Ends batches, each once, with a result for each request."""

    def __init__(self, work: BatchWork, files: ResultFiles) -> None:
        self._work = work
        self._files = files

    def is_over(self, batch: OpenBatch) -> bool:
        """Tell whether nothing of a batch is left to run, here or elsewhere."""
        has_time = batch.status == "in_progress" and time.time() < batch.expires_at
        if has_time and self._work.pending(batch.id, limit=1):
            return False
        return not self._work.awaits_others(batch.id)

    def end(self, batch: OpenBatch, keep: Keep) -> None:
        """End a batch that is over; done again from the start if it was interrupted.

        Raises Unavailable while its files cannot be written.
        """
        final = self._work.finalize(batch.id)
        if final is None:
            return
        end = _end_of(final)
        unrun = self._give_up(final, end)
        output = self._files.write_outputs(final, keep)
        errors = self._files.write_errors(final, keep, unrun=unrun)
        if not self._work.end(final.id, end, output_file_id=output, error_file_id=errors):
            self._files.discard(final, output, errors)

    def _give_up(self, batch: OpenBatch, end: End) -> Unrun | None:
        """Write what becomes of the requests that have not been run; return it."""
        error = _UNRUN.get(end)
        if error is None:
            return None
        response = DIALECTS[ENDPOINTS[batch.endpoint]].error_body(failure_of(error), "")
        self._work.finish_rest(batch.id, status=error.status, response=response)
        return Unrun(response, error.code or "", error.message)


def _end_of(batch: OpenBatch) -> End:
    if batch.status == "cancelling":
        return "cancelled"
    is_late = batch.finalizing_at is not None and batch.finalizing_at >= batch.expires_at
    return "expired" if is_late else "completed"
