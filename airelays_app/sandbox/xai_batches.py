"""Files and batches as xAI has them (docs.x.ai, xai-sdk 1.21 and its users, seen 2026-11-26).

What becomes of a batch that takes too long is not told: here xAI cancels it, as it does with others
that it does not go on with. The list begins with the oldest, and ends nowhere by date.
"""

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from airelays_app.sandbox import wire_json
from airelays_app.sandbox.batch_files import BatchFiles
from airelays_app.sandbox.batching import SandboxBatch, answer_alone, fate_of
from airelays_app.sandbox.exchange import Answer, json_answer
from airelays_app.sandbox.operations import fields_of
from airelays_app.sandbox.routing import Route, Visit
from airelays_app.sandbox.settings import Settings

Json = dict[str, Any]

_CANCELLED, _UNKNOWN = 1, 2
_CODES: Mapping[int, int] = {400: 3, 401: 16, 403: 7, 404: 5, 429: 8, 503: 14}
"""google.rpc.Code by the status of an answer; anything else is UNKNOWN."""

_NO_COUNTS = dict.fromkeys(
    ("num_requests", "num_pending", "num_success", "num_error", "num_cancelled"), 0
)
_WINDOW_SECONDS = 30 * 86_400


class Batches:
    """The files and batches; ``endpoints`` are the routes of requests, ``base`` where it all is."""

    def __init__(self, settings: Settings, endpoints: Mapping[str, Route], base: str) -> None:
        self._settings = settings
        self._endpoints = endpoints
        self._place = f"{base}/batches/"
        self._files = BatchFiles(f"{base}/files/", lambda: f"file_{uuid.uuid4()}")
        self._batches: dict[str, SandboxBatch] = {}

    def upload(self, visit: Visit) -> Answer:
        """Store a file; what is said of it has to come before it."""
        form = fields_of(visit.request)
        name, content = form.get("file", ("", b""))
        if not name or list(form)[-1] != "file":
            return _refused("The file must be the last field.")
        seconds = form.get("expires_after", ("", b"3600"))[1]
        if not seconds.isdigit() or not 3600 <= int(seconds) <= _WINDOW_SECONDS:
            return _refused("expires_after must be between 3600 and 2592000.")
        return json_answer(200, self._files.stored(name, content, purpose=""))

    def create(self, visit: Visit) -> Answer:
        """Create a batch; what is wrong in its file shows in the batch."""
        name, file_id = visit.body.get("name"), visit.body.get("input_file_id")
        content = self._files.read(file_id)
        if not name or visit.body.keys() - {"name", "input_file_id"}:
            return _refused("name is required, input_file_id is possible.")
        if content is None:
            return _refused("The file does not exist.", 404)
        looks, fate = self._settings.batch_looks, fate_of(visit)
        details = {"name": name, "input_file_id": file_id}
        try:
            results = [self._run(line) for line in _lines(content)]
        except (KeyError, ValueError) as error:
            details["wrong"] = f"JSONL file validation failed: {error}"
            results, fate = [], "failed"
        batch = SandboxBatch(results, looks, fate, details, id=f"batch_{uuid.uuid4()}")
        self._batches[batch.id] = batch
        return json_answer(200, {**_shown(batch), "state": _NO_COUNTS})

    def list(self, visit: Visit) -> Answer:
        """List the batches."""
        for batch in self._batches.values():
            batch.look()
        return _page("batches", [_shown(batch) for batch in self._batches.values()], visit)

    def batch(self, visit: Visit) -> Answer:
        """Answer for one batch: how far it is, its results, or cancel it."""
        path = visit.request.path.removeprefix(self._place)
        batch_id, _, what = path.replace(":", "/").partition("/")
        batch = self._batches.get(batch_id)
        if batch is None:
            return _refused("Batch not found", 404, "not-found")
        if what == "results":
            return _page("results", _results(batch), visit)
        if what == "cancel" and batch.state == "running":
            batch.cancel()
        elif what != "cancel":
            batch.look()
        return json_answer(200, _shown(batch))

    def _run(self, line: Json) -> tuple[str, Answer]:
        return line["custom_id"], answer_alone(self._endpoints[line["url"]], line["body"])


def _lines(content: bytes) -> Sequence[Json]:
    """Return the requests of a file; raises ValueError for a file without any, or with others."""
    lines = [wire_json.loads(line) for line in content.splitlines() if line.strip()]
    if not lines:
        raise ValueError("it has no requests")
    for line in lines:
        if line.keys() != {"custom_id", "method", "url", "body"}:
            raise ValueError("a line is no request")
    return lines


def _shown(batch: SandboxBatch) -> Json:
    state, details = batch.state, batch.details
    broken = "it was told to fail" if state == "failed" else None
    why = "it took too long" if state == "expired" else details.get("wrong", broken)
    is_over = state in ("cancelled", "expired", "failed")
    return {
        "batch_id": batch.id,
        "name": details["name"],
        "input_file_id": details["input_file_id"],
        "create_time": _day(batch.created_at),
        "expire_time": _day(batch.created_at + _WINDOW_SECONDS),
        "create_api_key_id": "sandbox",
        "cancel_time": _day(time.time()) if is_over else None,
        "cancel_by_xai_message": why,
        "state": _NO_COUNTS if state == "failed" else _counts(batch),
    }


def _counts(batch: SandboxBatch) -> dict[str, int]:
    done = [answer.status < 300 for _, answer in batch.done]
    undone = len(batch.undone)
    return {
        "num_requests": len(batch.results),
        "num_pending": len(batch.results) if batch.state == "running" else 0,
        "num_success": sum(done),
        "num_error": len(done) - sum(done),
        "num_cancelled": undone,
    }


def _results(batch: SandboxBatch) -> list[Json]:
    results = [{"batch_request_id": id_, **_told(answer)} for id_, answer in batch.done]
    if batch.state == "cancelled":
        results += [_error(id_, _CANCELLED, "The request was cancelled.") for id_ in batch.undone]
    if batch.fate == "holed":
        results += [_error("a-stranger", _UNKNOWN, "Nobody knows it."), {"batch_result": None}]
    return results


def _told(answer: Answer) -> Json:
    body = wire_json.loads(answer.body)
    if answer.status < 300:
        whole = {"response": {"chat_get_completion": body}, "error": {"code": 0, "message": ""}}
        return {"batch_result": whole}
    message = body["error"]["message"]
    error = {"code": _CODES.get(answer.status, _UNKNOWN), "message": message}
    return {"batch_result": {"error": error}, "error_message": message}


def _error(id_: str, code: int, message: str) -> Json:
    return {"batch_request_id": id_, "batch_result": {"error": {"code": code, "message": message}}}


def _page(name: str, entries: Sequence[Json], visit: Visit) -> Answer:
    start = int(visit.request.query.get("pagination_token", 0))
    end = start + int(visit.request.query.get("limit", 100))
    token = str(end) if len(entries) > end else None
    return json_answer(200, {name: entries[start:end], "pagination_token": token})


def _refused(message: str, status: int = 400, code: str = "invalid-argument") -> Answer:
    return json_answer(status, {"code": code, "error": message})


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))
