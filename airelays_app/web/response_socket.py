"""``GET /v1/responses``: the WebSocket transport of Responses.

A client that cannot have it gets 426, and that alone: Codex CLI 0.169 then uses HTTP at once, and
after any other status only after seconds, or not at all (measured 2026-11-22).
"""

import logging
from contextlib import closing, suppress
from functools import partial
from socket import socket
from time import monotonic

from flask import Blueprint, Response, g, request
from wsproto.frame_protocol import CloseReason

from airelays_app import takeover
from airelays_app.dialects import DIALECTS
from airelays_app.errors import ClientGone, RelayError, Unauthorized, UpgradeRequired
from airelays_app.ids import fresh_id
from airelays_app.services.generation import Prepared
from airelays_app.services.json_object import parsed_bytes
from airelays_app.services.record import Record
from airelays_app.services.response_session import Client, ResponseSession, error_event
from airelays_app.web.context import Services, dialect_headers, owner, record, services
from airelays_app.web.credentials import offered_credentials
from airelays_app.web.scope import scope
from airelays_app.web.upgrade import asks_for_websocket
from airelays_app.web.web_socket import WebSocket, handshake_answer

blueprint = Blueprint("response_socket", __name__)

LONGEST_SECONDS = 3600.0
"""How long a connection lasts, as at OpenAI (guide "WebSocket mode", seen 2026-11-25)."""

_LOOK_SECONDS = 1.0
_log = logging.getLogger("airelays.requests")


@blueprint.get("/v1/responses", defaults={"refuses_tools": False})
@blueprint.get("/no-tools/v1/responses", defaults={"refuses_tools": True})
def converse(refuses_tools: bool) -> Response:  # noqa: FBT001
    """Speak Responses over a WebSocket."""
    relay_services = services()
    take_over = request.environ.get(takeover.KEY)
    wants = asks_for_websocket(request.environ)
    if not (relay_services.settings.responses.websocket and wants and take_over):
        raise UpgradeRequired(
            "Use POST /v1/responses, or open a WebSocket if responses.websocket allows it.",
            headers={"Upgrade": "websocket"},
        )
    answer = handshake_answer(request.headers, {"X-Request-Id": record().request_id})
    take_over(_Conversation(relay_services, answer, refuses_tools=refuses_tools))
    return Response(status=101)


class _Conversation:
    """What goes on once the connection has been taken over; made within the request."""

    def __init__(self, relay_services: Services, answer: bytes, *, refuses_tools: bool) -> None:
        self._services = relay_services
        self._answer_to_handshake = answer
        self._refuses_tools = refuses_tools
        self._record = record()
        self._owner = owner()
        self._offered = offered_credentials(request.environ)
        self._credential = g.credential
        self._group = g.client_address.group
        self._route = partial(relay_services.router.route, scope=scope())
        self._headers = dialect_headers(DIALECTS["responses"])

    def __call__(self, client: socket) -> None:
        """Answer one message after the other until the client leaves or its time is over."""
        server = self._services.settings.server
        with suppress(ClientGone), self._services.inflight.held(0) as hold:
            web_socket = WebSocket(
                client,
                max_bytes=server.max_body_bytes,
                hold=hold,
                ping_seconds=server.keepalive_seconds,
            )
            web_socket.accept(self._answer_to_handshake)
            session = self._services.response_sessions.open(self._client(client, web_socket))
            while (message := self._next_message(web_socket)) is not None:
                self._answer(session, web_socket, message)
            web_socket.close(CloseReason.GOING_AWAY, "Open a new connection.")
        self._record.outcome = "complete"

    def _client(self, client: socket, web_socket: WebSocket) -> Client:
        return Client(
            owner=self._owner,
            route=self._route,
            refuses_tools=self._refuses_tools,
            headers=self._headers,
            keeper=_Attendant(web_socket),
            watch=client,
        )

    def _next_message(self, web_socket: WebSocket) -> bytes | None:
        """Wait for a message; None when the connection has to end, raises ClientGone."""
        ends_at = self._record.begun + LONGEST_SECONDS
        while not self._services.chores.is_retiring and monotonic() < ends_at:
            message = web_socket.receive(_LOOK_SECONDS)
            if message is not None:
                return message
        return None

    def _answer(self, session: ResponseSession, web_socket: WebSocket, message: bytes) -> None:
        told = self._record_of(message)
        self._services.traffic.inbound(told, target=told.path, headers=(), body=message)
        try:
            self._admit()
            with self._services.inflight.held(len(message) + parsed_bytes(message)):
                self._send_all(session, web_socket, message, told)
        except ClientGone:
            told.outcome = "client_gone"
            raise
        except RelayError as error:
            told.status, told.outcome = error.status, error.code or error.type
            web_socket.send(error_event(error))
            if isinstance(error, Unauthorized):
                web_socket.close(CloseReason.POLICY_VIOLATION, error.message)
                raise ClientGone from error
        finally:
            _log.info("request", extra={"fields": told.fields()})
            self._services.traffic.outbound(told, headers=(), body=None)

    def _record_of(self, message: bytes) -> Record:
        return Record(
            fresh_id("req"),
            method="WEBSOCKET",
            path=self._record.path,
            address=self._record.address,
            credential=self._record.credential,
            bytes_in=len(message),
        )

    def _admit(self) -> None:
        """Let a message in as a request of its own; raises RelayError."""
        self._services.admission.require_still_known(self._offered, self._credential)
        self._services.limits.spend_request(self._group)

    def _send_all(
        self, session: ResponseSession, web_socket: WebSocket, message: bytes, told: Record
    ) -> None:
        with closing(session.events(message, told)) as events:
            for event in events:
                web_socket.send(event)
                self._record.sent(len(event))


class _Attendant:
    """Looks after the connection while a reply is made."""

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
