"""Files and batches as OpenAI has them (API reference and openai-python 3.57, seen 2026-11-25)."""

import secrets
from collections.abc import Mapping
from typing import Any

from airelays_app.sandbox import wire_json
from airelays_app.sandbox.batch_files import BatchFiles
from airelays_app.sandbox.batching import SandboxBatch, answer_alone, fate_of, page_of
from airelays_app.sandbox.exchange import Answer, json_answer
from airelays_app.sandbox.faults import fault
from airelays_app.sandbox.operations import fields_of
from airelays_app.sandbox.routing import Route, Visit
from airelays_app.sandbox.settings import Settings

Json = dict[str, Any]

MOST_REQUESTS = 50_000
_STATUSES = {"running": "in_progress"}


class Batches:
    """The files and batches of one server; ``endpoints`` are the routes that a batch may ask."""

    def __init__(self, settings: Settings, endpoints: Mapping[str, Route]) -> None:
        self._settings = settings
        self._endpoints = endpoints
        self._files = BatchFiles("/v1/files/", lambda: f"file-{secrets.token_hex(12)}")
        self._batches: dict[str, SandboxBatch] = {}

    def upload(self, visit: Visit) -> Answer:
        """Store a file."""
        form = fields_of(visit.request)
        name, content = form.get("file", ("", b""))
        purpose = form.get("purpose", ("", b""))[1].decode()
        if not name:
            return fault("'file' is a required property", "file")
        if purpose != "batch":
            return fault(f"'{purpose}' is not one of ['batch', ...] - 'purpose'", "purpose")
        shown = self._files.stored(name, content, purpose)
        return json_answer(200, {**shown, "status": "processed"})

    def file(self, visit: Visit) -> Answer:
        """Answer for one file: its content."""
        return self._files.download(visit) or fault("No such File object", "id", status=404)

    def create(self, visit: Visit) -> Answer:
        """Create a batch; what is wrong in its file shows in the batch."""
        body = visit.body
        file_id, endpoint = body.get("input_file_id"), body.get("endpoint")
        if body.get("completion_window") != "24h":
            return fault("Invalid value for 'completion_window': use '24h'.", "completion_window")
        if endpoint not in self._endpoints:
            return fault(f"Invalid value: '{endpoint}'.", "endpoint", "invalid_value")
        content = self._files.read(file_id)
        if content is None:
            return fault(f"No such File object: {file_id}", "input_file_id", status=404)
        batch = self._made(visit, str(endpoint), content)
        self._batches[f"batch_{batch.id}"] = batch
        return json_answer(200, self._shown(batch))

    def list(self, visit: Visit) -> Answer:
        """List the batches, newest first."""
        for batch in self._batches.values():
            self._look(batch)
        shown = [self._shown(batch) for batch in reversed(self._batches.values())]
        query = visit.request.query
        page = page_of(shown, after=query.get("after", ""), limit=int(query.get("limit", 20)))
        return json_answer(200, {"object": "list", **page})

    def batch(self, visit: Visit) -> Answer:
        """Answer for one batch: how far it is, or cancel it."""
        batch_id, _, what = visit.request.path.removeprefix("/v1/batches/").partition("/")
        batch = self._batches.get(batch_id)
        if batch is None:
            return fault(f"No batch found with id '{batch_id}'.", None, status=404)
        if what == "cancel":
            if batch.state != "running":
                message = f"Cannot cancel a batch with status '{batch.state}'."
                return fault(message, None, status=409)
            batch.cancel()
        else:
            self._look(batch)
        return json_answer(200, self._shown(batch))

    def _made(self, visit: Visit, endpoint: str, content: bytes) -> SandboxBatch:
        details = {
            "endpoint": endpoint,
            "input_file_id": visit.body["input_file_id"],
            "metadata": visit.body.get("metadata"),
        }
        looks, fate = self._settings.batch_looks, fate_of(visit)
        try:
            lines = _lines(content, endpoint)
        except ValueError as error:
            details["errors"] = {"object": "list", "data": [_complaint(str(error))]}
            return SandboxBatch((), looks, "failed", details)
        if fate == "failed":
            details["errors"] = {"object": "list", "data": [_complaint("It was told to fail.")]}
        route = self._endpoints[endpoint]
        results = [(line["custom_id"], answer_alone(route, line["body"])) for line in lines]
        return SandboxBatch(results, looks, fate, details)

    def _look(self, batch: SandboxBatch) -> None:
        """Let it go on a little; at its end its results are written."""
        if batch.look() == "running" or "output_file_id" in batch.details:
            return
        late = [_expired(id_) for id_ in batch.undone if batch.state == "expired"]
        good, bad = self._files.store_results(batch, _result, *late)
        batch.details |= {"output_file_id": good, "error_file_id": bad}

    def _shown(self, batch: SandboxBatch) -> Json:
        done = [answer.status < 300 for _, answer in batch.done]
        counts = {"total": len(batch.results), "completed": sum(done)}
        return {
            "id": f"batch_{batch.id}",
            "object": "batch",
            "errors": None,
            "output_file_id": None,
            "error_file_id": None,
            **batch.details,
            "completion_window": "24h",
            "status": _STATUSES.get(batch.state, batch.state),
            "created_at": batch.created_at,
            "expires_at": batch.created_at + 86_400,
            "request_counts": {**counts, "failed": len(done) - counts["completed"]},
        }


def _lines(content: bytes, endpoint: str) -> list[Json]:
    """Return the requests of a file.

    Raises:
        ValueError: a line is none, repeats an id or asks for something else than the first.
    """
    lines = [wire_json.loads(line) for line in content.splitlines() if line.strip()]
    if not lines or len(lines) > MOST_REQUESTS:
        raise ValueError("The input file is empty, or has too many requests.")
    for line in lines:
        if line.keys() != {"custom_id", "method", "url", "body"} or line["method"] != "POST":
            raise ValueError("A line lacks a required field, or has one too many.")
        if line["url"] != endpoint:
            raise ValueError("The URL provided for this request does not match the endpoint.")
        if line["body"].get("stream"):
            raise ValueError("Streaming is not supported in the Batch API.")
    if len({line["custom_id"] for line in lines}) < len(lines):
        raise ValueError("The custom_id for this request is a duplicate of another request.")
    if len({line["body"].get("model") for line in lines}) > 1:
        raise ValueError("The provided model does not match the first request's.")
    return lines


def _complaint(message: str) -> Json:
    return {"code": "invalid_request", "message": message, "param": None, "line": 1}


def _result(custom_id: str, answer: Answer) -> bytes:
    response = {
        "status_code": answer.status,
        "request_id": secrets.token_hex(16),
        "body": wire_json.loads(answer.body),
    }
    return _line(custom_id, response, None)


def _expired(custom_id: str) -> bytes:
    message = "This request could not be executed before the completion window expired."
    return _line(custom_id, None, {"code": "batch_expired", "message": message})


def _line(custom_id: str, response: Json | None, error: Json | None) -> bytes:
    whole = {"id": f"batch_req_{secrets.token_hex(12)}", "custom_id": custom_id}
    return wire_json.dumps({**whole, "response": response, "error": error}) + b"\n"
