"""``GET /v1/responses``: the WebSocket transport of Responses.

A client that cannot have it gets 426, and that alone: Codex CLI 0.169 then uses HTTP at once, and
after any other status only after seconds, or not at all (measured 2026-11-22).
"""

import logging
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from socket import socket
from time import monotonic

from flask import Blueprint, Response, g, request
from wsproto.frame_protocol import CloseReason

from airelays_app import takeover
from airelays_app.dialects import DIALECTS
from airelays_app.errors import ClientGone, Unavailable, UpgradeRequired
from airelays_app.ids import fresh_id
from airelays_app.services.generation import Prepared
from airelays_app.services.record import Record
from airelays_app.services.response_session import Client, ResponseSession, error_event
from airelays_app.web.context import UPGRADE_KEY, Services, owner, record, services
from airelays_app.web.scope import scope
from airelays_app.web.target import raw_target
from airelays_app.web.web_socket import WebSocket

blueprint = Blueprint("response_socket", __name__)

PING_SECONDS = 30.0
"""After how much silence a client is asked whether it is there; it has as long to answer."""

LONGEST_SECONDS = 3600.0
"""How long a connection lasts, as at OpenAI (guide "WebSocket mode", seen 2026-11-25)."""

_LOOK_SECONDS = 1.0
_log = logging.getLogger("airelays.requests")


@blueprint.get("/v1/responses")
def converse() -> Response:
    """Speak Responses over a WebSocket."""
    relaying = services()
    take_over = request.environ.get(takeover.KEY)
    wants = request.environ[UPGRADE_KEY].lower() == "websocket"
    if not (relaying.settings.responses.websocket and wants and take_over):
        raise UpgradeRequired(
            "Use POST /v1/responses, or open a WebSocket if responses.websocket allows it.",
            headers={"Upgrade": "websocket"},
        )
    headers = [*request.headers.items(), ("Upgrade", "websocket")]
    web_socket = WebSocket(
        headers, raw_target()[0], max_bytes=relaying.settings.server.max_body_bytes
    )
    take_over(_Conversation(relaying, web_socket))
    return Response(status=101)


class _Conversation:
    """What goes on once the connection has been taken over; made within the request."""

    def __init__(self, relaying: Services, web_socket: WebSocket) -> None:
        self._relaying = relaying
        self._web_socket = web_socket
        self._record = record()
        self._owner = owner()
        self._group = g.client_address.group
        self._route = partial(relaying.router.route, scope=scope())
        dialect = DIALECTS["responses"]
        self._headers = {
            name: request.headers[name]
            for name in dialect.client_headers
            if name in request.headers
        }

    def __call__(self, client: socket) -> None:
        """Answer one message after the other until the client leaves or its time is over."""
        web_socket = self._web_socket
        with suppress(ClientGone):
            web_socket.accept(client, {"X-Request-Id": self._record.request_id})
            session = self._relaying.response_sessions.open(self._client(client))
            while message := self._next_message():
                self._answer(session, message)
            web_socket.close(CloseReason.GOING_AWAY, "Open a new connection.")
        self._record.outcome = "complete"

    def _client(self, client: socket) -> Client:
        return Client(
            owner=self._owner,
            route=self._route,
            spend=partial(self._relaying.limits.spend_request, self._group),
            headers=self._headers,
            keeper=_Attendant(self._web_socket),
            watch=client,
        )

    def _next_message(self) -> str | None:
        """Wait for a message; None when the connection has to end, raises ClientGone."""
        ends_at = self._record.begun + LONGEST_SECONDS
        asked_at = monotonic()
        while not self._relaying.chores.is_retiring and monotonic() < ends_at:
            message = self._web_socket.receive(_LOOK_SECONDS)
            if message is not None:
                return message
            if monotonic() - asked_at >= PING_SECONDS:
                if not self._web_socket.is_heard:
                    raise ClientGone
                self._web_socket.ping()
                asked_at = monotonic()
        return None

    def _answer(self, session: ResponseSession, message: str) -> None:
        told = Record(
            fresh_id("req"),
            method="WEBSOCKET",
            path=self._record.path,
            address=self._record.address,
            credential=self._record.credential,
            bytes_in=len(message),
        )
        try:
            with self._relaying.inflight.held(len(message)):
                self._send(session.events(message, told))
        except ClientGone:
            told.outcome = "client_gone"
            raise
        except Unavailable as error:
            told.outcome = error.code or error.type
            self._send([error_event(error)])
        finally:
            _log.info("request", extra={"fields": told.fields()})

    def _send(self, events: Iterable[bytes]) -> None:
        for event in events:
            self._web_socket.send(event)
            self._record.sent(len(event))


class _Attendant:
    """Answers the client's pings while a reply is made."""

    def __init__(self, web_socket: WebSocket) -> None:
        self._web_socket = web_socket

    def keep(self, prepared: Prepared) -> None:
        """Nothing is kept."""

    def fail(self, prepared: Prepared) -> None:
        """Nothing is kept."""

    def heartbeat(self) -> None:
        """Take what has arrived; raises ClientGone."""
        self._web_socket.attend()

    def release(self) -> None:
        """Nothing is held."""
