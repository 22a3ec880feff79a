"""Mistral's batches: a file of requests goes up, a job runs it, files of results come down.

Addresses, fields, states and limits: Mistral's API reference (openapi.yaml), its page about batch
inference and mistralai 3.7, seen 2026-11-26. A job asks one endpoint and one model. How the lines
of failed requests look is not documented: the SDK's own tests have a sentence beside an empty body
(extra/tests/test_batch.py), other clients read an object (dust pull request 27752).
"""

from collections.abc import Iterator, Mapping
from itertools import count
from types import MappingProxyType
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.framing.jsontext import dumps
from airelays_app.providers.base import (
    BatchCaller,
    BatchEnd,
    BatchJob,
    BatchProgress,
    BatchReply,
    Relayed,
    SoughtBatch,
)
from airelays_app.providers.batch_calls import ACCEPT, JSON, UNTOLD_STATUS, entries_in, id_of
from airelays_app.providers.batch_files import (
    MARK,
    is_older,
    marked_in,
    reply_in,
    result_lines,
    uploaded,
)

_JOBS = "/batch/jobs"
_PAGE = 100
_TIMEOUT_HOURS = 24
_FILE_HOURS = 7 * 24
_ENDS: Mapping[str, BatchEnd] = MappingProxyType(
    {
        "SUCCESS": "completed",
        "FAILED": "failed",
        "TIMEOUT_EXCEEDED": "expired",
        "CANCELLED": "cancelled",
    }
)


class MistralBatches:
    """It takes files of 512 MB and a million requests that wait; less is sent, made in memory."""

    dialects = frozenset({"chat"})
    most_requests = 10_000
    most_bytes = 16_000_000

    def submit(self, job: BatchJob, caller: BatchCaller) -> str:
        """Upload the requests, to be forgotten after a week, and create the job."""
        fields = {"purpose": "batch", "expiry": str(_FILE_HOURS)}
        body = {
            "input_files": [uploaded(job, {}, fields, caller)],
            "endpoint": "/v1/chat/completions",
            "model": job.model,
            "timeout_hours": _TIMEOUT_HOURS,
            "metadata": {MARK: job.id},
        }
        return id_of(caller.ask(Relayed("POST", _JOBS, JSON, dumps(body))))

    def find(self, sought: SoughtBatch, caller: BatchCaller) -> str | None:
        """Look for our mark in the jobs made since."""
        for page in count():
            target = f"{_JOBS}?page={page}&page_size={_PAGE}&order_by=-created"
            jobs = entries_in(caller.ask(Relayed("GET", target, ACCEPT)), "data")
            if native_id := marked_in(jobs, sought):
                return native_id
            if not jobs or is_older(jobs[-1], sought):
                break
        return None

    def progress(self, native_id: str, caller: BatchCaller) -> BatchProgress:
        """Return how far it is; why it has failed is only told in sentences."""
        status = str(caller.ask(Relayed("GET", f"{_JOBS}/{native_id}", ACCEPT)).get("status"))
        return BatchProgress(_ENDS.get(status), status if status == "FAILED" else "")

    def cancel(self, native_id: str, caller: BatchCaller) -> None:
        """Request its cancellation."""
        caller.ask(Relayed("POST", f"{_JOBS}/{native_id}/cancel", ACCEPT))

    def replies(self, native_id: str, caller: BatchCaller) -> Iterator[BatchReply]:
        """Yield what is in the files of outputs and of errors."""
        job = caller.ask(Relayed("GET", f"{_JOBS}/{native_id}", ACCEPT))
        lines = result_lines(job, ("output_file", "error_file"), caller)
        return filter(None, map(_reply, lines))


def _reply(line: Json) -> BatchReply | None:
    return reply_in(line) or _failed(line)


def _failed(line: Json) -> BatchReply | None:
    """Return the result of a request that has no body of its own; None if none can be told."""
    custom_id, error = line.get("custom_id"), line.get("error")
    if not isinstance(custom_id, str) or not error:
        return None
    told = error if isinstance(error, dict) else {"message": str(error)}
    return BatchReply(custom_id, _status_in(line.get("response")), {"error": told})


def _status_in(response: Any) -> int:
    status = response.get("status_code") if isinstance(response, dict) else None
    return status if isinstance(status, int) and status >= 300 else UNTOLD_STATUS
