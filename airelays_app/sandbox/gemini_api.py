"""Google's Gemini API as far as its clients meet it: replies, counting, vectors, models."""

import hmac
import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

from airelays_app.sandbox import operations
from airelays_app.sandbox.answering import reply_to
from airelays_app.sandbox.asked import Asked, objects_in, text_of
from airelays_app.sandbox.delivery import deliver_stream
from airelays_app.sandbox.exchange import Answer, json_answer
from airelays_app.sandbox.gemini_asked import from_gemini
from airelays_app.sandbox.gemini_batches import GeminiBatches
from airelays_app.sandbox.gemini_refusals import refusal
from airelays_app.sandbox.gemini_stream import GeminiStream, gemini_frames
from airelays_app.sandbox.gemini_wire import MODELS, GeminiModel, detail, in_camel_case, refused
from airelays_app.sandbox.recorded import RecordedRequest
from airelays_app.sandbox.routing import ANY_METHOD, Route, Visit
from airelays_app.sandbox.seals import Signatures
from airelays_app.sandbox.settings import Settings

BASE = "/gemini/v1beta"
"""Where it is on the sandbox's port, beside the compatible server's /v1."""

BLOCKED = "blocked"
"""The mark of a request whose prompt is to be blocked."""

_FEEDBACK: dict[str, Any] = {
    "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
    "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3},
}
_STREAM_HEADERS = (("content-type", "text/event-stream"), ("server", "scaffolding on HTTPServer2"))
_Handle = Callable[[Visit], Answer | None]


class Gemini:
    """The API's routes; ``key`` is the API key it wants."""

    def __init__(self, settings: Settings) -> None:
        self._sealer = Signatures()
        self._batches = GeminiBatches(settings, BASE)
        self.key = f"AIzaSy{secrets.token_hex(16)}"

    def routes(self) -> dict[tuple[str, str], Route]:
        """Return the API's routes by method and path."""
        routes = {
            ("GET", f"{BASE}/models"): self._route(_models),
            ("POST", f"{BASE}/openai/embeddings"): self._route(operations.embeddings),
            ("GET", f"{BASE}/batches"): self._route(self._batches.list),
            (ANY_METHOD, f"{BASE}/batches/"): self._route(self._batches.batch),
            (ANY_METHOD, f"{BASE}/"): self._route(_unknown),
        }
        for model in MODELS.values():
            routes |= self._routes_of(model)
        return routes

    def _routes_of(self, model: GeminiModel) -> dict[tuple[str, str], Route]:
        place = f"{BASE}/models/{model.name}"
        if "embedContent" in model.methods:
            return {
                ("POST", f"{place}:embedContent"): self._route(_embed),
                ("POST", f"{place}:batchEmbedContents"): self._route(_embed_all),
            }
        read = partial(from_gemini, model=model.name)
        whole = self._route(partial(self._whole, model), read)
        return {
            ("POST", f"{place}:generateContent"): whole,
            ("POST", f"{place}:batchGenerateContent"): self._route(
                partial(self._batches.create, model, whole)
            ),
            ("POST", f"{place}:streamGenerateContent"): self._route(
                partial(self._stream, model), read
            ),
            ("POST", f"{place}:countTokens"): self._route(partial(self._count, model)),
        }

    def _route(
        self, handle: _Handle, read: Callable[[dict[str, Any]], Asked] | None = None
    ) -> Route:
        return Route("gemini", handle, self._guard, read)

    def _guard(self, request: RecordedRequest) -> Answer | None:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        key = request.headers.get("x-goog-api-key") or request.query.get("key") or bearer
        if not key:
            return refused(
                "Method doesn't allow unregistered callers (callers without established "
                "identity). Please use API Key or other form of API consumer identity.",
                403,
            )
        if not hmac.compare_digest(key.encode("latin-1", "replace"), self.key.encode()):
            told = detail("ErrorInfo", reason="API_KEY_INVALID", domain="googleapis.com")
            return refused("API key not valid. Please pass a valid API key.", 400, told)
        return None

    def _whole(self, model: GeminiModel, visit: Visit) -> Answer:
        if wrong := self._refusal(model, visit):
            return wrong
        if BLOCKED in visit.plan.marks:
            return json_answer(200, _FEEDBACK)
        stream = self._made(model, visit)
        if stream.reply.outcome.ending in ("failed", "error"):
            return json_answer(503, stream.error())
        return json_answer(200, stream.whole())

    def _stream(self, model: GeminiModel, visit: Visit) -> Answer | None:
        if wrong := self._refusal(model, visit):
            return wrong
        blocked = BLOCKED in visit.plan.marks
        responses = [_FEEDBACK] if blocked else self._made(model, visit).responses()
        if visit.request.query.get("alt") != "sse" or visit.plan.plain:
            return json_answer(200, list(responses))
        visit.plan.line_end = b"\r\n"
        deliver_stream(visit.exchange, gemini_frames(responses), _STREAM_HEADERS, visit.plan)
        return None

    def _count(self, model: GeminiModel, visit: Visit) -> Answer:
        body = in_camel_case(visit.body)
        asked = body.get("generateContentRequest") or body
        if wrong := refusal(asked, self._sealer, model):
            return wrong
        count = from_gemini(asked, model.name).input_tokens
        details = [{"modality": "TEXT", "tokenCount": count}]
        return json_answer(200, {"totalTokens": count, "promptTokensDetails": details})

    def _refusal(self, model: GeminiModel, visit: Visit) -> Answer | None:
        if not isinstance(visit.request.json, dict):
            return refused("Invalid JSON payload received. Unexpected token.")
        return refusal(in_camel_case(visit.body), self._sealer, model)

    def _made(self, model: GeminiModel, visit: Visit) -> GeminiStream:
        assert visit.asked
        reply = visit.plan.edited(reply_to(visit.asked))
        return GeminiStream(reply, model, self._sealer.seal, shows=visit.asked.summary)


def _models(_: Visit) -> Answer:
    return json_answer(200, {"models": [_described(model) for model in MODELS.values()]})


def _described(model: GeminiModel) -> dict[str, Any]:
    return {
        "name": f"models/{model.name}",
        "version": "001",
        "displayName": model.shown,
        "description": f"{model.shown}, played by the sandbox.",
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": list(model.methods),
    }


def _unknown(visit: Visit) -> Answer:
    name, _, method = visit.request.path.removeprefix(f"{BASE}/").partition(":")
    return refused(
        f"{name} is not found for API version v1beta, or is not supported for {method}. Call "
        "ListModels to see the list of available models and their supported methods.",
        404,
    )


def _embed(visit: Visit) -> Answer:
    return json_answer(200, {"embedding": _vector_of(in_camel_case(visit.body))})


def _embed_all(visit: Visit) -> Answer:
    asked = objects_in(in_camel_case(visit.body).get("requests"))
    place = visit.request.path.rpartition("/")[2].partition(":")[0]
    if any(each.get("model") != f"models/{place}" for each in asked):
        return refused("* BatchEmbedContentsRequest.requests: model must match the URL.")
    return json_answer(200, {"embeddings": [_vector_of(each) for each in asked]})


def _vector_of(asked: dict[str, Any]) -> dict[str, Any]:
    content = asked.get("content")
    text = text_of(content.get("parts") if isinstance(content, dict) else None)
    most = asked.get("outputDimensionality")
    return {"values": operations.vector(text)[:most]}
