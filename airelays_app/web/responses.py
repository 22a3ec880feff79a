"""``/v1/responses/{id}``: replies that are kept by the relay itself, for whoever asked for them."""

from flask import Blueprint, Response, request
from werkzeug.routing import BaseConverter

from airelays_app.framing.sse import KEEP_ALIVE
from airelays_app.schemas.paging import read_paging
from airelays_app.schemas.responses import read_retrieval
from airelays_app.services.relay import Answer
from airelays_app.web.context import client_socket, owner, record, services
from airelays_app.web.replies import answer_response, json_response

blueprint = Blueprint("responses", __name__, url_prefix="/v1/responses")


class ResponseId(BaseConverter):
    """The id in a path, where it is not the name of a route of its own."""

    part_isolating = True
    regex = r"(?!(?:compact|input_tokens)\Z)[^/]+"


@blueprint.get("/<response:response_id>")
def retrieve(response_id: str) -> Response:
    """Return a response, or the events of one that is made in the background."""
    asked = read_retrieval(request.args)
    if not asked.stream:
        return json_response(services().responses.retrieve(owner(), response_id))
    events = services().responses.followed(
        owner(), response_id, after=asked.starting_after, watch=client_socket()
    )
    return answer_response(
        Answer(b"", events),
        record(),
        keep_alive=KEEP_ALIVE,
        keepalive_seconds=services().settings.server.keepalive_seconds,
    )


@blueprint.post("/<response_id>/cancel")
def cancel(response_id: str) -> Response:
    """End a response that is made in the background."""
    return json_response(services().responses.cancel(owner(), response_id))


@blueprint.delete("/<response:response_id>")
def delete(response_id: str) -> Response:
    """Forget a response."""
    services().responses.delete(owner(), response_id)
    return json_response({"id": response_id, "object": "response", "deleted": True})


@blueprint.get("/<response_id>/input_items")
def list_input_items(response_id: str) -> Response:
    """List what the request brought, the last first unless asked otherwise."""
    paging = read_paging(request.args, default=20, maximum=100)
    page = services().responses.input_items(
        owner(), response_id, limit=paging.limit, order=paging.order, after=paging.after
    )
    return json_response(
        {
            "object": "list",
            "data": page.data,
            "first_id": page.first_id,
            "last_id": page.last_id,
            "has_more": page.has_more,
        }
    )
