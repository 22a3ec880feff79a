"""Making one reply: stored files in, the conversation's turn around, a better word for no model."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from socket import socket
from types import MappingProxyType
from typing import Protocol

from airelays_app.dialects.base import Dialect, Json
from airelays_app.dialects.file_parts import Resolve
from airelays_app.errors import RelayError, UpstreamRefused
from airelays_app.providers.base import Provider
from airelays_app.services.background import Background
from airelays_app.services.catalog import Catalog
from airelays_app.services.connection_memory import ConnectionMemory
from airelays_app.services.continuation import Continuation, Continued
from airelays_app.services.file_inputs import FileInputs, inline_files
from airelays_app.services.generation import Call
from airelays_app.services.keeping import Keeper, Keepers
from airelays_app.services.record import Record
from airelays_app.services.relay import Answer, Relay
from airelays_app.services.routing import Route
from airelays_app.services.turns import Turn, begin_turn, conversation_id
from airelays_app.store.conversations import ConversationStore


class Validate(Protocol):
    """Says whether the top level of a body is one that a provider can be asked with."""

    def __call__(
        self, body: Mapping[str, object], *, dialect: str, provider: Provider, refuses_tools: bool
    ) -> None:
        """Raise Unprocessable that names the first field that is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asks for: ``raw`` is ``body`` as it came; ``watch`` is the client's socket.

    ``stream`` says whether it wants a stream where the body does not. ``owner`` is the name of the
    credential whose files, conversations and replies it may refer to, and which may ask for what is
    kept of it, unless it ``keeps`` nothing. ``headers`` are those of the dialect that go on to an
    upstream of the same.
    """

    dialect: Dialect
    route: Route
    raw: bytes
    body: Json
    owner: str
    keeps: bool = True
    stream: bool = False
    refuses_tools: bool = False
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    watch: socket | None = None
    keepers: tuple[Keeper, ...] = ()
    memory: ConnectionMemory | None = None


class Creation:
    """Makes replies, for a client that waits or for nobody in particular."""

    def __init__(
        self,
        relay: Relay,
        *,
        validate: Validate,
        catalog: Catalog,
        files: FileInputs,
        conversations: ConversationStore,
        continuation: Continuation,
        background: Background,
    ) -> None:
        self._relay = relay
        self._validate = validate
        self._catalog = catalog
        self._files = files
        self._conversations = conversations
        self._continuation = continuation
        self._background = background

    def answer(self, asked: Asked, record: Record) -> Answer:
        """Return the answer from its commit point on; raises RelayError, ClientGone."""
        self._check(asked)
        record.dialect = asked.dialect.name
        resolve = self._files.resolver(asked.owner)
        continued = self._continuation.of(
            asked.dialect, asked.owner, asked.body, keeps=asked.keeps, memory=asked.memory
        )
        call = call_of(asked, continued, resolve, record.request_id)
        turn = self._turn(asked.owner, continued.body, call)
        if turn:
            call = _in_turn(call, turn, resolve)
        keepers = Keepers(*asked.keepers, *continued.keepers, *((turn,) if turn else ()))
        if continued.background:
            return self._background.answer(call, keepers, continued.background, record)
        try:
            return self._relay.answer(call, record, keepers)
        except UpstreamRefused as error:
            raise self._better_told(asked.route, error) from error

    def call(self, asked: Asked, request_id: str) -> Call:
        """Return the call for a reply outside of conversations, of which nothing is kept.

        Raises RelayError.
        """
        self._check(asked)
        continued = self._continuation.of(asked.dialect, asked.owner, asked.body, keeps=False)
        return call_of(asked, continued, self._files.resolver(asked.owner), request_id)

    def _check(self, asked: Asked) -> None:
        self._validate(
            asked.body,
            dialect=asked.dialect.name,
            provider=asked.route.provider,
            refuses_tools=asked.refuses_tools,
        )

    def _turn(self, owner: str, body: Json, call: Call) -> Turn | None:
        """Begin the turn; items keep their references to files, messages have their content."""
        conversation = conversation_id(body)
        if conversation is None:
            return None
        said = body if call.dialect.name == "responses" else call.body
        return begin_turn(
            self._conversations, conversation, owner=owner, dialect=call.dialect, body=said
        )

    def _better_told(self, route: Route, error: UpstreamRefused) -> RelayError:
        """An upstream that refuses a model its catalogue lacks is telling that there is none."""
        speaks_of_it = error.param == "model" or route.model in error.message
        if error.status not in (400, 404) or not speaks_of_it:
            return error
        return self._catalog.absence(route.provider, route.model) or error


def call_of(asked: Asked, continued: Continued, resolve: Resolve, request_id: str) -> Call:
    """Return the call with its stored files inline; raises Unprocessable."""
    inlined = inline_files(continued.body, asked.dialect.name, resolve)
    return Call(
        dialect=asked.dialect,
        route=asked.route,
        raw=asked.raw,
        body=inlined,
        streams=asked.body.get("stream") is True if asked.dialect.names_model else asked.stream,
        untouched=inlined is asked.body,
        session=continued.session,
        history=_inline(continued.history, resolve),
        overrides=continued.overrides,
        headers=asked.headers,
        request_id=request_id,
        watch=asked.watch,
    )


def _in_turn(call: Call, turn: Turn, resolve: Resolve) -> Call:
    try:
        history = _inline(turn.history, resolve)
    except BaseException:
        turn.release()
        raise
    conversation = turn.lock.conversation_id
    return replace(call, conversation=conversation, session=conversation, history=history)


def _inline(items: tuple[Json, ...], resolve: Resolve) -> tuple[Json, ...]:
    return tuple(inline_files({"input": list(items)}, "responses", resolve)["input"])
