"""Batches in OpenAI's form: a file of requests goes up, files of results come down.

Addresses, fields, states and limits: OpenAI's API reference and openai-python 3.57, seen
2026-11-25. A batch asks one endpoint and one model.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

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
from airelays_app.providers.batch_calls import ACCEPT, JSON, entries_in, id_of
from airelays_app.providers.batch_files import (
    MARK,
    is_older,
    marked_in,
    reply_in,
    result_lines,
    uploaded,
)

_ENDPOINTS: Mapping[str, str] = MappingProxyType(
    {"responses": "/v1/responses", "chat": "/v1/chat/completions"}
)
_ENDS: Mapping[str, BatchEnd] = MappingProxyType(
    {
        "completed": "completed",
        "failed": "failed",
        "expired": "expired",
        "cancelled": "cancelled",
    }
)
_PAGE = 100
_FILE_SECONDS = 7 * 24 * 3600
_FILE_EXPIRES: Mapping[str, str] = MappingProxyType(
    {"expires_after[anchor]": "created_at", "expires_after[seconds]": str(_FILE_SECONDS)}
)


class OpenAIBatches:
    """The batches of one such server, for requests in these dialects.

    It takes 50,000 requests and 200 MB; less of it is sent at once, because it is made in memory.
    ``files_expire`` says that it can be told to forget the files after a while.
    """

    most_requests = 10_000
    most_bytes = 16_000_000

    def __init__(self, dialects: tuple[str, ...], *, files_expire: bool) -> None:
        self.dialects = frozenset(dialects)
        self._files_expire = files_expire

    def submit(self, job: BatchJob, caller: BatchCaller) -> str:
        """Upload the requests and create the batch."""
        endpoint = _ENDPOINTS[job.dialect]
        line = {"method": "POST", "url": endpoint}
        fields = {"purpose": "batch", **(_FILE_EXPIRES if self._files_expire else {})}
        body: Json = {
            "input_file_id": uploaded(job, line, fields, caller),
            "endpoint": endpoint,
            "completion_window": "24h",
            "metadata": {MARK: job.id},
        }
        if self._files_expire:
            body["output_expires_after"] = {"anchor": "created_at", "seconds": _FILE_SECONDS}
        return id_of(caller.ask(Relayed("POST", "/batches", JSON, dumps(body))))

    def find(self, sought: SoughtBatch, caller: BatchCaller) -> str | None:
        """Look for our mark in the batches made since."""
        after = ""
        while True:
            page = caller.ask(Relayed("GET", f"/batches?limit={_PAGE}{after}", ACCEPT))
            batches = entries_in(page, "data")
            if native_id := marked_in(batches, sought):
                return native_id
            if not batches or is_older(batches[-1], sought) or not page.get("has_more"):
                return None
            after = f"&after={id_of(batches[-1])}"

    def progress(self, native_id: str, caller: BatchCaller) -> BatchProgress:
        """Return how far it is; a batch whose file was refused has failed."""
        batch = caller.ask(Relayed("GET", f"/batches/{native_id}", ACCEPT))
        return BatchProgress(_ENDS.get(str(batch.get("status"))), _complaints(batch))

    def cancel(self, native_id: str, caller: BatchCaller) -> None:
        """Cancel it; that takes up to ten minutes."""
        caller.ask(Relayed("POST", f"/batches/{native_id}/cancel", ACCEPT))

    def replies(self, native_id: str, caller: BatchCaller) -> Iterator[BatchReply]:
        """Yield what is in the files of outputs and of errors; what was not run has no answer."""
        batch = caller.ask(Relayed("GET", f"/batches/{native_id}", ACCEPT))
        lines = result_lines(batch, ("output_file_id", "error_file_id"), caller)
        return filter(None, map(reply_in, lines))


def _complaints(batch: Json) -> str:
    errors = batch.get("errors") or {}
    entries = [each for each in errors.get("data") or () if isinstance(each, dict)]
    return ", ".join(str(each.get("code")) for each in entries[:3])
