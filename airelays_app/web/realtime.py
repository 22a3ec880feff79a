"""``GET /v1/realtime`` and what is below it: a WebSocket joined to the provider's, byte for byte.

The provider is dialled first, so what it refuses is an ordinary HTTP error. The handshake is
between client and provider: the client's key goes out, the provider's answer comes back.
"""

from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from socket import socket
from urllib.parse import quote

from flask import Blueprint, Response, g, request

from airelays_app import takeover
from airelays_app.errors import Unauthorized, Unprocessable, Unsupported, UpgradeRequired
from airelays_app.providers.base import Relayed
from airelays_app.services.forwarding import check_target, forwarded_headers, without_key
from airelays_app.services.record import Record
from airelays_app.services.relayed import operation_path
from airelays_app.upstream.response import UpstreamResponse
from airelays_app.upstream.splice import splice
from airelays_app.web.context import client_socket, record, services
from airelays_app.web.credentials import offered_credentials
from airelays_app.web.scope import route_of, scope, scope_prefix
from airelays_app.web.target import raw_tail, raw_target
from airelays_app.web.upgrade import asks_for_websocket

blueprint = Blueprint("realtime", __name__)

_PROTOCOL = "sec-websocket-protocol"
_SECRET_PROTOCOL = "openai-insecure-api-key."  # noqa: S105 - how browsers carry a key
_SWITCHED = ("upgrade", "sec-websocket-")


@blueprint.get("/v1/realtime", defaults={"tail": ""})
@blueprint.get("/v1/realtime/<path:tail>")
def realtime(tail: str) -> Response:
    """Join the client's WebSocket to a provider's."""
    if not services().settings.realtime.enabled:
        raise Unsupported("Realtime conversations are turned off: realtime.enabled.")
    if not asks_for_websocket(request.environ):
        raise UpgradeRequired("Open a WebSocket here.", headers={"Upgrade": "websocket"})
    model = request.args.get("model", "")
    if not model and scope() is None:
        raise Unprocessable("model is required in the query.", param="model")
    take_over = request.environ.get(takeover.KEY)
    if take_over is None:
        raise Unsupported("This server cannot join WebSockets; airelays serve can.")
    response = _dialled(model, _tail() if tail else "")
    take_over(_Bridge(response, record(), look=_admission_check()))
    return Response(status=101)


def _admission_check() -> Callable[[], None]:
    """Return what raises Unauthorized once the token of this request has been revoked."""
    offered = offered_credentials(request.environ)
    return partial(services().admission.require_still_known, offered, g.credential)


def _tail() -> str:
    """Return what the path says further, as it is written; raises NotFound if it leads astray."""
    tail = f"/{raw_tail(f'{scope_prefix()}/v1/realtime/')[0]}"
    check_target(tail)
    return tail


def _dialled(model: str, tail: str) -> UpstreamResponse:
    route = route_of(model)
    record().model = route.model
    path = operation_path(route.provider, "realtime") + tail
    call = Relayed("GET", f"{path}?{_query(route.model)}", _handshake())
    return services().relaying.upgrade(route, call, record(), watch=client_socket())


def _query(model: str) -> str:
    """Return the client's query with the provider's name for the model, if it names one."""
    pairs = without_key(raw_target()[1]).split("&")
    others = [pair for pair in pairs if pair and pair.partition("=")[0] != "model"]
    named = [f"model={quote(model, safe='')}"] if model else []
    return "&".join([*named, *others])


def _handshake() -> dict[str, str]:
    headers = forwarded_headers(request.headers.items())
    kept = {
        name: value
        for name, value in headers.items()
        if name.lower() not in (_PROTOCOL, "accept-encoding", "content-type")
    }
    if protocols := _protocols():
        kept["Sec-WebSocket-Protocol"] = protocols
    return {**kept, "Connection": "Upgrade", "Upgrade": "websocket"}


def _protocols() -> str:
    offered = request.headers.get(_PROTOCOL, "").split(",")
    return ", ".join(
        name.strip() for name in offered if name and not name.strip().startswith(_SECRET_PROTOCOL)
    )


class _Bridge:
    """What goes on once both handshakes are done."""

    def __init__(
        self, response: UpstreamResponse, record: Record, *, look: Callable[[], None]
    ) -> None:
        self._response = response
        self._record = record
        self._look = look

    def __call__(self, client: socket) -> None:
        """Carry bytes until one side ends; closes the provider's connection."""
        with closing(self._response):
            try:
                self._carry(client)
                self._record.outcome = "complete"
            except Unauthorized as error:
                self._record.outcome = error.code

    def _carry(self, client: socket) -> None:
        upstream, arrived = self._response.upgraded()
        splice(
            client,
            upstream,
            arrived=self._head() + arrived,
            count=self._record.sent,
            look=self._look,
        )

    def _head(self) -> bytes:
        lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade"]
        lines += _lines(self._response.headers.items())
        lines.append(f"X-Request-Id: {self._record.request_id}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _lines(headers: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{name}: {value}" for name, value in headers if name.lower().startswith(_SWITCHED)]
