"""The routes that make replies, one for each dialect, and their no-tools twins."""

from flask import Blueprint, Response

from airelays_app.dialects import DIALECTS
from airelays_app.dialects.base import Dialect, Json
from airelays_app.dialects.responses_in_chat import RESPONSES_IN_CHAT, is_responses_request
from airelays_app.services.creation import Asked
from airelays_app.services.relay import Answer
from airelays_app.web.bodies import JsonBody, json_body
from airelays_app.web.context import client_socket, dialect_headers, owner, record, services
from airelays_app.web.replies import answer_response
from airelays_app.web.scope import route_of

blueprint = Blueprint("generation", __name__)


def _generate(dialect: Dialect, *, refuses_tools: bool) -> Response:
    with json_body() as body:
        meant = _meant(dialect, body.value)
        asked = _asked(meant, body, refuses_tools=refuses_tools)
        answer = services().creation.answer(asked, record())
    return _response(dialect, answer)


def _meant(dialect: Dialect, body: Json) -> Dialect:
    """Return the dialect of a body, which may be another than that of its route."""
    is_foreign = dialect is DIALECTS["chat"] and is_responses_request(body)
    return RESPONSES_IN_CHAT if is_foreign else dialect


def _asked(dialect: Dialect, body: JsonBody, *, refuses_tools: bool) -> Asked:
    model = body.value.get("model")
    return Asked(
        dialect=dialect,
        route=route_of(model if isinstance(model, str) else ""),
        raw=body.raw,
        body=body.value,
        owner=owner(),
        keeps=not dialect.replies_in,
        refuses_tools=refuses_tools,
        headers=dialect_headers(dialect),
        watch=client_socket(),
    )


def _response(dialect: Dialect, answer: Answer) -> Response:
    return answer_response(
        answer,
        record(),
        keep_alive=dialect.keep_alive,
        keepalive_seconds=services().settings.server.keepalive_seconds,
    )


@blueprint.post("/v1/responses", defaults={"refuses_tools": False})
@blueprint.post("/no-tools/v1/responses", defaults={"refuses_tools": True})
def create_response(refuses_tools: bool) -> Response:  # noqa: FBT001
    """Create a response."""
    return _generate(DIALECTS["responses"], refuses_tools=refuses_tools)


@blueprint.post("/v1/chat/completions", defaults={"refuses_tools": False})
@blueprint.post("/no-tools/v1/chat/completions", defaults={"refuses_tools": True})
def create_chat_completion(refuses_tools: bool) -> Response:  # noqa: FBT001
    """Create a chat completion, also for a request of Responses that came here."""
    return _generate(DIALECTS["chat"], refuses_tools=refuses_tools)


@blueprint.post("/v1/completions")
@blueprint.post("/no-tools/v1/completions", endpoint="create_completion_no_tools")
def create_completion() -> Response:
    """Create a legacy completion; it never carries tools."""
    return _generate(DIALECTS["completions"], refuses_tools=False)


@blueprint.post("/v1/messages", defaults={"refuses_tools": False})
@blueprint.post("/no-tools/v1/messages", defaults={"refuses_tools": True})
def create_message(refuses_tools: bool) -> Response:  # noqa: FBT001
    """Create a message; ``?beta=true`` changes nothing, because betas are named in a header."""
    return _generate(DIALECTS["messages"], refuses_tools=refuses_tools)


@blueprint.post("/v1/messages/count_tokens", defaults={"refuses_tools": False})
@blueprint.post("/no-tools/v1/messages/count_tokens", defaults={"refuses_tools": True})
def count_message_tokens(refuses_tools: bool) -> Response:  # noqa: FBT001
    """Count the input tokens of a message that is not created."""
    return _count(DIALECTS["messages"], refuses_tools=refuses_tools)


@blueprint.post("/v1/responses/input_tokens", defaults={"refuses_tools": False})
@blueprint.post("/no-tools/v1/responses/input_tokens", defaults={"refuses_tools": True})
def count_response_tokens(refuses_tools: bool) -> Response:  # noqa: FBT001
    """Count the input tokens of a response that is not created."""
    return _count(DIALECTS["responses"], refuses_tools=refuses_tools)


@blueprint.post("/v1/responses/compact", defaults={"refuses_tools": False})
@blueprint.post("/no-tools/v1/responses/compact", defaults={"refuses_tools": True})
def compact_response(refuses_tools: bool) -> Response:  # noqa: FBT001
    """Answer what was said with less that says the same."""
    dialect = DIALECTS["responses"]
    with json_body() as body:
        asked = _asked(dialect, body, refuses_tools=refuses_tools)
        answer = services().compaction.answer(asked, record())
    return _response(dialect, answer)


def _count(dialect: Dialect, *, refuses_tools: bool) -> Response:
    with json_body() as body:
        asked = _asked(dialect, body, refuses_tools=refuses_tools)
        answer = services().token_counts.answer(asked, record())
    return _response(dialect, answer)
