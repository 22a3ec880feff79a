"""Anthropic's batches: requests in one body, results in lines.

Addresses, fields, states and limits: Anthropic's API documentation and anthropic-python 2.14, seen
2026-11-25. A batch has no mark of ours, and its requests cannot be read back; its results can.
"""

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from types import MappingProxyType

from airelays_app.dialects.base import Json
from airelays_app.errors import UpstreamError
from airelays_app.framing.jsontext import dumps
from airelays_app.providers.base import (
    BatchCaller,
    BatchEnd,
    BatchJob,
    BatchProgress,
    BatchReply,
    BatchUndecidedError,
    Relayed,
    SoughtBatch,
)
from airelays_app.providers.batch_calls import ACCEPT, CLOCKS_APART_SECONDS, JSON, entries_in, id_of

_BATCHES = "/messages/batches"
_PAGE = 100
_STATUSES: Mapping[str, int] = MappingProxyType(
    {
        "invalid_request_error": 400,
        "authentication_error": 401,
        "billing_error": 402,
        "permission_error": 403,
        "not_found_error": 404,
        "request_too_large": 413,
        "rate_limit_error": 429,
        "api_error": 500,
        "timeout_error": 504,
        "overloaded_error": 529,
    }
)
"""The status that a request by itself would have had; the types are the documentation's."""


class AnthropicBatches:
    """It takes 100,000 requests and 256 MB; less is sent at once, because it is made in memory."""

    dialects = frozenset({"messages"})
    most_requests = 10_000
    most_bytes = 16_000_000

    def submit(self, job: BatchJob, caller: BatchCaller) -> str:
        """Create the batch."""
        requests = b",".join(
            b'{"custom_id":%b,"params":%b}' % (dumps(line.custom_id), line.body)
            for line in job.lines
        )
        body = b'{"requests":[%b]}' % requests
        return id_of(caller.ask(Relayed("POST", _BATCHES, JSON, body)))

    def find(self, sought: SoughtBatch, caller: BatchCaller) -> str | None:
        """Look at the results of what was made since and has as many requests.

        Raises BatchUndecidedError while such a batch still runs.
        """
        running = False
        for batch in self._made_since(sought.sent_at - CLOCKS_APART_SECONDS, caller):
            id_ = id_of(batch)
            if id_ in sought.known or sum(_counts(batch).values()) != sought.size:
                continue
            if _has_ended(batch):
                if self._is_ours(id_, sought, caller):
                    return id_
            else:
                running = True
        if running:
            raise BatchUndecidedError
        return None

    def progress(self, native_id: str, caller: BatchCaller) -> BatchProgress:
        """Return how far it is."""
        batch = caller.ask(Relayed("GET", f"{_BATCHES}/{native_id}", ACCEPT))
        return BatchProgress(_end_of(batch) if _has_ended(batch) else None)

    def cancel(self, native_id: str, caller: BatchCaller) -> None:
        """Cancel it; what cannot be interrupted comes to its end."""
        caller.ask(Relayed("POST", f"{_BATCHES}/{native_id}/cancel", ACCEPT))

    def replies(self, native_id: str, caller: BatchCaller) -> Iterator[BatchReply]:
        """Yield the messages and the errors."""
        return filter(None, map(_reply, self._results(native_id, caller)))

    def _results(self, native_id: str, caller: BatchCaller) -> Generator[Json]:
        return caller.lines(Relayed("GET", f"{_BATCHES}/{native_id}/results"))

    def _is_ours(self, native_id: str, sought: SoughtBatch, caller: BatchCaller) -> bool:
        with closing(self._results(native_id, caller)) as results:
            first = next(results, {})
        return str(first.get("custom_id")).startswith(f"{sought.id}-")

    def _made_since(self, moment: float, caller: BatchCaller) -> Iterator[Json]:
        after = ""
        while True:
            page = caller.ask(Relayed("GET", f"{_BATCHES}?limit={_PAGE}{after}", ACCEPT))
            batches = entries_in(page, "data")
            for batch in batches:
                if _made_at(batch) < moment:
                    return
                yield batch
            if not batches or not page.get("has_more"):
                return
            after = f"&after_id={id_of(batches[-1])}"


def _reply(line: Json) -> BatchReply | None:
    """Return a line's result; None for a request that was canceled or expired."""
    result, custom_id = line.get("result"), line.get("custom_id")
    if not isinstance(result, dict) or not isinstance(custom_id, str):
        return None
    kind = result.get("type")
    body = result.get("message" if kind == "succeeded" else "error")
    if kind not in ("succeeded", "errored") or not isinstance(body, dict):
        return None
    return BatchReply(custom_id, 200 if kind == "succeeded" else _status_of(body), body)


def _status_of(told: Json) -> int:
    error = told.get("error")
    kind = error.get("type") if isinstance(error, dict) else told.get("type")
    return _STATUSES.get(str(kind), 500)


def _has_ended(batch: Json) -> bool:
    return batch.get("processing_status") == "ended"


def _end_of(batch: Json) -> BatchEnd:
    counts = _counts(batch)
    if counts.get("expired"):
        return "expired"
    return "cancelled" if counts.get("canceled") else "completed"


def _counts(batch: Json) -> dict[str, int]:
    counts = batch.get("request_counts")
    given = counts if isinstance(counts, dict) else {}
    return {name: count for name, count in given.items() if isinstance(count, int)}


def _made_at(batch: Json) -> float:
    try:
        return datetime.fromisoformat(str(batch.get("created_at"))).timestamp()
    except ValueError as error:
        raise UpstreamError("The upstream told of a batch without a date.") from error
