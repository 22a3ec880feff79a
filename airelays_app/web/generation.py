"""``/v1/responses``, ``/v1/chat/completions``, ``/v1/completions`` and their no-tools twins."""

from typing import Any

from flask import Blueprint, Response, request

from airelays_app.dialects import DIALECTS
from airelays_app.dialects.base import Dialect
from airelays_app.errors import RelayError, UpgradeRequired, UpstreamRefused
from airelays_app.services.file_inputs import inline_files, resolver
from airelays_app.services.generation import Call
from airelays_app.services.relay import Answer
from airelays_app.services.routing import Route
from airelays_app.services.turns import Turn, begin_turn, conversation_id
from airelays_app.web.bodies import JsonBody, json_body
from airelays_app.web.context import Services, record, services
from airelays_app.web.replies import answer_response

blueprint = Blueprint("generation", __name__)


def _generate(dialect: Dialect, *, refuses_tools: bool) -> Response:
    relaying = services()
    with json_body() as body:
        model = body.value.get("model")
        route = relaying.router.route(model if isinstance(model, str) else "")
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
    turn = _turn(relaying, dialect, body.value)
    try:
        call = _call(relaying, dialect, route, body, turn)
        return relaying.relay.answer(call, record(), turn)
    except UpstreamRefused as error:
        raise _better_told(relaying, route, error) from error
    except BaseException:
        if turn:
            turn.release()
        raise


def _turn(relaying: Services, dialect: Dialect, body: dict[str, Any]) -> Turn | None:
    conversation = conversation_id(body)
    if conversation is None:
        return None
    return begin_turn(relaying.conversations, conversation, dialect=dialect, body=body)


def _call(
    relaying: Services, dialect: Dialect, route: Route, body: JsonBody, turn: Turn | None
) -> Call:
    resolve = resolver(relaying.files)
    inlined = inline_files(body.value, dialect.name, resolve)
    history = inline_files({"input": list(turn.history)}, "responses", resolve) if turn else {}
    return Call(
        dialect=dialect,
        route=route,
        raw=body.raw,
        body=inlined,
        untouched=inlined is body.value,
        conversation=turn.lock.conversation_id if turn else None,
        history=tuple(history.get("input", ())),
        watch=request.environ.get("gunicorn.socket"),
    )


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
