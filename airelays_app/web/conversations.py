"""``/v1/conversations``: kept by the relay itself."""

from typing import Any

from flask import Blueprint, Response, request

from airelays_app.errors import Unprocessable
from airelays_app.schemas.conversations import validate_conversation
from airelays_app.schemas.paging import read_paging
from airelays_app.services.conversation_items import shown_item
from airelays_app.store.conversations import Conversation
from airelays_app.web.bodies import json_body
from airelays_app.web.context import owner, services
from airelays_app.web.replies import json_response

blueprint = Blueprint("conversations", __name__, url_prefix="/v1/conversations")


def _shown(conversation: Conversation) -> Response:
    return json_response(
        {
            "id": conversation.id,
            "object": "conversation",
            "created_at": conversation.created_at,
            "updated_at": conversation.updated_at,
            "latest_response_id": conversation.latest_response_id,
            "metadata": conversation.metadata,
        }
    )


@blueprint.post("")
def create() -> Response:
    """Create a conversation, with metadata and seed items if there are any."""
    with json_body() as body:
        validate_conversation(body.value)
        conversation = services().conversations.create(
            metadata=body.value.get("metadata") or {},
            items=body.value.get("items") or [],
            owner=owner() or None,
        )
    return _shown(conversation)


@blueprint.get("/<conversation_id>")
def retrieve(conversation_id: str) -> Response:
    """Return a conversation without its items."""
    return _shown(services().conversations.get(conversation_id, owner=owner()))


@blueprint.post("/<conversation_id>")
def update(conversation_id: str) -> Response:
    """Merge or replace the metadata, as ``conversations.metadata_update`` says."""
    relay_services = services()
    with json_body() as body:
        validate_conversation(body.value)
        metadata = body.value.get("metadata") or {}
    conversation = relay_services.conversations.update_metadata(
        conversation_id,
        metadata,
        mode=relay_services.settings.conversations.metadata_update,
        owner=owner(),
    )
    return _shown(conversation)


@blueprint.delete("/<conversation_id>")
def delete(conversation_id: str) -> Response:
    """Forget a conversation and its items."""
    services().conversations.delete(conversation_id, owner=owner())
    return json_response({"id": conversation_id, "object": "conversation.deleted", "deleted": True})


@blueprint.get("/<conversation_id>/items")
def list_items(conversation_id: str) -> Response:
    """List the items, newest first unless asked otherwise."""
    paging = read_paging(request.args, default=20, maximum=100)
    page = services().conversations.items(
        conversation_id,
        limit=paging.limit,
        order=paging.order,
        after=paging.after,
        owner=owner(),
    )
    return json_response(_item_list(page.data, has_more=page.has_more))


@blueprint.post("/<conversation_id>/items")
def add_items(conversation_id: str) -> Response:
    """Append items."""
    with json_body() as body:
        validate_conversation(body.value)
        if not body.value.get("items"):
            raise Unprocessable("items is required and must not be empty.", param="items")
        items = services().conversations.add_items(
            conversation_id, body.value["items"], owner=owner()
        )
    return json_response(_item_list(list(items), has_more=False))


@blueprint.get("/<conversation_id>/items/<item_id>")
def retrieve_item(conversation_id: str, item_id: str) -> Response:
    """Return one item."""
    item = services().conversations.get_item(conversation_id, item_id, owner=owner())
    return json_response(shown_item(item))


@blueprint.delete("/<conversation_id>/items/<item_id>")
def delete_item(conversation_id: str, item_id: str) -> Response:
    """Remove one item and return the conversation."""
    return _shown(services().conversations.delete_item(conversation_id, item_id, owner=owner()))


def _item_list(items: Any, *, has_more: bool) -> dict[str, Any]:
    return {
        "object": "list",
        "data": [shown_item(item) for item in items],
        "first_id": items[0]["id"] if items else None,
        "last_id": items[-1]["id"] if items else None,
        "has_more": has_more,
    }
