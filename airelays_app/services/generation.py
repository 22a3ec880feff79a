"""A client's request for a reply, made ready for one upstream: the use case before the call."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from socket import socket

from airelays_app.dialects import DIALECTS
from airelays_app.dialects.base import Dialect, Json, ReplyContext
from airelays_app.dialects.responses.request_in import read_items
from airelays_app.dialects.responses.stream_out import ResponsesEncoder
from airelays_app.framing.jsontext import dumps
from airelays_app.ids import fresh_id
from airelays_app.neutral.call_ids import with_unique_calls
from airelays_app.neutral.foreign_seals import FOREIGN_SEAL, without_foreign_seals
from airelays_app.neutral.losses import Loss, ignored_parameters
from airelays_app.neutral.request import Request
from airelays_app.neutral.seals import may_hold_packed
from airelays_app.neutral.stops import StopCutter
from airelays_app.providers.base import Adapted, Provider
from airelays_app.services.lanes import TappedLane, TranslatedLane
from airelays_app.services.parameters import without_ignored
from airelays_app.services.rewording import reworded
from airelays_app.services.routing import Route


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a client.

    ``raw`` is the body as it came, decompressed; ``body`` the same, parsed, with stored files
    inline. ``untouched`` says that the two still say the same, ``streams`` that it wants a stream.
    ``history`` holds the Responses items of what it continues, files inline; ``session`` names
    that, for the upstream's caches: the ``conversation`` or the first of several responses.
    ``overrides`` are fields that the reply has whatever the upstream says. ``headers`` are those of
    its dialect that go on to an upstream of the same. ``watch`` is the client's socket.
    """

    dialect: Dialect
    route: Route
    raw: bytes
    body: Json
    streams: bool
    untouched: bool = True
    conversation: str | None = None
    session: str | None = None
    history: tuple[Json, ...] = ()
    overrides: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""
    watch: socket | None = None


@dataclass(slots=True)
class Prepared:
    """What goes out, and how the reply comes back.

    ``streams`` says that the upstream is asked for a stream, ``client_streams`` that the client
    asked for one. ``cutter`` is set when the relay itself watches for stop sequences.
    """

    provider: Provider
    client_dialect: Dialect
    upstream_dialect: str
    body: bytes
    streams: bool
    client_streams: bool
    lane: TappedLane | TranslatedLane
    context: ReplyContext
    ignored: tuple[str, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    cutter: StopCutter | None = None
    whole: Json | None = None

    def reply(self) -> Json:
        """Return the whole reply in the client's dialect, always the same object.

        ``whole`` is one that an upstream of that dialect has given without a stream.
        """
        if self.whole is None:
            self.whole = self._collected()
        return self.whole

    def reply_id(self) -> str:
        """Return the id under which the client knows the reply."""
        id_ = self.reply().get("id")
        return id_ if isinstance(id_, str) else self.context.id

    def _collected(self) -> Json:
        lane = self.lane
        if isinstance(lane, TappedLane):
            return lane.tap.response
        if isinstance(lane.encoder, ResponsesEncoder):
            return lane.encoder.response
        return self.client_dialect.encode_reply(lane.reply(), self.context)


def prepare(call: Call) -> Prepared:
    """Choose the lane and write the upstream's body; raises Unprocessable."""
    provider, dialect = call.route.provider, call.dialect.name
    ignorable = provider.rules(dialect).ignored - call.dialect.obeyed_fields
    body, ignored = without_ignored(call.body, ignorable)
    if call.dialect.names_model and body.get("model") != call.route.model:
        body = {**body, "model": call.route.model}
    if "conversation" in body:
        body = {name: value for name, value in body.items() if name != "conversation"}
    if dialect in provider.dialects and may_stay_native(call):
        return _same_dialect(call, body, ignored)
    return _translated(call, body, ignored)


def may_stay_native(call: Call) -> bool:
    """Tell whether a call can stay in its dialect, at an upstream that speaks it.

    Conversations are kept as Responses items, and only some streams carry a whole reply.
    """
    if call.dialect.replies_in or not call.dialect.is_plain(call.body):
        return False
    if call.dialect.stream_carries_reply:
        return True
    collects = call.route.provider.streams_only and not call.streams
    return not (call.conversation or collects)


def _same_dialect(call: Call, body: Json, ignored: tuple[str, ...]) -> Prepared:
    """The bytes lane if nothing has to change, else the patched lane."""
    provider = call.route.provider
    if call.history:
        body = {**body, "input": [*call.history, *_items_of(body.get("input"))]}
    body, foreign = _without_packed_seals(call, body)
    adapted = provider.adapt(body, call.dialect.name)
    if adapted.filter:
        return _translated(call, body, ignored)
    untouched = adapted.body is call.body and call.untouched
    context = _context(call, body)
    return Prepared(
        provider=provider,
        client_dialect=call.dialect,
        upstream_dialect=call.dialect.name,
        body=call.raw if untouched else dumps(adapted.body),
        streams=call.streams or provider.streams_only,
        client_streams=call.streams,
        lane=TappedLane(provider.tap(call.dialect.name, context)),
        context=context,
        ignored=(*ignored, *ignored_parameters((*foreign, *adapted.losses))),
        headers=call.headers,
    )


def _without_packed_seals(call: Call, body: Json) -> tuple[Json, tuple[Loss, ...]]:
    """A packed seal is one of another dialect, and this upstream would refuse it."""
    if not call.history and not may_hold_packed(call.raw):
        return body, ()
    kept = call.dialect.without_packed_seals(body)
    return kept, () if kept is body else (FOREIGN_SEAL,)


def _items_of(value: object) -> list[object]:
    if isinstance(value, str):
        return [{"type": "message", "role": "user", "content": value}]
    return value if isinstance(value, list) else [value]


def _translated(call: Call, body: Json, ignored: tuple[str, ...]) -> Prepared:
    """The translated lane."""
    provider = call.route.provider
    target = DIALECTS[provider.dialects[0]]
    assert target.decoder is not None
    request, losses = _decoded(call, body)
    words = reworded(request, target)
    streams = call.streams or provider.streams_only
    adapted, further = _encoded(replace(words.request, stream=streams), call, target)
    context = _context(call, body, include_usage=request.include_usage)
    cutter = _cutter(request, target)
    lane = TranslatedLane(
        target.decoder(provider.classify),
        filters=[each for each in (adapted.filter, *words.filters, cutter) if each],
        encoder=call.dialect.encoder(context) if call.streams else None,
        collects=bool(call.conversation) or not call.streams,
    )
    disclosed = ignored_parameters((*losses, *further, *adapted.losses), call.dialect.own_names)
    return Prepared(
        provider=provider,
        client_dialect=call.dialect,
        upstream_dialect=target.name,
        body=dumps(adapted.body),
        streams=streams,
        client_streams=call.streams,
        lane=lane,
        context=context,
        ignored=(*ignored, *disclosed),
        cutter=cutter,
    )


def _decoded(call: Call, body: Json) -> tuple[Request, tuple[Loss, ...]]:
    """Return all that was said, in neutral words, and what those cannot say."""
    request, losses = call.dialect.decode_request(body)
    request = replace(request, model=call.route.model, stream=call.streams)
    return with_unique_calls(with_history(call, request)), losses


def _encoded(sent: Request, call: Call, target: Dialect) -> tuple[Adapted, tuple[Loss, ...]]:
    """Write the upstream's body."""
    provider = call.route.provider
    sent, foreign = without_foreign_seals(sent, dialect=target.name, provider=provider.name)
    assert target.encode_request is not None
    body, losses = target.encode_request(sent, provider.capabilities(call.route.model))
    return provider.adapt(body, call.dialect.name), (*foreign, *losses)


def with_history(call: Call, request: Request) -> Request:
    """Return the request with what it continues in front."""
    if not call.history:
        return request
    items = [(f"conversation.items[{i}]", item) for i, item in enumerate(call.history)]
    return replace(request, messages=(*read_items(items), *request.messages))


def _cutter(request: Request, target: Dialect) -> StopCutter | None:
    stops = target.unspeakable_stops(request.sampling.stop)
    return StopCutter(stops) if stops else None


def _context(call: Call, body: Json, *, include_usage: bool = True) -> ReplyContext:
    return ReplyContext(
        id=f"{call.dialect.reply_prefix}{fresh_id('')[1:]}",
        created=int(time.time()),
        model=call.route.model,
        fresh_id=fresh_id,
        provider=call.route.provider.name,
        request_id=call.request_id,
        include_usage=include_usage,
        legacy_functions=bool(body.get("functions")),
        echo={**call.dialect.echo(body), **call.overrides},
        overrides=call.overrides,
    )
