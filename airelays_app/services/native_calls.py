"""One account of a provider that runs batches, and the calls to it."""

import logging
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

from airelays_app.dialects.base import Json
from airelays_app.errors import UpstreamError
from airelays_app.framing.jsontext import JsonTextError, loads
from airelays_app.ids import fresh_id
from airelays_app.providers.base import BatchCaller, NativeBatches, Provider, Relayed
from airelays_app.services.answered import answered_object
from airelays_app.services.calls import Calls
from airelays_app.services.chores import Keep
from airelays_app.services.record import Record
from airelays_app.upstream.request import OutboundRequest
from airelays_app.upstream.response import UpstreamResponse
from airelays_app.upstream.waiting import TICK_SECONDS

MOST_ANSWER_BYTES = 256 * 1024 * 1024
"""What one answer of a provider, or one line of it, may take."""

_READ_SECONDS = 120.0

_log = logging.getLogger("airelays.batches")


@dataclass(frozen=True, slots=True)
class NativeAccount:
    """An account, the wire of its batches, and what makes the calls."""

    provider: Provider
    wire: NativeBatches
    caller: BatchCaller


def native_account(provider: Provider, calls: Calls, keep: Keep) -> NativeAccount | None:
    """Return an account ready to be called, None if its provider runs no batches.

    ``keep`` holds the work while a call takes its time.
    """
    if provider.batches is None:
        return None
    return NativeAccount(provider, provider.batches, NativeCalls(provider, calls, keep))


class NativeCalls:
    """Makes the calls."""

    def __init__(self, provider: Provider, calls: Calls, keep: Keep) -> None:
        self._provider = provider
        self._calls = calls
        self._keep = keep

    def ask(self, call: Relayed) -> Json:
        """Return the JSON object that answers a call; raises RelayError."""
        response = self._answer(call)
        return answered_object(response.read(limit=MOST_ANSWER_BYTES, on_tick=self._tick))

    def lines(self, call: Relayed) -> Generator[Json]:
        """Yield the JSON objects that answer a call, one to a line; raises RelayError.

        A broken line is left out, which the log tells.
        """
        with self._answer(call) as response:
            for line in self._split(response.pieces(tick=TICK_SECONDS)):
                value = _object_in(line)
                if value is None:
                    _log.warning("%s has sent a broken line of results", self._provider.name)
                else:
                    yield value

    def _split(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        rest = b""
        for piece in pieces:
            self._tick()
            *whole, rest = (rest + piece).split(b"\n")
            if len(rest) > MOST_ANSWER_BYTES:
                raise UpstreamError(f"{self._provider.name} sent a line without end.")
            yield from filter(bytes.strip, whole)
        if rest.strip():
            yield rest

    def _answer(self, call: Relayed) -> UpstreamResponse:
        return self._calls.accepted(
            self._provider,
            lambda: self._impatient(call),
            Record(fresh_id("own")),
            on_tick=self._tick,
        )

    def _impatient(self, call: Relayed) -> OutboundRequest:
        """Return the call; one whose answer takes long must not keep other batches waiting."""
        request = self._provider.relayed(call)
        return replace(request, read_timeout=min(request.read_timeout, _READ_SECONDS))

    def _tick(self) -> None:
        self._keep()


def _object_in(line: bytes) -> Json | None:
    try:
        value = loads(line)
    except JsonTextError:
        return None
    return value if isinstance(value, dict) else None
