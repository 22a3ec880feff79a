"""``/v1/responses``, ``/v1/chat/completions``, ``/v1/completions`` and their no-tools twins."""

from dataclasses import replace

from flask import Blueprint, Response, request

from airelays_app.dialects import DIALECTS
from airelays_app.dialects.base import Dialect
from airelays_app.dialects.file_parts import Resolve
from airelays_app.errors import RelayError, UpgradeRequired, UpstreamRefused
from airelays_app.services.file_inputs import inline_files, resolver
from airelays_app.services.generation import Call
from airelays_app.services.relay import Answer
from airelays_app.services.routing import Route
from airelays_app.services.turns import Turn, begin_turn, conversation_id
from airelays_app.web.bodies import JsonBody, json_body
from airelays_app.web.context import Services, record, services
from airelays_app.web.replies import answer_response
from airelays_app.web.scope import route_of

blueprint = Blueprint("generation", __name__)


def _generate(dialect: Dialect, *, refuses_tools: bool) -> Response:
    relaying = services()
    with json_body() as body:
        model = body.value.get("model")
        route = route_of(model if isinstance(model, str) else "")
        relaying.schemas.validate(
            body.value,
            dialect=dialect.name,
            provider=route.provider,
            refuses_tools=refuses_tools,
        )
        record().dialect = dialect.name
        answer = _answered(relaying, dialect, route, body)
    return answer_response(
        answer,
        record(),
        keep_alive=dialect.keep_alive,
        keepalive_seconds=relaying.settings.server.keepalive_seconds,
    )


def _answered(relaying: Services, dialect: Dialect, route: Route, body: JsonBody) -> Answer:
    resolve = resolver(relaying.files)
    call = _call(dialect, route, body, resolve)
    turn = _turn(relaying, call, body)
    if turn:
        call = _continued(call, turn, resolve)
    try:
        return relaying.relay.answer(call, record(), turn)
    except UpstreamRefused as error:
        raise _better_told(relaying, route, error) from error


def _call(dialect: Dialect, route: Route, body: JsonBody, resolve: Resolve) -> Call:
    inlined = inline_files(body.value, dialect.name, resolve)
    return Call(
        dialect=dialect,
        route=route,
        raw=body.raw,
        body=inlined,
        untouched=inlined is body.value,
        watch=request.environ.get("gunicorn.socket"),
    )


def _turn(relaying: Services, call: Call, body: JsonBody) -> Turn | None:
    """Begin the turn; items keep their references to stored files, messages have their content."""
    conversation = conversation_id(body.value)
    if conversation is None:
        return None
    said = body.value if call.dialect.name == "responses" else call.body
    return begin_turn(relaying.conversations, conversation, dialect=call.dialect, body=said)


def _continued(call: Call, turn: Turn, resolve: Resolve) -> Call:
    try:
        history = inline_files({"input": list(turn.history)}, "responses", resolve)
    except BaseException:
        turn.release()
        raise
    items = tuple(history["input"])
    return replace(call, conversation=turn.lock.conversation_id, history=items)


def _better_told(relaying: Services, route: Route, error: UpstreamRefused) -> RelayError:
    """An upstream that refuses a model its own catalogue lacks is telling that there is none."""
    speaks_of_it = error.param == "model" or route.model in error.message
    if error.status not in (400, 404) or not speaks_of_it:
        return error
    return relaying.catalog.absence(route.provider, route.model) or error


@blueprint.post("/v1/responses", defaults={"refuses_tools": False})
@blueprint.post("/no-tools/v1/responses", defaults={"refuses_tools": True})
def create_response(refuses_tools: bool) -> Response:  # noqa: FBT001
    """Create a response."""
    return _generate(DIALECTS["responses"], refuses_tools=refuses_tools)


@blueprint.post("/v1/chat/completions", defaults={"refuses_tools": False})
@blueprint.post("/no-tools/v1/chat/completions", defaults={"refuses_tools": True})
def create_chat_completion(refuses_tools: bool) -> Response:  # noqa: FBT001
    """Create a chat completion."""
    return _generate(DIALECTS["chat"], refuses_tools=refuses_tools)


@blueprint.post("/v1/completions")
@blueprint.post("/no-tools/v1/completions", endpoint="create_completion_no_tools")
def create_completion() -> Response:
    """Create a legacy completion; it never carries tools."""
    return _generate(DIALECTS["completions"], refuses_tools=False)


@blueprint.get("/v1/responses")
def upgrade_responses() -> Response:
    """The WebSocket transport is not spoken: 426 makes Codex CLI use HTTP at once."""
    raise UpgradeRequired(
        "Use POST /v1/responses; the WebSocket transport is not available.",
        headers={"Upgrade": "websocket"},
    )
