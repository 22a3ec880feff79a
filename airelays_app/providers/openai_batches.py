"""Batches in OpenAI's form: a file of requests goes up, files of results come down.

Addresses, fields, states and limits: OpenAI's API reference and openai-python 3.57, seen
2026-11-25. A batch asks one endpoint and one model; its metadata can be read when batches are
listed, newest first.
"""

import secrets
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from airelays_app.dialects.base import Json
from airelays_app.errors import UpstreamError
from airelays_app.framing.jsontext import dumps
from airelays_app.providers.base import (
    BatchCaller,
    BatchEnd,
    BatchJob,
    BatchLine,
    BatchProgress,
    BatchReply,
    Relayed,
    SoughtBatch,
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
_MARK = "airelays"
"""The entry of a batch's metadata that has our id."""

_PAGE = 100
_CLOCKS_APART_SECONDS = 300
_JSON = MappingProxyType({"Accept": "application/json", "Content-Type": "application/json"})
_ACCEPT = MappingProxyType({"Accept": "application/json"})
_FILE_SECONDS = 7 * 24 * 3600


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
        body: Json = {
            "input_file_id": self._uploaded(job, endpoint, caller),
            "endpoint": endpoint,
            "completion_window": "24h",
            "metadata": {_MARK: job.id},
        }
        if self._files_expire:
            body["output_expires_after"] = {"anchor": "created_at", "seconds": _FILE_SECONDS}
        return _id_of(caller.ask(Relayed("POST", "/batches", _JSON, dumps(body))))

    def find(self, sought: SoughtBatch, caller: BatchCaller) -> str | None:
        """Look for our mark in the batches made since."""
        after = ""
        while True:
            page = caller.ask(Relayed("GET", f"/batches?limit={_PAGE}{after}", _ACCEPT))
            batches = [each for each in page.get("data") or () if isinstance(each, dict)]
            for batch in batches:
                if (batch.get("metadata") or {}).get(_MARK) == sought.id:
                    return _id_of(batch)
            oldest = batches[-1] if batches else {}
            is_older = _made_at(oldest) < sought.sent_at - _CLOCKS_APART_SECONDS
            if not batches or is_older or not page.get("has_more"):
                return None
            after = f"&after={_id_of(oldest)}"

    def progress(self, native_id: str, caller: BatchCaller) -> BatchProgress:
        """Return how far it is; a batch whose file was refused has failed."""
        batch = caller.ask(Relayed("GET", f"/batches/{native_id}", _ACCEPT))
        return BatchProgress(_ENDS.get(str(batch.get("status"))), _complaints(batch))

    def cancel(self, native_id: str, caller: BatchCaller) -> None:
        """Cancel it; that takes up to ten minutes."""
        caller.ask(Relayed("POST", f"/batches/{native_id}/cancel", _ACCEPT))

    def replies(self, native_id: str, caller: BatchCaller) -> Iterator[BatchReply]:
        """Yield what is in the files of outputs and of errors."""
        batch = caller.ask(Relayed("GET", f"/batches/{native_id}", _ACCEPT))
        for name in ("output_file_id", "error_file_id"):
            if file_id := batch.get(name):
                target = f"/files/{_safe(file_id)}/content"
                lines = caller.lines(Relayed("GET", target, MappingProxyType({})))
                yield from filter(None, map(_reply, lines))

    def _uploaded(self, job: BatchJob, endpoint: str, caller: BatchCaller) -> str:
        fields = {"purpose": "batch"}
        if self._files_expire:
            fields["expires_after[anchor]"] = "created_at"
            fields["expires_after[seconds]"] = str(_FILE_SECONDS)
        content = b"".join(_written(line, endpoint) for line in job.lines)
        headers, form = _form(fields, filename=f"{job.id}.jsonl", content=content)
        return _id_of(caller.ask(Relayed("POST", "/files", headers, form)))


def _written(line: BatchLine, endpoint: str) -> bytes:
    head = dumps({"custom_id": line.custom_id, "method": "POST", "url": endpoint})
    return head[:-1] + b',"body":' + line.body + b"}\n"


def _form(
    fields: Mapping[str, str], *, filename: str, content: bytes
) -> tuple[Mapping[str, str], bytes]:
    """Return the headers and the body of a form with one file."""
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        "Content-Type: application/jsonl\r\n\r\n"
    )
    headers = {**_ACCEPT, "Content-Type": f"multipart/form-data; boundary={boundary}"}
    return headers, "".join(parts).encode() + content + f"\r\n--{boundary}--\r\n".encode()


def _reply(line: Json) -> BatchReply | None:
    """Return a line's result; None for a request that was not run before the end."""
    response, custom_id = line.get("response"), line.get("custom_id")
    if not isinstance(response, dict) or not isinstance(custom_id, str):
        return None
    status, body = response.get("status_code"), response.get("body")
    if not isinstance(status, int) or not isinstance(body, dict):
        return None
    return BatchReply(custom_id, status, body)


def _complaints(batch: Json) -> str:
    errors = batch.get("errors") or {}
    entries = [each for each in errors.get("data") or () if isinstance(each, dict)]
    return ", ".join(str(each.get("code")) for each in entries[:3])


def _made_at(batch: Json) -> int:
    made = batch.get("created_at")
    return made if isinstance(made, int) else 0


def _id_of(answer: Json) -> str:
    return _safe(answer.get("id"))


def _safe(id_: object) -> str:
    """Return an id that can stand in a path; raises UpstreamError."""
    if not isinstance(id_, str) or not id_.replace("-", "").replace("_", "").isalnum():
        raise UpstreamError("The upstream told of a batch or a file without a usable id.")
    return id_
