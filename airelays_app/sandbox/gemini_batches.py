"""Batches as Google's Gemini API has them (API reference and google-genai 3.6, seen 2026-11-25)."""

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from airelays_app.sandbox import wire_json
from airelays_app.sandbox.asked import objects_in
from airelays_app.sandbox.batching import SandboxBatch, answer_alone, fate_of
from airelays_app.sandbox.exchange import Answer, json_answer
from airelays_app.sandbox.gemini_wire import GeminiModel, in_camel_case, refused
from airelays_app.sandbox.routing import Route, Visit
from airelays_app.sandbox.settings import Settings

Json = dict[str, Any]

_TYPE = "type.googleapis.com/google.ai.generativelanguage.v1main."
_MOST_BYTES = 20_000_000
_STATES = {"completed": "SUCCEEDED", "running": "RUNNING"}
_CODES: Mapping[int, int] = MappingProxyType(
    {400: 3, 401: 16, 403: 7, 404: 5, 429: 8, 503: 14, 504: 4}
)
"""google.rpc.Code by the status of an answer; anything else is INTERNAL."""


class GeminiBatches:
    """The batches; ``base`` is where the API is. A cancelled or expired one tells nothing."""

    def __init__(self, settings: Settings, base: str) -> None:
        self._settings = settings
        self._place = f"{base}/batches/"
        self._batches: dict[str, SandboxBatch] = {}

    def create(self, model: GeminiModel, single: Route, visit: Visit) -> Answer:
        """Create a batch; what is wrong in a request shows in its result."""
        batch = in_camel_case(visit.body).get("batch")
        given = batch if isinstance(batch, dict) else {}
        config = given.get("inputConfig") or {}
        entries = objects_in((config.get("requests") or {}).get("requests"))
        if not given.get("displayName"):
            return refused("* GenerateContentBatch.display_name: display_name is required.")
        if not entries or any("request" not in each for each in entries):
            return refused("* GenerateContentBatch.input_config: it has no requests.")
        if len(visit.request.body) > _MOST_BYTES:
            return refused("Request payload size exceeds the limit: 20971520 bytes.")
        results = [(_key_of(each), answer_alone(single, each["request"])) for each in entries]
        details = {"displayName": given["displayName"], "model": f"models/{model.name}"}
        made = SandboxBatch(results, self._settings.batch_looks, fate_of(visit), details)
        self._batches[made.id] = made
        return json_answer(200, self._shown(made))

    def list(self, visit: Visit) -> Answer:
        """List the batches; the token is where the next page begins."""
        for batch in self._batches.values():
            batch.look()
        start = int(visit.request.query.get("pageToken", 0))
        end = start + int(visit.request.query.get("pageSize", 50))
        shown = [self._shown(batch) for batch in self._batches.values()]
        more = {"nextPageToken": str(end)} if len(shown) > end else {}
        return json_answer(200, {"operations": shown[start:end], **more})

    def batch(self, visit: Visit) -> Answer:
        """Answer for one batch: how far it is, or cancel it."""
        name, _, verb = visit.request.path.removeprefix(self._place).partition(":")
        batch = self._batches.get(name)
        if batch is None:
            return refused("Requested entity was not found.", 404)
        if verb == "cancel":
            batch.cancel()
            return json_answer(200, {})
        batch.look()
        return json_answer(200, self._shown(batch))

    def _shown(self, batch: SandboxBatch) -> Json:
        state = batch.state
        shown: Json = {"name": f"batches/{batch.id}", "metadata": _metadata(batch)}
        if state == "running":
            return shown
        shown["done"] = True
        if state == "completed":
            output = {"inlinedResponses": {"inlinedResponses": _results(batch)}}
            shown["metadata"]["output"] = output
            shown["response"] = {"@type": f"{_TYPE}GenerateContentBatchOutput", **output}
        else:
            shown["error"] = {"code": 13, "message": f"The batch has {state}."}
        return shown


def _metadata(batch: SandboxBatch) -> Json:
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(batch.created_at))
    return {
        "@type": f"{_TYPE}GenerateContentBatch",
        **batch.details,
        "state": f"BATCH_STATE_{_STATES.get(batch.state, batch.state.upper())}",
        "createTime": moment,
        "updateTime": moment,
        "batchStats": {"requestCount": str(len(batch.results))},
        "name": f"batches/{batch.id}",
    }


def _results(batch: SandboxBatch) -> list[Json]:
    """Return the results; nothing says that they come in the order of the requests."""
    results = [{**_result(answer), "metadata": {"key": key}} for key, answer in batch.done]
    if batch.fate == "holed":
        results += [{"response": {}, "metadata": {"key": "a-stranger"}}]
    if batch.fate == "keyless":
        results = [_result(answer) for _, answer in batch.done]
    return results[::-1]


def _result(answer: Answer) -> Json:
    body = wire_json.loads(answer.body)
    if answer.status < 300:
        return {"response": body}
    message = body.get("error", {}).get("message")
    return {"error": {"code": _CODES.get(answer.status, 13), "message": message}}


def _key_of(entry: Json) -> str:
    metadata = entry.get("metadata")
    return str(metadata.get("key", "")) if isinstance(metadata, dict) else ""
