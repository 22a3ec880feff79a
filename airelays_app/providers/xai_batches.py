"""xAI's batches: a file of requests goes up, results come down in pages.

Addresses and fields: docs.x.ai (Batch API), xai-sdk 1.21 (``batch_pb2``) and clients that were run
against it (vercel/ai pull request 19525, litellm's ``llms/xai``), seen 2026-11-26. A batch has a
name and counts, but no state and no metadata; its date has no time, and the order of their list is
not told. Results are chat completions whatever was asked for, so nothing else is. xAI cancels a
batch itself whose file is broken or whose model takes none.
"""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from airelays_app.dialects.base import Json
from airelays_app.framing.jsontext import dumps
from airelays_app.providers.base import (
    BatchCaller,
    BatchJob,
    BatchProgress,
    BatchReply,
    Relayed,
    SoughtBatch,
)
from airelays_app.providers.batch_calls import ACCEPT, JSON, UNTOLD_STATUS, entries_in, safe_id
from airelays_app.providers.batch_files import uploaded
from airelays_app.providers.rpc_codes import CANCELLED, RPC_CODES

_BATCHES = "/batches"
_PAGE = 100
_LINE = MappingProxyType({"method": "POST", "url": "/v1/chat/completions"})
_FILE = MappingProxyType({"expires_after": str(7 * 24 * 3600)})


class XAIBatches:
    """It may slow down what has more than 100,000 requests; less is sent, made in memory."""

    dialects = frozenset({"chat"})
    most_requests = 10_000
    most_bytes = 16_000_000

    def submit(self, job: BatchJob, caller: BatchCaller) -> str:
        """Upload the requests, to be forgotten after a week, and create the batch under our id."""
        body = {"name": job.id, "input_file_id": uploaded(job, _LINE, _FILE, caller)}
        return _id_of(caller.ask(Relayed("POST", _BATCHES, JSON, dumps(body))))

    def find(self, sought: SoughtBatch, caller: BatchCaller) -> str | None:
        """Look for our id among the names of all batches."""
        batches = _listed(_BATCHES, "batches", caller)
        ours = (batch for batch in batches if batch.get("name") == sought.id)
        return next(map(_id_of, ours), None)

    def progress(self, native_id: str, caller: BatchCaller) -> BatchProgress:
        """Return how far it is; without any request its file has not been read yet."""
        batch = caller.ask(Relayed("GET", f"{_BATCHES}/{native_id}", ACCEPT))
        if batch.get("cancel_by_xai_message"):
            return BatchProgress("failed", "it was cancelled there")
        if batch.get("cancel_time"):
            return BatchProgress("cancelled")
        state = batch.get("state") or {}
        has_run = state.get("num_requests") and not state.get("num_pending")
        return BatchProgress("completed" if has_run else None)

    def cancel(self, native_id: str, caller: BatchCaller) -> None:
        """Cancel it."""
        caller.ask(Relayed("POST", f"{_BATCHES}/{native_id}:cancel", ACCEPT))

    def replies(self, native_id: str, caller: BatchCaller) -> Iterator[BatchReply]:
        """Yield the completions and the errors."""
        results = _listed(f"{_BATCHES}/{native_id}/results", "results", caller)
        return filter(None, map(_reply, results))


def _listed(place: str, name: str, caller: BatchCaller) -> Iterator[Json]:
    """Yield what is listed under ``name`` on all pages."""
    after = ""
    while True:
        page = caller.ask(Relayed("GET", f"{place}?limit={_PAGE}{after}", ACCEPT))
        entries = entries_in(page, name)
        yield from entries
        token = page.get("pagination_token")
        if not entries or not token:
            return
        after = f"&pagination_token={quote(str(token), safe='')}"


def _reply(entry: Json) -> BatchReply | None:
    """Return a request's result; None for one that was cancelled."""
    custom_id, result = entry.get("batch_request_id"), entry.get("batch_result")
    if not isinstance(custom_id, str):
        return None
    told = result if isinstance(result, dict) else {}
    response = told.get("response")
    body = response.get("chat_get_completion") if isinstance(response, dict) else None
    if isinstance(body, dict):
        return BatchReply(custom_id, 200, body)
    error = told.get("error")
    fields = error if isinstance(error, dict) else {"message": error}
    code = _code_of(fields.get("code"))
    if code == CANCELLED:
        return None
    status, _ = RPC_CODES.get(code, (UNTOLD_STATUS, ""))
    message = fields.get("message") or entry.get("error_message") or "xAI does not say why."
    return BatchReply(custom_id, status, {"error": {"message": str(message)}})


def _code_of(told: Any) -> int:
    return int(told) if str(told).isdecimal() else 0


def _id_of(batch: Json) -> str:
    return safe_id(batch.get("batch_id"))
