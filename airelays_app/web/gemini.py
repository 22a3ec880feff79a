"""``/v1beta/...`` and ``/v1/models/{model}:{verb}``: Google's Gemini API.

google-genai 3 calls ``/v1``, Gemini CLI 0.61 and the Vercel AI SDK ``/v1beta``, so both prefixes
are served (seen 2026-11-25). The model's name is in the path and may hold slashes and colons.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from flask import Blueprint, Response, request

from airelays_app.dialects import DIALECTS
from airelays_app.errors import BadRequest, NotFound, Unprocessable
from airelays_app.framing.json_streams import Framing, JsonArray, JsonLines
from airelays_app.framing.jsontext import dumps
from airelays_app.services.creation import Asked
from airelays_app.services.relay import Answer
from airelays_app.web.bodies import JsonBody, json_body
from airelays_app.web.context import client_socket, owner, record, services
from airelays_app.web.gemini_embeddings import EMBED, EMBED_ALL, embed, embed_all
from airelays_app.web.replies import answer_response
from airelays_app.web.scope import route_of

blueprint = Blueprint("gemini", __name__)

_DIALECT = DIALECTS["gemini"]
_FRAMINGS: Mapping[str, Callable[[], Framing | None]] = MappingProxyType(
    {"sse": lambda: None, "json": JsonArray, "ndjson": JsonLines}
)
"""How a stream is written, by ``?alt=``; Google's default is the array."""

_WRAPPED = "generateContentRequest"


@blueprint.post("/v1/models/<path:model>:<verb>")
@blueprint.post("/v1beta/<path:model>:<verb>", endpoint="call_model_beta")
def call_model(model: str, verb: str) -> Response:
    """Do what the verb behind the model's name says; ``models/`` before it may be missing."""
    model, _, verb = f"{model}:{verb}".rpartition(":")
    if verb not in _VERBS:
        raise NotFound(f"There is no method {verb[:64]!r} of models.")
    return _VERBS[verb](model.removeprefix("models/"))


def _generate(model: str) -> Response:
    return _generated(model, stream=False, framing=None)


def _stream(model: str) -> Response:
    return _generated(model, stream=True, framing=_framing())


def _framing() -> Framing | None:
    """Return how to write the stream; None is as server-sent events. Raises BadRequest."""
    alt = request.args.get("alt", "").lower()
    if not alt:
        alt = "ndjson" if request.headers.get("Accept") == JsonLines.content_type else "json"
    if alt not in _FRAMINGS:
        raise BadRequest(f"alt must be one of {', '.join(_FRAMINGS)}.", param="alt")
    return _FRAMINGS[alt]()


def _generated(model: str, *, stream: bool, framing: Framing | None) -> Response:
    with json_body() as body:
        answer = services().creation.answer(_asked(model, body, stream=stream), record())
    return _response(answer, framing)


def _count_tokens(model: str) -> Response:
    """Count what stands in the body, or in its ``generateContentRequest``."""
    with json_body() as body:
        answer = services().token_counts.answer(_asked(model, _to_be_counted(body)), record())
    return _response(answer)


def _to_be_counted(body: JsonBody) -> JsonBody:
    """Return the request, whose model is told in the path; raises Unprocessable."""
    value = _DIALECT.canonical(body.value)
    if _WRAPPED not in value:
        return body
    if not isinstance(value[_WRAPPED], dict):
        raise Unprocessable(f"{_WRAPPED} must be an object.", param=_WRAPPED)
    wrapped = {name: each for name, each in value[_WRAPPED].items() if name != "model"}
    return JsonBody(dumps(wrapped), wrapped)


def _asked(model: str, body: JsonBody, *, stream: bool = False) -> Asked:
    return Asked(
        dialect=_DIALECT,
        route=route_of(model),
        raw=body.raw,
        body=_DIALECT.canonical(body.value),
        owner=owner(),
        stream=stream,
        watch=client_socket(),
    )


def _response(answer: Answer, framing: Framing | None = None) -> Response:
    return answer_response(
        answer,
        record(),
        keep_alive=_DIALECT.keep_alive,
        keepalive_seconds=services().settings.server.keepalive_seconds,
        framing=framing,
    )


_VERBS: Mapping[str, Callable[[str], Response]] = MappingProxyType(
    {
        "generateContent": _generate,
        "streamGenerateContent": _stream,
        "countTokens": _count_tokens,
        EMBED: embed,
        EMBED_ALL: embed_all,
    }
)
