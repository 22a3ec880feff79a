"""``/v1/responses/{id}``: replies that are kept by the relay itself, for whoever asked for them."""

from flask import Blueprint, Response, request

from airelays_app.schemas.paging import read_paging
from airelays_app.web.context import owner, services
from airelays_app.web.replies import json_response

blueprint = Blueprint("responses", __name__, url_prefix="/v1/responses")


@blueprint.get("/<response_id>")
def retrieve(response_id: str) -> Response:
    """Return a response."""
    return json_response(services().responses.retrieve(owner(), response_id))


@blueprint.delete("/<response_id>")
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
