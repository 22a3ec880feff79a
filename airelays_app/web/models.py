"""``/v1/models`` and ``/v1beta/models``: the catalogue in each client's own shape.

The first path is that of four clients, told apart by what they send (seen 2026-11-22).
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from flask import Blueprint, Response, request

from airelays_app.errors import BadRequest
from airelays_app.schemas.numbers import whole_number
from airelays_app.services.catalog import Listed
from airelays_app.web.answering_dialect import answering_dialect
from airelays_app.web.context import services
from airelays_app.web.replies import json_response
from airelays_app.web.scope import scope

blueprint = Blueprint("models", __name__)

_MOST = 10_000
"""What a page can be asked to hold, and where it may begin."""

_ListShape = Callable[[list[Listed]], dict[str, Any]]


@blueprint.get("/v1/models")
@blueprint.get("/no-tools/v1/models", endpoint="list_models_no_tools")
@blueprint.get("/v1beta/models", endpoint="list_models_beta")
def list_models() -> Response:
    """List the models in the client's own shape."""
    dialect = answering_dialect(request).name
    shape = _LISTS.get(dialect, _openai_list)
    if dialect == "responses" and "client_version" in request.args:
        shape = _codex_list
    return json_response(shape(services().catalog.listed(scope())))


@blueprint.get("/v1/models/<path:model>")
@blueprint.get("/no-tools/v1/models/<path:model>", endpoint="get_model_no_tools")
@blueprint.get("/v1beta/models/<path:model>", endpoint="get_model_beta")
def get_model(model: str) -> Response:
    """Describe one model."""
    shape = _MODELS.get(answering_dialect(request).name, _openai_model)
    return json_response(shape(services().catalog.find(model, scope())))


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
    """Return an entry; one of Anthropic's own keeps everything that Anthropic said of it."""
    native = listed.model.native
    told = native if "created_at" in native else {}
    created = datetime.fromtimestamp(listed.model.created, UTC)
    return {
        "type": "model",
        "display_name": str(native.get("display_name") or listed.id),
        "created_at": f"{created:%Y-%m-%dT%H:%M:%SZ}",
        "lifecycle": "active",
        **told,
        "id": listed.id,
    }


def _anthropic_list(models: list[Listed]) -> dict[str, Any]:
    """Return a page: what follows ``after_id``, or what stands before ``before_id``."""
    begin, end = 0, len(models)
    if after := request.args.get("after_id"):
        begin = _index_of(after, models, "after_id") + 1
    if before := request.args.get("before_id"):
        end = _index_of(before, models, "before_id")
    size = _number("limit") or len(models)
    first = max(begin, end - size) if before else begin
    page = models[first : min(end, first + size)]
    return {
        "data": [_anthropic_model(model) for model in page],
        "has_more": len(page) < end - begin,
        "first_id": page[0].id if page else None,
        "last_id": page[-1].id if page else None,
    }


def _index_of(id_: str, models: list[Listed], param: str) -> int:
    for index, listed in enumerate(models):
        if listed.id == id_:
            return index
    raise BadRequest(f"{param} names no model.", param=param)


def _gemini_model(listed: Listed) -> dict[str, Any]:
    """Return an entry; one of Google's own keeps everything that Google said of it."""
    native = listed.model.native
    told = native if "supportedGenerationMethods" in native else {}
    return {
        "version": "",
        "displayName": str(native.get("display_name") or listed.id),
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        **told,
        "name": f"models/{listed.id}",
    }


def _gemini_list(models: list[Listed]) -> dict[str, Any]:
    """Return a page; its token is the place where the next one begins."""
    start = _number("pageToken")
    size = _number("pageSize") or len(models)
    page: dict[str, Any] = {"models": [_gemini_model(each) for each in models[start:][:size]]}
    if start + size < len(models):
        page["nextPageToken"] = str(start + size)
    return page


def _number(name: str) -> int:
    """Return a number in the query, 0 if there is none; raises BadRequest."""
    number = whole_number(request.args.get(name) or "0", most=_MOST)
    if number is None:
        raise BadRequest(f"{name} must be a number from 0 to {_MOST}.", param=name)
    return number


_MODELS: Mapping[str, Callable[[Listed], dict[str, Any]]] = MappingProxyType(
    {"messages": _anthropic_model, "gemini": _gemini_model}
)
_LISTS: Mapping[str, _ListShape] = MappingProxyType(
    {"messages": _anthropic_list, "gemini": _gemini_list}
)
