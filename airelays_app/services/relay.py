"""One request for a reply: attempts before the commit point, then the answer."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from airelays_app.dialects.base import Json
from airelays_app.errors import (
    RelayError,
    UpstreamRefused,
    UpstreamUnreachable,
)
from airelays_app.framing.jsontext import dumps
from airelays_app.ids import fresh_id
from airelays_app.neutral.failure import PASSING_STATUSES
from airelays_app.neutral.usage import Usage
from airelays_app.providers.base import Outgoing, Provider
from airelays_app.services.answered import answered_object
from airelays_app.services.calls import Calls, passed_headers
from airelays_app.services.generation import Call, Prepared, prepare
from airelays_app.services.keeping import NOBODY, Keepers
from airelays_app.services.pool import Pool
from airelays_app.services.record import Record
from airelays_app.services.routing import ROUTE_HEADER
from airelays_app.services.streaming import Pump
from airelays_app.services.traffic import Traffic
from airelays_app.services.whole_replies import read_whole, usage_of
from airelays_app.upstream import retry
from airelays_app.upstream.request import OutboundRequest
from airelays_app.upstream.response import UpstreamResponse
from airelays_app.upstream.waiting import sleep_watching


class Rest(Protocol):
    """The remainder of a stream; ``outcome`` is ``complete`` or why it is not."""

    @property
    def usage(self) -> Usage | None:
        """The token counts so far."""

    @property
    def outcome(self) -> str:
        """How it ended."""

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None:
        """Let go of what is behind it; idempotent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client gets: ``first`` and then ``rest``, which is None for a whole reply.

    ``rest`` yields ``b""`` for each second in which nothing came, and must be closed.
    """

    first: bytes
    rest: Rest | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


class Relay:
    """Carries calls to upstreams."""

    def __init__(
        self,
        calls: Calls,
        pool: Pool,
        *,
        policy: retry.RetryPolicy,
        max_reply_bytes: int,
        traffic: Traffic,
    ) -> None:
        self._calls = calls
        self._pool = pool
        self._policy = policy
        self._max_reply_bytes = max_reply_bytes
        self._traffic = traffic

    def answer(self, call: Call, record: Record, keepers: Keepers = NOBODY) -> Answer:
        """Return the answer from its commit point on; raises RelayError, ClientGone."""
        try:
            return retry.call(
                lambda: self._pool.ask(
                    call.route,
                    lambda route: self._attempt(replace(call, route=route), record, keepers),
                    sticky=_sticky(call),
                ),
                policy=self._policy,
                should_retry=_may_pass,
                wait=lambda seconds: sleep_watching(seconds, call.watch),
            )
        except BaseException:
            keepers.release()
            raise

    def fetch(self, provider: Provider, make_request: Callable[[], OutboundRequest]) -> Json:
        """Return the JSON object that a GET of a provider answers; renews its login once."""
        response = self._calls.accepted(provider, make_request, Record(fresh_id("own")))
        return answered_object(response.read(limit=self._max_reply_bytes))

    def close(self) -> None:
        """Close the idle connections."""
        self._calls.close()

    def _attempt(self, call: Call, record: Record, keepers: Keepers) -> Answer:
        prepared = prepare(call)
        _describe(record, prepared)
        outgoing = Outgoing(
            prepared.upstream_dialect,
            prepared.body,
            stream=prepared.streams,
            model=call.route.model,
            session=call.session,
            headers=prepared.headers,
        )
        record.attempts += 1
        self._traffic.adapted(record)
        provider = prepared.provider
        response = self._calls.accepted(
            provider,
            lambda: provider.outbound(outgoing),
            record,
            watch=call.watch,
            on_tick=keepers.heartbeat,
        )
        passed = passed_headers(prepared.provider, response)
        passed[ROUTE_HEADER] = call.route.header
        if prepared.streams:
            answer = self._streamed(response, prepared, keepers)
            record.usage = prepared.lane.usage
            return replace(answer, headers=passed, ignored=prepared.ignored)
        whole = self._read_whole(response, prepared, record, keepers)
        keepers.keep(prepared)
        keepers.release()
        return Answer(whole, headers=passed, ignored=prepared.ignored)

    def _streamed(self, response: UpstreamResponse, prepared: Prepared, keepers: Keepers) -> Answer:
        pump = Pump(response, prepared, keepers)
        if not prepared.client_streams:
            pump.whole(most_bytes=self._max_reply_bytes)
            keepers.release()
            return Answer(dumps(prepared.reply()))
        first = pump.begin()
        # Only now: another attempt at the same reply may follow a failed one.
        pump.on_close = keepers.release
        return Answer(first, pump)

    def _read_whole(
        self, response: UpstreamResponse, prepared: Prepared, record: Record, keepers: Keepers
    ) -> bytes:
        data = response.read(limit=self._max_reply_bytes, on_tick=keepers.heartbeat)
        body = answered_object(data)
        record.usage = usage_of(prepared, body)
        whole = read_whole(prepared, body)
        return data if whole is body else dumps(whole)


def _may_pass(error: RelayError) -> bool:
    """Tell whether another attempt may go better: an outage or a short limit, no login problem."""
    if isinstance(error, UpstreamUnreachable):
        return True
    return isinstance(error, UpstreamRefused) and error.status in PASSING_STATUSES


def _sticky(call: Call) -> str | None:
    """Return what should stay with one account, for the sake of the upstream's caches."""
    key = call.session or call.dialect.cache_key(call.body)
    return key if isinstance(key, str) else None


def _describe(record: Record, prepared: Prepared) -> None:
    record.provider = prepared.provider.name
    record.upstream_dialect = prepared.upstream_dialect
    record.model = prepared.context.model
    record.stream = prepared.client_streams
    record.ignored = prepared.ignored
