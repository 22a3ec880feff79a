"""Anthropic's API as far as clients of Messages meet it: messages, counting, models."""

import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from airelays_app.sandbox.answering import reply_to
from airelays_app.sandbox.anthropic_asked import from_messages
from airelays_app.sandbox.anthropic_batches import MessageBatches
from airelays_app.sandbox.anthropic_refusals import refusal
from airelays_app.sandbox.anthropic_stream import MessageStream, message_frames
from airelays_app.sandbox.anthropic_wire import (
    MODELS,
    AnthropicModel,
    limit_headers,
    refused,
    request_id,
    usual_headers,
)
from airelays_app.sandbox.asked import Asked
from airelays_app.sandbox.delivery import deliver_stream
from airelays_app.sandbox.exchange import Answer, json_answer
from airelays_app.sandbox.recorded import RecordedRequest
from airelays_app.sandbox.routing import ANY_METHOD, Route, Visit
from airelays_app.sandbox.seals import Sealer
from airelays_app.sandbox.settings import Settings

BASE = "/anthropic/v1"
"""Where it is on the sandbox's port, beside the compatible server's /v1."""


class Anthropic:
    """The API's routes; ``key`` is the API key it wants."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sealer = Sealer()
        self.key = f"sk-ant-sandbox-{secrets.token_hex(16)}"

    def routes(self) -> dict[tuple[str, str], Route]:
        """Return the API's routes by method and path."""
        messages = self._route(self._messages, from_messages)
        batches = MessageBatches(self._settings, messages, BASE)
        return {
            ("POST", f"{BASE}/messages"): messages,
            ("POST", f"{BASE}/messages/batches"): self._route(batches.create),
            ("GET", f"{BASE}/messages/batches"): self._route(batches.list),
            (ANY_METHOD, f"{BASE}/messages/batches/"): self._route(batches.batch),
            ("POST", f"{BASE}/messages/count_tokens"): self._route(self._count),
            ("GET", f"{BASE}/models"): self._route(_models),
        }

    def _route(
        self,
        handle: Callable[[Visit], Answer | None],
        read: Callable[[dict[str, Any]], Asked] | None = None,
    ) -> Route:
        return Route("anthropic", handle, self._guard, read)

    def _guard(self, request: RecordedRequest) -> Answer | None:
        given = _key_in(request.headers).encode("latin-1", "replace")
        if not given:
            return refused("x-api-key header is required", 401)
        if not hmac.compare_digest(given, self.key.encode()):
            return refused("invalid x-api-key", 401)
        if "anthropic-version" not in request.headers:
            return refused("anthropic-version: header is required")
        return None

    def _messages(self, visit: Visit) -> Answer | None:
        if bad := self._refusal(visit, counts=False):
            return bad
        assert visit.asked
        reply = visit.plan.edited(reply_to(visit.asked))
        stream = MessageStream(
            reply, visit.body["model"], self._sealer.seal, shows=visit.asked.summary
        )
        if visit.body.get("stream") is True and not visit.plan.plain:
            frames = message_frames(stream.events())
            media_type = ("content-type", "text/event-stream; charset=utf-8")
            headers = (media_type, *_headers(stream.request_id))
            deliver_stream(visit.exchange, frames, headers, visit.plan)
            return None
        if reply.outcome.ending in ("failed", "error"):
            return json_answer(529, stream.error(), usual_headers(stream.request_id))
        return json_answer(200, stream.whole(), _headers(stream.request_id))

    def _count(self, visit: Visit) -> Answer:
        if bad := self._refusal(visit, counts=True):
            return bad
        counted = {"input_tokens": from_messages(visit.body).input_tokens}
        return json_answer(200, counted, usual_headers(request_id()))

    def _refusal(self, visit: Visit, *, counts: bool) -> Answer | None:
        if not isinstance(visit.request.json, dict):
            return refused("The request body is not valid JSON")
        return refusal(visit.body, self._sealer, counts=counts)


def _models(_: Visit) -> Answer:
    listed = [_described(model) for model in MODELS.values()]
    ends = {"first_id": listed[0]["id"], "last_id": listed[-1]["id"]}
    return json_answer(
        200, {"data": listed, "has_more": False, **ends}, usual_headers(request_id())
    )


def _described(model: AnthropicModel) -> dict[str, Any]:
    return {
        "type": "model",
        "id": model.name,
        "display_name": model.shown,
        "created_at": model.created,
        "lifecycle": "active",
        "max_input_tokens": 200_000,
        "max_tokens": model.max_tokens,
    }


def _headers(id_: str) -> tuple[tuple[str, str], ...]:
    return (*usual_headers(id_), *limit_headers())


def _key_in(headers: Mapping[str, str]) -> str:
    """Return the API key: as a bearer anthropic-python 2.14 sends it, older ones in its header."""
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    return headers.get("x-api-key", "") or bearer
