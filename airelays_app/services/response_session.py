"""Responses over one lasting connection: each message asks for a reply, each event is a message.

What differs from HTTP (OpenAI's guide "WebSocket mode", seen 2026-11-25; Codex CLI 0.169, recorded
2026-11-22): ``stream`` and ``background`` do not exist; ``generate: false`` is answered with an id
and no output, so that the next message may continue from there; the latest response is remembered
whatever ``store`` says, and forgotten when a turn that continues it fails; errors are messages.
"""

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from socket import socket

from airelays_app.dialects import DIALECTS
from airelays_app.dialects.base import Json, ReplyContext
from airelays_app.dialects.openai_error import error_body
from airelays_app.dialects.responses.reply import finished_object, response_object
from airelays_app.dialects.responses.request_in import input_items
from airelays_app.errors import RelayError, Unprocessable
from airelays_app.framing.jsontext import dumps, loads
from airelays_app.framing.sse import SseSplitter, parse_block
from airelays_app.ids import fresh_id
from airelays_app.neutral.failure import failure_of
from airelays_app.services.connection_memory import ConnectionMemory
from airelays_app.services.continuation import Continuation
from airelays_app.services.creation import Asked, Creation, Validate
from airelays_app.services.json_object import read_object
from airelays_app.services.keeping import Keeper
from airelays_app.services.parameters import disclosure
from airelays_app.services.record import Record
from airelays_app.services.relay import Answer
from airelays_app.services.routing import ROUTE_HEADER, Route

IGNORED_FIELD = "airelays_ignored_parameters"
ROUTE_FIELD = "airelays_route"
"""Where the first event of a reply says what headers say over HTTP: what was left out, and who has
answered."""

_TRANSPORT = frozenset({"type", "generate", "stream", "stream_id", "background"})
"""What a message has that is no field of a request over HTTP, or not one here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who is at the other end.

    ``route`` finds the route of a model's name, and raises RelayError. ``keeper`` hears of each
    reply, and at least once a second while it is made. ``watch`` is the connection.
    """

    owner: str
    route: Callable[[str], Route]
    refuses_tools: bool
    headers: Mapping[str, str]
    keeper: Keeper
    watch: socket


class ResponseSessions:
    """Opens sessions."""

    def __init__(self, creation: Creation, continuation: Continuation, validate: Validate) -> None:
        self.creation = creation
        self.continuation = continuation
        self.validate = validate

    def open(self, client: Client) -> "ResponseSession":
        """Return a new session."""
        return ResponseSession(self, client, ConnectionMemory())


class ResponseSession:
    """The replies of one connection, one after the other."""

    def __init__(
        self, sessions: ResponseSessions, client: Client, memory: ConnectionMemory
    ) -> None:
        self._sessions = sessions
        self._client = client
        self._memory = memory

    def events(self, raw: bytes, record: Record) -> Generator[bytes]:
        """Yield the messages that answer the message ``raw``; raises ClientGone.

        What goes wrong with it is a message, too.
        """
        message: Json = {}
        try:
            message = _message(raw)
            for event in self._events(message, record):
                yield _in_lane(event, message)
        except RelayError as error:
            record.status, record.outcome = error.status, error.code or error.type
            if message.get("previous_response_id"):
                self._memory.forget()
            yield _in_lane(error_event(error), message)

    def _events(self, message: Json, record: Record) -> Iterator[bytes]:
        asked = self._asked(message)
        record.status, record.dialect = 200, asked.dialect.name
        if message.get("generate") is False:
            return self._warmed_up(asked, record)
        return _told(self._sessions.creation.answer(asked, record), record)

    def _asked(self, message: Json) -> Asked:
        body = {name: value for name, value in message.items() if name not in _TRANSPORT}
        body["stream"] = True
        model = body.get("model")
        return Asked(
            dialect=DIALECTS["responses"],
            route=self._client.route(model if isinstance(model, str) else ""),
            raw=dumps(body),
            body=body,
            owner=self._client.owner,
            refuses_tools=self._client.refuses_tools,
            headers=self._client.headers,
            watch=self._client.watch,
            keepers=(self._client.keeper,),
            memory=self._memory,
        )

    def _warmed_up(self, asked: Asked, record: Record) -> Iterator[bytes]:
        """Remember what was said, without a reply to it."""
        body = {"input": "", **{name: value for name, value in asked.body.items() if value}}
        self._sessions.validate(
            body,
            dialect="responses",
            provider=asked.route.provider,
            refuses_tools=asked.refuses_tools,
        )
        said = self._sessions.continuation.read(
            asked.dialect, asked.owner, body, memory=self._memory
        )
        given = said.body["input"]
        context = _context(asked)
        new = (item for _, item in input_items(given)) if given else ()
        self._memory.remember(context.id, [*said.history, *new], first_id=said.session)
        record.outcome = "warmed_up"
        begun = response_object(context, status="in_progress", output=[])
        whole = finished_object(context, output=[], reason="end", usage=None)
        for number, (name, response) in enumerate((("created", begun), ("completed", whole))):
            event = {"type": f"response.{name}", "response": response, "sequence_number": number}
            yield dumps(event)


def _message(raw: bytes) -> Json:
    """Return a client's message; raises BadRequest, Unprocessable."""
    message = read_object(raw, what="message")
    if message.get("type") != "response.create":
        raise Unprocessable("type must be response.create.", param="type")
    if message.get("background"):
        raise Unprocessable("There is no background over a WebSocket.", param="background")
    return message


def _told(answer: Answer, record: Record) -> Iterator[bytes]:
    """Yield the data of each event of a stream; the first one discloses how it came about."""
    disclosed = {ROUTE_FIELD: answer.headers[ROUTE_HEADER]}
    if answer.ignored:
        disclosed[IGNORED_FIELD] = disclosure(answer.ignored)
    splitter = SseSplitter()
    assert answer.rest is not None
    with closing(answer.rest) as rest:
        for piece in chain((answer.first,), rest):
            record.sent(len(piece))
            for block in splitter.feed(piece):
                data = parse_block(block).data
                if data is not None:
                    yield dumps({**loads(data), **disclosed}) if disclosed else data
                    disclosed = {}
        record.usage, record.outcome = rest.usage, rest.outcome


def _in_lane(event: bytes, message: Json) -> bytes:
    """Events of a message with a ``stream_id`` repeat it."""
    lane = message.get("stream_id")
    return dumps({**loads(event), "stream_id": lane}) if isinstance(lane, str) else event


def error_event(error: RelayError) -> bytes:
    """Return an error as a message.

    Codex CLI reads ``status`` and ``headers`` beside the error, openai-python 3.54 the headers
    within (seen 2026-11-25).
    """
    told = error_body(failure_of(error))["error"]
    event: Json = {"type": "error", "status": error.status, "error": told}
    if error.headers:
        event |= {"headers": error.headers, "error": {**told, "headers": error.headers}}
    return dumps(event)


def _context(asked: Asked) -> ReplyContext:
    return ReplyContext(
        id=fresh_id("resp"),
        created=int(time.time()),
        model=asked.route.model,
        fresh_id=fresh_id,
        echo=asked.dialect.echo(asked.body),
    )
