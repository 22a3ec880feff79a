"""``/v1/batches``: many requests, run by their providers or the relay while nobody waits."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, request

from airelays_app.errors import Conflict, Unprocessable
from airelays_app.framing.jsontext import dumps
from airelays_app.schemas.batches import validate_batch
from airelays_app.schemas.paging import read_paging
from airelays_app.services.batch_requests import (
    ENDPOINTS,
    USUAL_WINDOW,
    inline_requests,
    read_requests,
    window_seconds,
)
from airelays_app.store.batches import Batch, BatchRequest, BatchResult
from airelays_app.web.bodies import json_body
from airelays_app.web.context import owner, services
from airelays_app.web.replies import json_response

blueprint = Blueprint("batches", __name__, url_prefix="/v1/batches")

_MOMENTS = (
    *("in_progress_at", "expires_at", "finalizing_at", "completed_at", "failed_at", "expired_at"),
    *("cancelling_at", "cancelled_at"),
)
_ENDED = ("completed", "cancelled", "expired", "failed")


@blueprint.post("")
def create() -> Response:
    """Create a batch from a stored file, or from requests in the body, and begin to run it."""
    with json_body() as body:
        validate_batch(body.value)
        endpoint = body.value["endpoint"]
        window = body.value.get("completion_window") or USUAL_WINDOW
        seconds = window_seconds(window)
        requests = _requests(body.value, endpoint)
        batch = services().batches.create(
            requests,
            owner=owner(),
            endpoint=endpoint,
            input_file_id=body.value.get("input_file_id"),
            metadata=body.value.get("metadata") or {},
            completion_window=window,
            window_seconds=seconds,
            planned=services().plan_batch(requests, seconds),
        )
    services().chores.wake()
    return json_response(_shown(batch))


@blueprint.get("")
def list_batches() -> Response:
    """List the batches, newest first."""
    paging = read_paging(request.args, default=20, maximum=100)
    page = services().batches.page(owner(), limit=paging.limit, after=paging.after)
    return json_response(
        {
            "object": "list",
            "data": [_shown(batch) for batch in page.data],
            "first_id": page.first_id,
            "last_id": page.last_id,
            "has_more": page.has_more,
        }
    )


@blueprint.get("/<batch_id>")
def retrieve(batch_id: str) -> Response:
    """Return one batch."""
    return json_response(_shown(services().batches.get(batch_id, owner())))


@blueprint.post("/<batch_id>/cancel")
def cancel(batch_id: str) -> Response:
    """Start no more of its requests; those that run come to their end."""
    batch = services().batches.cancel(batch_id, owner())
    services().chores.wake()
    return json_response(_shown(batch))


@blueprint.get("/<batch_id>/results")
def results(batch_id: str) -> Response:
    """Return the results of a batch that has ended, in the order of its requests."""
    batch = services().batches.get(batch_id, owner())
    if batch.status not in _ENDED:
        raise Conflict(
            f"The batch is {batch.status}; its results are there once it has ended.",
            code="batch_not_ended",
            headers={"Retry-After": "10"},
        )
    found = services().batches.results(batch_id)
    return Response(_listed(batch, found), 200, {"Content-Type": "application/json"})


def _listed(batch: Batch, found: Iterable[BatchResult]) -> Iterator[bytes]:
    """Yield a list in pieces: all results of a large batch might not fit into memory."""
    yield b'{"object":"list","batch_id":%b,"data":[' % dumps(batch.id)
    for number, result in enumerate(found):
        yield (b"," if number else b"") + dumps(_result(result, batch.endpoint))
    yield b"]}"


def _requests(body: Mapping[str, Any], endpoint: str) -> list[BatchRequest]:
    if endpoint not in ENDPOINTS:
        raise Unprocessable(f"endpoint must be one of {', '.join(ENDPOINTS)}.", param="endpoint")
    inline, file_id = body.get("requests"), body.get("input_file_id")
    if (inline is None) == (file_id is None):
        raise Unprocessable("Give either input_file_id or requests.", param="input_file_id")
    if inline is not None:
        return inline_requests(inline, endpoint)
    _, content = services().files.open(str(file_id), owner=owner())
    with content:
        return read_requests(content, endpoint)


def _shown(batch: Batch) -> dict[str, Any]:
    return {
        "id": batch.id,
        "object": "batch",
        "endpoint": batch.endpoint,
        "errors": None,
        "input_file_id": batch.input_file_id,
        "completion_window": batch.completion_window,
        "status": batch.status,
        "output_file_id": batch.output_file_id,
        "error_file_id": batch.error_file_id,
        "created_at": batch.created_at,
        **{name: getattr(batch, name) for name in _MOMENTS},
        "request_counts": {
            "total": batch.total,
            "completed": batch.completed,
            "failed": batch.failed,
        },
        "metadata": batch.metadata or None,
    }


def _result(result: BatchResult, endpoint: str) -> dict[str, Any]:
    went_well = result.status < 300
    return {
        "index": result.position,
        "custom_id": result.custom_id,
        "url": endpoint,
        "status_code": result.status,
        "model": result.body.get("model"),
        "response": result.response if went_well else None,
        "error": None if went_well else result.response.get("error", result.response),
    }
