"""Gemini's batches: requests in one body, results within the operation that stands for it.

Addresses, fields, states and limits: Google's API reference and google-genai 3.6, seen 2026-11-25.
Results come in any order (python-genai issue 1909), so they are told apart by the key that each
request has in its metadata; it has been missing in the past (issue 2008).
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from urllib.parse import quote

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
from airelays_app.providers.batch_calls import ACCEPT, JSON, entries_in, safe_id
from airelays_app.providers.rpc_codes import RPC_CODES

_PAGE = 100
_ENDS: Mapping[str, BatchEnd] = MappingProxyType(
    {
        "BATCH_STATE_SUCCEEDED": "completed",
        "BATCH_STATE_FAILED": "failed",
        "BATCH_STATE_CANCELLED": "cancelled",
        "BATCH_STATE_EXPIRED": "expired",
    }
)


class GeminiBatches:
    """It takes 20 MB inline; all results come in one answer, so there are fewer requests in one."""

    dialects = frozenset({"gemini"})
    most_requests = 1_000
    most_bytes = 16_000_000

    def submit(self, job: BatchJob, caller: BatchCaller) -> str:
        """Create the batch, under our id as its name for people."""
        requests = b",".join(
            b'{"request":%b,"metadata":{"key":%b}}' % (line.body, dumps(line.custom_id))
            for line in job.lines
        )
        body = b'{"batch":{"displayName":%b,"inputConfig":{"requests":{"requests":[%b]}}}}' % (
            dumps(job.id),
            requests,
        )
        target = "/{model}:batchGenerateContent"
        return _name_of(caller.ask(Relayed("POST", target, JSON, body, model=job.model)))

    def find(self, sought: SoughtBatch, caller: BatchCaller) -> str | None:
        """Look for our id among the names of all batches; the order of the list is not told."""
        token = ""
        while True:
            page = caller.ask(Relayed("GET", f"/batches?pageSize={_PAGE}{token}", ACCEPT))
            for operation in entries_in(page, "operations"):
                if _metadata(operation).get("displayName") == sought.id:
                    return _name_of(operation)
            if not (following := page.get("nextPageToken")):
                return None
            token = f"&pageToken={quote(str(following), safe='')}"

    def progress(self, native_id: str, caller: BatchCaller) -> BatchProgress:
        """Return how far it is; results that cannot be told apart are none."""
        operation = caller.ask(Relayed("GET", f"/{native_id}", ACCEPT))
        end = _ENDS.get(str(_metadata(operation).get("state")))
        if end == "completed" and not all(map(_key_of, _responses(operation))):
            return BatchProgress("failed", "its results do not say whose they are")
        error = operation.get("error")
        return BatchProgress(end, str(error.get("code")) if isinstance(error, dict) else "")

    def cancel(self, native_id: str, caller: BatchCaller) -> None:
        """Cancel it."""
        caller.ask(Relayed("POST", f"/{native_id}:cancel", ACCEPT))

    def replies(self, native_id: str, caller: BatchCaller) -> Iterator[BatchReply]:
        """Yield the responses and the errors."""
        operation = caller.ask(Relayed("GET", f"/{native_id}", ACCEPT))
        return filter(None, map(_reply, _responses(operation)))


def _reply(entry: Json) -> BatchReply | None:
    response, error = entry.get("response"), entry.get("error")
    if isinstance(response, dict):
        return BatchReply(_key_of(entry), 200, response)
    if not isinstance(error, dict):
        return None
    status, word = RPC_CODES.get(error.get("code", 0), (500, "INTERNAL"))
    told = {**error, "code": status, "status": word}
    return BatchReply(_key_of(entry), status, {"error": told})


def _responses(operation: Json) -> list[Json]:
    """Return the results; the operation has them as its response and in its metadata."""
    for holder in (operation.get("response"), _metadata(operation).get("output")):
        inlined = holder.get("inlinedResponses") if isinstance(holder, dict) else None
        if isinstance(inlined, dict):
            return entries_in(inlined, "inlinedResponses")
    return []


def _key_of(entry: Json) -> str:
    return str(_metadata(entry).get("key") or "")


def _metadata(holder: Json) -> Json:
    found = holder.get("metadata")
    return found if isinstance(found, dict) else {}


def _name_of(operation: Json) -> str:
    """Return the name of a batch, which can stand in a path; raises UpstreamError."""
    name = str(operation.get("name") or "")
    return f"batches/{safe_id(name.removeprefix('batches/'))}"
