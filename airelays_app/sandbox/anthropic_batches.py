"""Batches as Anthropic has them (API documentation and anthropic-python 2.14, seen 2026-11-25)."""

import re
import time
from typing import Any

from airelays_app.sandbox import wire_json
from airelays_app.sandbox.anthropic_wire import refused, request_id, usual_headers
from airelays_app.sandbox.batching import SandboxBatch, answer_alone, fate_of, page_of
from airelays_app.sandbox.exchange import Answer, json_answer
from airelays_app.sandbox.routing import Route, Visit
from airelays_app.sandbox.settings import Settings

Json = dict[str, Any]

_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}", re.ASCII)
_MOST_REQUESTS = 100_000


class MessageBatches:
    """The batches; ``messages`` is the route that their requests take, ``base`` where it all is."""

    def __init__(self, settings: Settings, messages: Route, base: str) -> None:
        self._settings = settings
        self._messages = messages
        self._place = f"{base}/messages/batches/"
        self._batches: dict[str, SandboxBatch] = {}

    def create(self, visit: Visit) -> Answer:
        """Create a batch; what is wrong in a request shows in its result."""
        given = visit.body.get("requests")
        requests = given if isinstance(given, list) else []
        if wrong := _wrong_in(requests):
            return refused(wrong)
        results = [
            (each["custom_id"], answer_alone(self._messages, each["params"])) for each in requests
        ]
        batch = SandboxBatch(results, self._settings.batch_looks, fate_of(visit))
        self._batches[f"msgbatch_{batch.id}"] = batch
        return _answer(self._shown(visit, batch))

    def list(self, visit: Visit) -> Answer:
        """List the batches, newest first."""
        for batch in self._batches.values():
            batch.look()
        shown = [self._shown(visit, batch) for batch in reversed(self._batches.values())]
        query = visit.request.query
        after, limit = query.get("after_id", ""), int(query.get("limit", 20))
        return _answer(page_of(shown, after=after, limit=limit))

    def batch(self, visit: Visit) -> Answer:
        """Answer for one batch: how far it is, its results, or cancel it."""
        batch_id, _, what = visit.request.path.removeprefix(self._place).partition("/")
        batch = self._batches.get(batch_id)
        if batch is None:
            return refused(f"Not Found: batch {batch_id}", 404)
        if what == "results":
            return self._results(batch)
        if what != "cancel":
            batch.look()
        elif batch.state == "running":
            batch.cancel()
        return _answer(self._shown(visit, batch))

    def _results(self, batch: SandboxBatch) -> Answer:
        if batch.state == "running":
            return refused("The batch has not ended; it has no results yet.", 404)
        lines = [_line(custom_id, _result(answer)) for custom_id, answer in batch.done]
        end = "expired" if batch.state == "expired" else "canceled"
        lines += [_line(custom_id, {"type": end}) for custom_id in batch.undone]
        if batch.fate == "holed":
            lines += [b"{broken\n", _line("a-stranger", {"type": "expired"})]
        body = b"".join(reversed(lines))
        return Answer(200, body, content_type="application/x-jsonl")

    def _shown(self, visit: Visit, batch: SandboxBatch) -> Json:
        id_, ended = f"msgbatch_{batch.id}", batch.state != "running"
        results = f"http://{visit.request.headers['host']}{self._place}{id_}/results"
        return {
            "id": id_,
            "type": "message_batch",
            "processing_status": "ended" if ended else "in_progress",
            "request_counts": _counts(batch),
            "created_at": _moment(batch.created_at),
            "expires_at": _moment(batch.created_at + 86_400),
            "ended_at": _moment(time.time()) if ended else None,
            "archived_at": None,
            "cancel_initiated_at": _moment(time.time()) if batch.is_cancelled else None,
            "results_url": results if ended else None,
        }


def _wrong_in(requests: list[Any]) -> str:
    if not 1 <= len(requests) <= _MOST_REQUESTS:
        return "requests: List should have at least 1 item"
    ids: set[str] = set()
    for index, each in enumerate(requests):
        where = f"requests.{index}"
        if not isinstance(each, dict) or each.keys() != {"custom_id", "params"}:
            return f"{where}: it has custom_id and params, and nothing else"
        custom_id = str(each["custom_id"])
        if not _CUSTOM_ID.fullmatch(custom_id):
            return f"{where}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'"
        if custom_id in ids:
            return f"{where}.custom_id: Duplicate custom_id '{custom_id}'"
        if isinstance(each["params"], dict) and each["params"].get("stream"):
            return f"{where}.params.stream: Streaming is not supported in batches"
        ids.add(custom_id)
    return ""


def _counts(batch: SandboxBatch) -> dict[str, int]:
    if batch.state == "running":
        counts = {"processing": len(batch.results)}
    else:
        good = sum(answer.status < 300 for _, answer in batch.done)
        end = "expired" if batch.state == "expired" else "canceled"
        counts = {"succeeded": good, "errored": len(batch.done) - good, end: len(batch.undone)}
    names = ("processing", "succeeded", "errored", "canceled", "expired")
    return {name: counts.get(name, 0) for name in names}


def _result(answer: Answer) -> Json:
    body = wire_json.loads(answer.body)
    if answer.status < 300:
        return {"type": "succeeded", "message": body}
    return {"type": "errored", "error": body}


def _line(custom_id: str, result: Json) -> bytes:
    return wire_json.dumps({"custom_id": custom_id, "result": result}) + b"\n"


def _answer(value: Json) -> Answer:
    return json_answer(200, value, usual_headers(request_id()))


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
