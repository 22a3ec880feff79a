"""The ChatGPT backend: inference, models and usage for accounts that the sandbox's issuer knows."""

import secrets
from typing import Any

from airelays_app.sandbox.answering import reply_to
from airelays_app.sandbox.asked import from_responses
from airelays_app.sandbox.catalogue import (
    MODEL_NAMES,
    limit_event,
    limit_headers,
    models_for,
    usage_of,
)
from airelays_app.sandbox.credentials import Owner, TokenBook
from airelays_app.sandbox.delivery import deliver_stream
from airelays_app.sandbox.exchange import Answer, json_answer
from airelays_app.sandbox.faults import detail
from airelays_app.sandbox.frames import responses_frames
from airelays_app.sandbox.recorded import RecordedRequest
from airelays_app.sandbox.refusals import refusal
from airelays_app.sandbox.replies import Reply
from airelays_app.sandbox.responses_events import ResponsesStream
from airelays_app.sandbox.routing import Route, Visit
from airelays_app.sandbox.seals import Sealer
from airelays_app.sandbox.settings import Settings

ORIGINATORS = ("codex_cli_rs", "codex_vscode", "codex_sdk_ts", "codex_exec")
"""Accepted values of the ``originator`` header, besides any that begins ``Codex `` (2026-11-22)."""

_MYSTERY = {"type": "codex.mystery", "depths": {"unknown": True}, "list": [1, "two", None]}
_TURN_METADATA = {"type": "codex.response.metadata", "metadata": {"turn": "sandbox"}}
_UNAUTHORIZED = {
    "token_expired": "Provided authentication token is expired. Please try signing in again.",
    "token_invalidated": "Your authentication token has been invalidated. Please sign in again.",
    "invalid_token": "Could not parse your authentication token. Please try signing in again.",
}


class ChatGPT:
    """The backend's routes."""

    def __init__(self, settings: Settings, book: TokenBook) -> None:
        self._settings = settings
        self._book = book
        self._sealer = Sealer()

    def routes(self) -> dict[tuple[str, str], Route]:
        """Return the backend's routes by method and path."""
        base = "/backend-api/codex"
        inference = Route("codex", self._responses, self._guard, from_responses)
        return {
            ("POST", f"{base}/responses"): inference,
            ("GET", f"{base}/responses"): Route("codex", _no_web_socket, self._guard),
            ("GET", f"{base}/models"): Route("codex", self._models, self._guard),
            ("GET", "/backend-api/wham/usage"): Route("codex", self._usage, self._guard),
        }

    def _guard(self, request: RecordedRequest) -> Owner | Answer:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return detail("Unauthorized", 401)
        owner = self._book.bearer(token.strip())
        if isinstance(owner, str):
            error = {"message": _UNAUTHORIZED[owner], "type": None, "code": owner, "param": None}
            return json_answer(401, {"error": error, "status": 401})
        if request.headers.get("chatgpt-account-id") != owner.account_id:
            return detail("The account of this request is not one of this login.", 403)
        originator = request.headers.get("originator", "")
        if originator not in ORIGINATORS and not originator.startswith("Codex "):
            return detail("This client is not allowed.", 403)
        return owner

    def _models(self, visit: Visit) -> Answer:
        return json_answer(200, models_for(visit.request.query.get("client_version", "")))

    def _usage(self, visit: Visit) -> Answer:
        assert visit.owner
        return json_answer(200, usage_of(visit.owner, self._settings))

    def _responses(self, visit: Visit) -> Answer | None:
        if not isinstance(visit.request.json, dict):
            return detail("Invalid request body")
        if refused := refusal(visit.body, sealer=self._sealer, models=MODEL_NAMES):
            return refused
        assert visit.asked
        assert visit.owner
        reply = visit.plan.edited(reply_to(visit.asked))
        stream = self._stream(visit.body, reply, visit.owner)
        if visit.plan.plain:
            return _buffered(stream)
        frames = responses_frames(stream.events(), event_lines=True)
        deliver_stream(visit.exchange, frames, self._headers(visit), visit.plan)
        return None

    def _stream(self, body: dict[str, Any], reply: Reply, owner: Owner) -> ResponsesStream:
        wants_seal = "reasoning.encrypted_content" in (body.get("include") or [])
        reasoning = body.get("reasoning") or {}
        mystery = (_MYSTERY,) if reply.noise else ()
        return ResponsesStream(
            reply,
            body,
            seal=self._sealer.seal if wants_seal else None,
            summary=bool(reasoning.get("summary")),
            empty_output=True,
            preface=mystery if reply.noise == "before" else (),
            extras=(limit_event(owner, self._settings), _TURN_METADATA, *mystery),
        )

    def _headers(self, visit: Visit) -> tuple[tuple[str, str], ...]:
        assert visit.owner
        return (
            ("content-type", "text/event-stream; charset=utf-8"),
            ("cache-control", "no-cache"),
            ("x-request-id", secrets.token_hex(16)),
            ("x-oai-request-id", secrets.token_hex(16)),
            ("openai-model", str(visit.body.get("model"))),
            ("x-models-etag", 'W/"sandbox"'),
            *limit_headers(visit.owner, self._settings),
        )


def _no_web_socket(_: Visit) -> Answer:
    return json_answer(426, {"detail": "Upgrade Required"}, (("upgrade", "websocket"),))


def _buffered(stream: ResponsesStream) -> Answer:
    for _ in stream.events():
        continue
    return json_answer(200, stream.response)
