"""Embeddings, audio, images, ``/p/{provider}/...``: relayed as they are."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from flask import Blueprint, Response, g, request

from airelays_app.errors import NotFound, Unauthorized, Unprocessable, Unsupported
from airelays_app.framing.jsontext import dumps
from airelays_app.providers.base import Provider, Relayed
from airelays_app.services.forwarding import below_base, forwarded_headers, without_key
from airelays_app.services.relayed import RelayedAnswer, operation_path
from airelays_app.services.routing import Route
from airelays_app.web.bodies import JsonBody, json_body
from airelays_app.web.context import client_socket, record, services
from airelays_app.web.scope import route_of, scope_prefix
from airelays_app.web.spooled import Spooled, spooled_body, spooled_form
from airelays_app.web.target import raw_tail

blueprint = Blueprint("relayed", __name__)

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_SANDBOX = "sandbox; default-src 'none'"
_UNBUFFERED = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


@blueprint.post("/v1/embeddings", defaults={"operation": "embeddings"})
@blueprint.post("/v1/moderations", defaults={"operation": "moderations"})
@blueprint.post("/v1/realtime/sessions", defaults={"operation": "realtime/sessions"})
def json_operation(operation: str) -> Response:
    """Relay an operation whose request is JSON."""
    with json_body() as body:
        route = _route(body.value.get("model"), operation)
        return operation_response(operation, route, body=_renamed(body, route.model))


@blueprint.post("/v1/audio/<operation>", defaults={"family": "audio"})
@blueprint.post("/v1/images/<operation>", defaults={"family": "images"})
def media_operation(family: str, operation: str) -> Response:
    """Relay an operation whose request is JSON or a form with files."""
    name = f"{family}/{operation}"
    if request.mimetype != "multipart/form-data":
        return json_operation(name)
    routes: list[Route] = []

    def rename(model: str) -> str:
        routes.append(_route(model, name))
        return routes[0].model

    form, content_type = spooled_form(rename)
    with closing(form):
        return operation_response(name, routes[0], body=form, content_type=content_type)


@blueprint.route("/p/<provider>/<path:tail>", methods=METHODS, provide_automatic_options=False)
def passthrough(provider: str, tail: str) -> Response:
    """Relay any call to a provider whose owner allows that."""
    target = services().router.named(provider)
    if target is None:
        raise NotFound(f"There is no provider called {provider[:64]!r}.")
    tail, query = raw_tail(f"/p/{provider}/")
    headers = _headers(request.headers.get("Content-Type"))
    with closing(spooled_body()) as body:
        sent = body if body.length else None
        return _anything(target, tail, query, headers=headers, body=sent)


def operation_response(
    operation: str, route: Route, *, body: bytes | Spooled, content_type: str = "application/json"
) -> Response:
    """Relay ``body`` to where the route's provider does the operation; raises RelayError."""
    record().model = route.model
    headers = _plain_headers(content_type)
    path = operation_path(route.provider, operation)
    call = Relayed("POST", path, headers, body, route.model)
    answer = services().relaying.operation(route, call, record(), watch=client_socket())
    return _response(answer, answer.plain())


def is_unknown_call() -> bool:
    """Tell whether the request is one that a provider may know although the relay does not."""
    return request.method == "POST" and request.path.startswith("/v1/") and request.is_json


def relay_unknown_call() -> Response:
    """Relay a call that the relay does not know to the provider that its model names.

    It wants a key like ``/p/``, also in a relay that is open. Raises NotFound without a model.
    """
    if g.credential is None:
        raise Unauthorized("Calls that the relay does not know need its token.")
    with json_body() as body:
        model = body.value.get("model")
        if not isinstance(model, str) or not model:
            raise NotFound("There is no such route, and the body names no model to relay it by.")
        route = route_of(model)
        _require_passthrough(route.provider)
        tail, query = raw_tail(f"{scope_prefix()}/v1/")
        renamed = _renamed(body, route.model)
        headers = _plain_headers("application/json")
        return _anything(route.provider, tail, query, headers=headers, body=renamed)


def _require_passthrough(provider: Provider) -> None:
    if not provider.passthrough:
        raise Unsupported(
            "There is no such route, and calls that the relay does not know are not relayed to "
            f"{provider.name}; its owner can allow it with the setting "
            f"providers.{provider.name}.passthrough."
        )


def _route(model: Any, operation: str) -> Route:
    """Return the route of an operation; without a model the default provider's lack counts first.

    Raises Unsupported, Unprocessable.
    """
    named = model if isinstance(model, str) else ""
    route = route_of(named)
    operation_path(route.provider, operation)
    if not named.strip():
        raise Unprocessable("model is required and must be a string.", param="model")
    return route


def _renamed(body: JsonBody, model: str) -> bytes:
    if body.value.get("model") == model:
        return body.raw
    return dumps({**body.value, "model": model})


def _anything(
    provider: Provider,
    tail: str,
    query: str,
    *,
    headers: dict[str, str],
    body: bytes | Spooled | None,
) -> Response:
    target = below_base(provider.base_path, tail)
    kept = without_key(query)
    call = Relayed(
        request.method,
        f"{target}?{kept}" if kept else target,
        headers,
        body,
    )
    answer = services().relaying.anything(provider, call, record(), watch=client_socket())
    response = _response(answer, answer.raw())
    response.headers["Content-Security-Policy"] = _SANDBOX
    return response


def _plain_headers(content_type: str) -> dict[str, str]:
    """Return the client's headers for a body that has no content encoding any more.

    Nor may the answer have one that only the client understands.
    """
    headers = _headers(content_type)
    encodings = ("content-encoding", "accept-encoding")
    return {name: value for name, value in headers.items() if name.lower() not in encodings}


def _headers(content_type: str | None) -> dict[str, str]:
    headers = forwarded_headers(request.headers.items())
    kept = {name: value for name, value in headers.items() if name.lower() != "content-type"}
    return {**kept, "Content-Type": content_type} if content_type else kept


def _response(answer: RelayedAnswer, body: Iterator[bytes]) -> Response:
    response = Response(body, answer.status)
    response.call_on_close(answer.close)
    response.headers.clear()
    response.headers.update(answer.headers)
    if answer.media_type.startswith("text/event-stream"):
        response.headers.extend(_UNBUFFERED)
    return response
