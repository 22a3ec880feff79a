"""An OpenAI-compatible server such as people run at home: chat, completions, Responses, models."""

import hmac
import secrets
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from airelays_app.sandbox import operations, web_socket
from airelays_app.sandbox.answering import reply_to
from airelays_app.sandbox.asked import (
    Asked,
    from_chat,
    from_completions,
    from_responses,
    objects_in,
    strings_in,
)
from airelays_app.sandbox.bare_responses import bare_events, bare_response
from airelays_app.sandbox.chat_chunks import VARIANTS, ChatStream, CompletionStream, Variant
from airelays_app.sandbox.delivery import deliver_stream
from airelays_app.sandbox.exchange import Answer, json_answer
from airelays_app.sandbox.faults import fault
from airelays_app.sandbox.frames import DONE, chunk_frame, responses_frames
from airelays_app.sandbox.openai_batches import Batches
from airelays_app.sandbox.plan import Frame
from airelays_app.sandbox.recorded import RecordedRequest
from airelays_app.sandbox.replies import Reply
from airelays_app.sandbox.responses_events import ResponsesStream
from airelays_app.sandbox.routing import ANY_METHOD, Route, Visit
from airelays_app.sandbox.schema_rules import fault_in
from airelays_app.sandbox.seals import Sealer
from airelays_app.sandbox.settings import Settings

COMPATIBLE_MODELS = ("sandbox-small", "sandbox-large", "sandbox/reasoner:7b")
"""The models on offer; one has a name with a slash and a colon, as local servers give them."""
_UNLISTED_MODELS = ("gpt-4.1",)
"""Taken although the catalogue lacks them: catalogues lag."""

_CREATED = 1_760_000_000
_Stream = ChatStream | CompletionStream


class Compatible:
    """The server's routes; ``key`` is the API key it wants."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sealer = Sealer()
        self.key = f"sk-sandbox-{secrets.token_hex(16)}"

    def routes(self) -> dict[tuple[str, str], Route]:
        """Return the server's routes by method and path."""
        replies = {
            "/v1/chat/completions": self._route(self._chat, from_chat),
            "/v1/completions": self._route(self._completions, from_completions),
            "/v1/responses": self._route(self._responses, from_responses),
        }
        batches = Batches(self._settings, replies)
        return {
            ("GET", "/v1/models"): self._route(_models),
            **{("POST", path): route for path, route in replies.items()},
            ("POST", "/v1/files"): self._route(batches.upload),
            (ANY_METHOD, "/v1/files/"): self._route(batches.file),
            ("POST", "/v1/batches"): self._route(batches.create),
            ("GET", "/v1/batches"): self._route(batches.list),
            (ANY_METHOD, "/v1/batches/"): self._route(batches.batch),
            ("POST", "/v1/responses/input_tokens"): self._route(_count_input, from_responses),
            ("POST", "/v1/responses/compact"): self._route(self._compact, from_responses),
            ("POST", "/v1/embeddings"): self._route(operations.embeddings),
            ("POST", "/v1/moderations"): self._route(operations.moderation),
            ("POST", "/v1/audio/speech"): self._route(operations.speech),
            ("POST", "/v1/audio/transcriptions"): self._route(operations.transcription),
            ("POST", "/v1/audio/translations"): self._route(operations.transcription),
            ("POST", "/v1/images/generations"): self._route(operations.image),
            ("POST", "/v1/images/edits"): self._route(operations.image),
            ("GET", "/v1/realtime"): self._route(web_socket.realtime),
            ("GET", "/v1/realtime/translations"): self._route(web_socket.realtime),
            ("POST", "/v1/realtime/sessions"): self._route(operations.session),
            (ANY_METHOD, "/v1/echo"): self._route(operations.echo),
        }

    def _route(
        self,
        handle: Callable[[Visit], Answer | None],
        read: Callable[[dict[str, Any]], Asked] | None = None,
    ) -> Route:
        return Route("compatible", handle, self._guard, read)

    def _guard(self, request: RecordedRequest) -> Answer | None:
        wanted = f"Bearer {self.key}".encode()
        given = request.headers.get("authorization", "").encode("latin-1", "replace")
        if hmac.compare_digest(given, wanted):
            return None
        return fault("Incorrect API key provided.", None, "invalid_api_key", status=401)

    @property
    def _variant(self) -> Variant:
        return VARIANTS[self._settings.variant]

    def _unseen(self, visit: Visit) -> Answer | None:
        if not self._variant.blind or b'"image_url"' not in visit.request.body:
            return None
        hint = "hint: if this is unexpected, you may need to provide the mmproj"
        error = {"message": f"image input is not supported - {hint}", "type": "server_error"}
        return json_answer(500, {"error": {"code": 500, **error}})

    def _chat(self, visit: Visit) -> Answer | None:
        refused = _refused(visit, "messages") or _bad_messages(visit.body) or self._unseen(visit)
        if refused:
            return refused
        reply = _reply(visit)
        usage = _wants_usage(visit.body)
        stream = ChatStream(reply, visit.body["model"], self._variant, include_usage=usage)
        return _sent(visit, stream, reply)

    def _completions(self, visit: Visit) -> Answer | None:
        if refused := _refused(visit, "prompt"):
            return refused
        reply = _reply(visit)
        usage = _wants_usage(visit.body)
        stream = CompletionStream(reply, visit.body["model"], include_usage=usage)
        return _sent(visit, stream, reply)

    def _compact(self, visit: Visit) -> Answer:
        """Compact as OpenAI does (API reference, seen 2026-11-25)."""
        if refused := _refused(visit, "input"):
            return refused
        stream = ResponsesStream(_reply(visit), visit.body, seal=None)
        for _ in stream.events():
            continue
        sealed = self._sealer.seal(str(visit.body["input"]))
        whole = {
            "id": f"resp_{secrets.token_hex(25)}",
            "object": "response.compaction",
            "created_at": _CREATED,
            "output": [{"id": "cmp_1", "type": "compaction", "encrypted_content": sealed}],
            "usage": stream.response["usage"],
        }
        return json_answer(200, whole)

    def _refused_input(self, visit: Visit) -> Answer | None:
        return _refused(visit, "input") or self._unseen(visit) or self._bad_compaction(visit)

    def _bad_compaction(self, visit: Visit) -> Answer | None:
        for item in objects_in(visit.body.get("input")):
            sealed = str(item.get("encrypted_content"))
            if item.get("type") == "compaction" and self._sealer.opened(sealed) is None:
                return fault("The compaction could not be verified.", "input", "invalid_value")
        return None

    def _responses(self, visit: Visit) -> Answer | None:
        if refused := self._refused_input(visit):
            return refused
        reply = _reply(visit)
        wants_seal = "reasoning.encrypted_content" in strings_in(visit.body.get("include"))
        stream = ResponsesStream(reply, visit.body, seal=self._sealer.seal if wants_seal else None)
        bare = self._variant.bare_responses
        if not _streams(visit):
            return _settled(stream, reply, bare=bare)
        events = bare_events(stream.events()) if bare else stream.events()
        frames = responses_frames(events, event_lines=self._variant.event_lines)
        deliver_stream(visit.exchange, frames, _stream_headers(), visit.plan)
        return None


def _count_input(visit: Visit) -> Answer:
    """Count as llama.cpp does (seen 2026-11-25)."""
    if refused := _refused(visit, "input"):
        return refused
    assert visit.asked
    counted = {"object": "response.input_tokens", "input_tokens": visit.asked.input_tokens}
    return json_answer(200, counted)


def _models(_: Visit) -> Answer:
    data = [
        {"id": name, "object": "model", "created": _CREATED, "owned_by": "sandbox"}
        for name in COMPATIBLE_MODELS
    ]
    return json_answer(200, {"object": "list", "data": data})


def _refused(visit: Visit, needed: str) -> Answer | None:
    body = visit.body
    if not isinstance(visit.request.json, dict):
        return fault("We could not parse the JSON body of your request.", None)
    for name in ("model", needed):
        if not body.get(name):
            message = f"Missing required parameter: '{name}'."
            return fault(message, name, "missing_required_parameter")
    if body["model"] not in (*COMPATIBLE_MODELS, *_UNLISTED_MODELS):
        message = f"The model '{body['model']}' does not exist."
        return fault(message, "model", "model_not_found", status=404)
    if body.get("n") not in (None, 1):
        return fault("Only one choice is supported.", "n", "unsupported_value")
    return _bad_schema(visit)


def _bad_schema(visit: Visit) -> Answer | None:
    assert visit.asked
    for tool in visit.asked.tools:
        if wrong := fault_in(tool.schema, strict=False):
            message = f"Invalid schema for function '{tool.name}': {wrong}"
            return fault(message, "tools", "invalid_function_parameters")
    if wrong := fault_in(visit.asked.schema, strict=False):
        return fault(f"Invalid schema: {wrong}", "response_format", "invalid_json_schema")
    return None


def _bad_messages(body: dict[str, Any]) -> Answer | None:
    messages = body["messages"]
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        return fault("Invalid type for 'messages': expected an array of objects.", "messages")
    open_calls: list[str] = []
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        if message.get("role") not in ("system", "developer", "user", "assistant", "tool"):
            return fault(f"Invalid value for '{where}.role'.", f"{where}.role", "invalid_value")
        if message["role"] == "tool":
            if str(message.get("tool_call_id")) not in open_calls:
                return fault("A 'tool' message must follow the call it answers.", f"{where}.role")
            open_calls.remove(str(message["tool_call_id"]))
        elif open_calls:
            return fault(f"These calls have no answer: {', '.join(open_calls)}.", where)
        open_calls += [str(call.get("id")) for call in objects_in(message.get("tool_calls"))]
    return None


def _reply(visit: Visit) -> Reply:
    assert visit.asked
    return visit.plan.edited(reply_to(visit.asked))


def _wants_usage(body: dict[str, Any]) -> bool:
    options = body.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def _streams(visit: Visit) -> bool:
    return visit.body.get("stream") is True and not visit.plan.plain


def _sent(visit: Visit, stream: _Stream, reply: Reply) -> Answer | None:
    if not _streams(visit):
        return _failure(reply) or json_answer(200, stream.whole())
    deliver_stream(visit.exchange, _frames(stream.chunks()), _stream_headers(), visit.plan)
    return None


def _settled(stream: ResponsesStream, reply: Reply, *, bare: bool) -> Answer:
    for _ in stream.events():
        continue
    if reply.outcome.ending == "error":
        return _failure(reply) or json_answer(500, {})
    return json_answer(200, bare_response(stream.response) if bare else stream.response)


def _failure(reply: Reply) -> Answer | None:
    if reply.outcome.ending not in ("failed", "error"):
        return None
    error = {"message": reply.outcome.message, "type": "server_error", "param": None}
    return json_answer(500, {"error": {**error, "code": reply.outcome.code}})


def _frames(chunks: Iterable[dict[str, Any]]) -> Iterator[Frame]:
    failing = False
    for chunk in chunks:
        failing = "error" in chunk
        yield chunk_frame(chunk)
    if not failing:
        yield DONE


def _stream_headers() -> tuple[tuple[str, str], ...]:
    return (
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache"),
        ("x-request-id", f"req_{secrets.token_hex(16)}"),
    )
