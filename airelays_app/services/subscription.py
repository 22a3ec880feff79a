"""What is left of the subscription: asked of the upstream, remembered for a short while.

An answer is never served for longer than it is remembered: when asking again fails, the failure
is told. How old an answer is, its ``captured_at`` says. Whoever asks while a call is under way
gets what that call brings, so any number of polling pages costs one call.
"""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from airelays_app.dialects.base import Json
from airelays_app.errors import Unsupported
from airelays_app.providers.base import Provider
from airelays_app.store.steady_clock import seconds_since_boot
from airelays_app.upstream.request import OutboundRequest

Fetch = Callable[[Provider, Callable[[], OutboundRequest]], Json]
"""Sends what the second argument makes and returns the JSON object answered (Relay.fetch)."""


@runtime_checkable
class TellsUsage(Protocol):
    """A provider that can say how much of its subscription is used."""

    name: str

    def usage_request(self) -> OutboundRequest:
        """Return the call that asks; raises UpstreamLoginError."""

    def read_usage(self, payload: Json, *, captured_at: float) -> Json:
        """Return the ``subscription_status`` object; ``captured_at`` is Unix seconds."""


@dataclass(frozen=True, slots=True)
class Usage:
    """``document`` is what clients get; ``payload`` what the upstream said."""

    document: Json
    payload: Json

    def shown(self, *, raw: bool) -> Json:
        """Return the document, with the upstream's own words when ``raw``."""
        return {**self.document, "raw": self.payload} if raw else self.document


@dataclass(frozen=True, slots=True)
class _Remembered:
    usage: Usage
    account: object
    at: float


class Subscription:
    """The usage of the first provider that tells one.

    ``ttl`` is in seconds. ``clock`` never goes back and counts a suspended machine's sleep;
    ``now`` is Unix time.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        fetch: Fetch,
        *,
        ttl: float,
        clock: Callable[[], float] = seconds_since_boot,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._provider = next(iter(usage_tellers(providers)), None)
        self._fetch = fetch
        self._ttl = ttl
        self._clock = clock
        self._now = now
        self._guard = threading.Lock()
        self._remembered: _Remembered | None = None
        self._flight: Future[Usage] | None = None

    def usage(self) -> Usage:
        """Return the usage, at most ``ttl`` old.

        Raises Unsupported without a provider that tells it, UpstreamLoginError and UpstreamError.
        """
        provider = self._provider
        if provider is None:
            raise Unsupported("No provider with a subscription is configured.")
        account = _account(provider)
        with self._guard:
            remembered = self._remembered
            if remembered is not None and self._is_fresh(remembered, account):
                return remembered.usage
            flight, begins = self._flight or Future(), self._flight is None
            self._flight = flight
        if begins:
            self._fly(flight, provider, account)
        return flight.result()

    def _is_fresh(self, remembered: _Remembered, account: object) -> bool:
        """A login of another account makes the old one's usage worthless at once."""
        return remembered.account == account and self._clock() - remembered.at < self._ttl

    def _fly(self, flight: "Future[Usage]", provider: Provider, account: object) -> None:
        try:
            usage, at = self._ask(provider), self._clock()
        except BaseException as error:
            self._land(None)
            flight.set_exception(error)
        else:
            self._land(_Remembered(usage, account, at))
            flight.set_result(usage)

    def _ask(self, provider: Provider) -> Usage:
        assert isinstance(provider, TellsUsage)
        payload = self._fetch(provider, provider.usage_request)
        return Usage(provider.read_usage(payload, captured_at=self._now()), payload)

    def _land(self, remembered: _Remembered | None) -> None:
        with self._guard:
            self._remembered = remembered
            self._flight = None


def usage_tellers(providers: Mapping[str, Provider]) -> list[Provider]:
    """Return the providers that tell a usage, in their order."""
    return [provider for provider in providers.values() if isinstance(provider, TellsUsage)]


def _account(provider: Provider) -> object:
    return provider.status().get("account_id")
