"""Files and batch jobs as Mistral has them (openapi.yaml and mistralai 3.7, seen 2026-11-26).

The lines of failed requests look as in the tests of its SDK; its documentation does not show them.
Nor does it say whether a job that ends early gives what it has done: here it does.
"""

import time
import uuid
from typing import Any

from airelays_app.sandbox import wire_json
from airelays_app.sandbox.batch_files import BatchFiles
from airelays_app.sandbox.batching import SandboxBatch, answer_alone, fate_of
from airelays_app.sandbox.exchange import Answer, json_answer
from airelays_app.sandbox.faults import detail
from airelays_app.sandbox.mistral_wire import invalid
from airelays_app.sandbox.operations import fields_of
from airelays_app.sandbox.routing import Route, Visit
from airelays_app.sandbox.settings import Settings

Json = dict[str, Any]

_ENDPOINT = "/v1/chat/completions"
_UPLOAD_FIELDS = frozenset({"file", "purpose", "expiry", "visibility"})
_JOB_FIELDS = frozenset(
    {"input_files", "requests", "endpoint", "model", "agent_id", "metadata", "timeout_hours"}
)
_LONGEST_KEY, _LONGEST_VALUE = 32, 512
_MOST_HOURS = 7 * 24
_STATUSES = {
    "running": "RUNNING",
    "completed": "SUCCESS",
    "failed": "FAILED",
    "expired": "TIMEOUT_EXCEEDED",
    "cancelled": "CANCELLED",
}


class Jobs:
    """The files and jobs; ``chat`` is the route that requests take, ``base`` where it all is."""

    def __init__(self, settings: Settings, chat: Route, base: str) -> None:
        self._settings = settings
        self._chat = chat
        self._place = f"{base}/batch/jobs/"
        self._files = BatchFiles(f"{base}/files/", lambda: str(uuid.uuid4()))
        self._jobs: dict[str, SandboxBatch] = {}

    def upload(self, visit: Visit) -> Answer:
        """Store a file."""
        form = fields_of(visit.request)
        name, content = form.get("file", ("", b""))
        if unknown := form.keys() - _UPLOAD_FIELDS:
            return invalid(min(unknown), "Extra inputs are not permitted")
        if not name:
            return invalid("file", "Field required")
        if form.get("purpose", ("", b""))[1] != b"batch":
            return invalid("purpose", "Input should be 'fine-tune', 'batch' or 'ocr'")
        hours = form.get("expiry", ("", b""))[1]
        if hours and not hours.isdigit():
            return invalid("expiry", "Input should be a valid integer")
        shown = self._files.stored(name, content, "batch")
        lifetime = int(hours) * 3600 if hours else None
        details = {
            "sample_type": "batch_request",
            "num_lines": len(content.splitlines()),
            "mimetype": "application/jsonl",
            "source": "upload",
            "signature": None,
            "expires_at": lifetime and shown["created_at"] + lifetime,
            "visibility": "workspace",
        }
        return json_answer(200, {**shown, **details})

    def file(self, visit: Visit) -> Answer:
        """Answer for one file: its content."""
        return self._files.download(visit) or detail("No file matches the given query.", 404)

    def create(self, visit: Visit) -> Answer:
        """Create a job; what is wrong in its file shows in the job."""
        body = visit.body
        if wrong := _wrong_in(body):
            return wrong
        contents = [self._files.read(id_) for id_ in body["input_files"]]
        if None in contents:
            return detail("No file matches the given query.", 404)
        job = self._made(visit, b"".join(content or b"" for content in contents))
        self._jobs[str(uuid.UUID(job.id))] = job
        return json_answer(200, {**self._shown(job), "status": "QUEUED"})

    def list(self, visit: Visit) -> Answer:
        """List the jobs, newest first unless asked otherwise."""
        for job in self._jobs.values():
            self._look(job)
        query = visit.request.query
        page, size = int(query.get("page", 0)), int(query.get("page_size", 100))
        shown = [self._shown(job) for job in self._jobs.values()]
        if query.get("order_by", "-created") == "-created":
            shown.reverse()
        data = shown[page * size : (page + 1) * size]
        return json_answer(200, {"object": "list", "data": data, "total": len(shown)})

    def job(self, visit: Visit) -> Answer:
        """Answer for one job: how far it is, or request its cancellation."""
        job_id, _, what = visit.request.path.removeprefix(self._place).partition("/")
        job = self._jobs.get(job_id)
        if job is None:
            return detail("No batch job matches the given query.", 404)
        if what != "cancel":
            self._look(job)
        elif job.state == "running":
            job.cancel()
            return json_answer(200, {**self._shown(job), "status": "CANCELLATION_REQUESTED"})
        return json_answer(200, self._shown(job))

    def _made(self, visit: Visit, content: bytes) -> SandboxBatch:
        body = visit.body
        details: Json = {
            name: body.get(name)
            for name in ("input_files", "endpoint", "model", "agent_id", "metadata")
        }
        looks, fate = self._settings.batch_looks, fate_of(visit)
        try:
            lines = _lines(content)
        except ValueError as error:
            details["errors"] = [{"message": str(error), "count": 1}]
            return SandboxBatch((), looks, "failed", details)
        model = {"model": body["model"]} if body.get("model") else {}
        results = [
            (line["custom_id"], answer_alone(self._chat, {**line["body"], **model}))
            for line in lines
        ]
        return SandboxBatch(results, looks, fate, details)

    def _look(self, job: SandboxBatch) -> None:
        """Let it go on a little; at its end its results are written."""
        if job.look() == "running" or "output_file" in job.details:
            return
        good, bad = self._files.store_results(job, _result)
        job.details |= {"output_file": good, "error_file": bad}

    def _shown(self, job: SandboxBatch) -> Json:
        done = [answer.status < 300 for _, answer in job.done]
        return {
            "id": str(uuid.UUID(job.id)),
            "object": "batch",
            "output_file": None,
            "error_file": None,
            "errors": [],
            "outputs": None,
            **job.details,
            "status": _STATUSES[job.state],
            "created_at": job.created_at,
            "started_at": job.created_at,
            "completed_at": None if job.state == "running" else int(time.time()),
            "total_requests": len(job.results),
            "completed_requests": len(done),
            "succeeded_requests": sum(done),
            "failed_requests": len(done) - sum(done),
        }


def _wrong_in(body: Json) -> Answer | None:
    if unknown := body.keys() - _JOB_FIELDS:
        return invalid(min(unknown), "Extra inputs are not permitted")
    if body.get("endpoint") != _ENDPOINT:
        return invalid("endpoint", f"Input should be '{_ENDPOINT}'")
    if not body.get("input_files") or not isinstance(body["input_files"], list):
        return invalid("input_files", "Input should be a valid list")
    if not 1 <= body.get("timeout_hours", 24) <= _MOST_HOURS:
        return invalid("timeout_hours", f"Input should be at most {_MOST_HOURS}")
    for key, value in (body.get("metadata") or {}).items():
        if len(key) > _LONGEST_KEY or not 1 <= len(value) <= _LONGEST_VALUE:
            return invalid("metadata", "String should have fewer characters")
    return None


def _lines(content: bytes) -> list[Json]:
    """Return the requests of a file.

    Raises:
        ValueError: it has none, or a line is none.
    """
    lines = [wire_json.loads(line) for line in content.splitlines() if line.strip()]
    if not lines:
        raise ValueError("The input file is empty.")
    for line in lines:
        if line.keys() != {"custom_id", "body"} or not isinstance(line["body"], dict):
            raise ValueError("A line is no request.")
    return lines


def _result(custom_id: str, answer: Answer) -> bytes:
    body = wire_json.loads(answer.body)
    failed = answer.status >= 300
    line = {
        "id": f"batch-{uuid.uuid4()}",
        "custom_id": custom_id,
        "response": {"status_code": answer.status, "body": None if failed else body},
        "error": _said(body) if failed else None,
    }
    return wire_json.dumps(line) + b"\n"


def _said(body: Json) -> str:
    error = body.get("error")
    return str(error["message"] if isinstance(error, dict) else body["detail"][0]["msg"])
