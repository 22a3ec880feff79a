"""``/v1/models``: one path, four clients, told apart by what they send (seen 2026-11-22)."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from airelays_app.services.catalog import Listed
from airelays_app.web.context import services
from airelays_app.web.replies import json_response
from airelays_app.web.scope import scope

blueprint = Blueprint("models", __name__)

Shape = Callable[[list[Listed]], dict[str, Any]]


@blueprint.get("/v1/models")
@blueprint.get("/no-tools/v1/models", endpoint="list_models_no_tools")
def list_models() -> Response:
    """List the models in the client's own shape."""
    return json_response(_list_shape()(services().catalog.listed(scope())))


@blueprint.get("/v1/models/<path:model>")
@blueprint.get("/no-tools/v1/models/<path:model>", endpoint="get_model_no_tools")
def get_model(model: str) -> Response:
    """Describe one model."""
    found = services().catalog.find(model, scope())
    if "anthropic-version" in request.headers:
        return json_response(_anthropic_model(found))
    if "x-goog-api-key" in request.headers:
        return json_response(_gemini_model(found))
    return json_response(_openai_model(found))


def _list_shape() -> Shape:
    if "client_version" in request.args:
        return _codex_list
    if "anthropic-version" in request.headers:
        return _anthropic_list
    if "x-goog-api-key" in request.headers:
        return _gemini_list
    return _openai_list


def _openai_model(listed: Listed) -> dict[str, Any]:
    model = listed.model
    return {
        "id": listed.id,
        "object": "model",
        "created": model.created,
        "owned_by": model.owned_by,
    }


def _openai_list(models: list[Listed]) -> dict[str, Any]:
    return {"object": "list", "data": [_openai_model(model) for model in models]}


def _codex_list(models: list[Listed]) -> dict[str, Any]:
    """Codex CLI's own catalogue, whose entries keep everything that their vendor said.

    Models of other vendors have no such entry and are left out: one that is incomplete makes
    Codex 0.169 throw the whole list away, and it can use a model that the list lacks.
    """
    entries = ((listed.id, listed.model.native) for listed in models)
    return {"models": [{**native, "slug": id_} for id_, native in entries if "slug" in native]}


def _anthropic_model(listed: Listed) -> dict[str, Any]:
    return {
        "type": "model",
        "id": listed.id,
        "display_name": str(listed.model.native.get("display_name") or listed.id),
        "created_at": "1970-01-01T00:00:00Z",
    }


def _anthropic_list(models: list[Listed]) -> dict[str, Any]:
    return {
        "data": [_anthropic_model(model) for model in models],
        "has_more": False,
        "first_id": models[0].id if models else None,
        "last_id": models[-1].id if models else None,
    }


def _gemini_model(listed: Listed) -> dict[str, Any]:
    return {
        "name": f"models/{listed.id}",
        "displayName": str(listed.model.native.get("display_name") or listed.id),
        "supportedGenerationMethods": ["generateContent"],
    }


def _gemini_list(models: list[Listed]) -> dict[str, Any]:
    return {"models": [_gemini_model(model) for model in models]}
