"""What the checks look at: each thing is found out once, by the first check that asks."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from types import TracebackType
from typing import Self

from airelays_app.cli.in_process import relay_core
from airelays_app.cli.relay_api import RelayApi, local_url
from airelays_app.cli.running import process_serving
from airelays_app.composition.core import Core, client_options
from airelays_app.config import Settings
from airelays_app.dialects.base import Json
from airelays_app.errors import UpstreamError
from airelays_app.providers.codex.provider import CodexProvider
from airelays_app.services.status import provider_states
from airelays_app.store.tokens import DeviceTokens, open_tokens
from airelays_app.upstream.client import UpstreamClient
from airelays_app.upstream.request import OutboundRequest
from airelays_app.upstream.response import UpstreamResponse

READ_SECONDS = 30.0
"""How long an upstream may be silent while it is only being looked at."""

SUBSCRIPTION_OFF = "The subscription provider is turned off."


@dataclass(frozen=True, slots=True)
class Probe:
    """How a host answered a call without credentials; ``problem`` when it did not at all.

    ``date`` is its Date header, ``at`` the Unix time by our clock when that came.
    """

    url: str
    status: int = 0
    date: str = ""
    at: float = 0.0
    problem: str = ""


class Situation:
    """One examination, to be used in a ``with``.

    ``offline`` forbids calls to upstreams; ``clock`` returns Unix time.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        environ: Mapping[str, str],
        offline: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.offline = offline
        self.clock = clock
        self._environ = environ
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.close()

    @cached_property
    def tokens(self) -> DeviceTokens:
        """The relay tokens; raises ConfigError for a weak one in the environment."""
        return open_tokens(self.settings)

    @cached_property
    def process(self) -> int | None:
        """The process that serves from this data folder."""
        return process_serving(self.settings.paths.data_dir)

    @cached_property
    def identity(self) -> Json | None:
        """What answers ``/healthz`` at the configured address; None when nothing listens."""
        if not self.settings.server.port:
            return None
        with RelayApi(local_url(self.settings)) as api:
            return api.identity()

    @cached_property
    def core(self) -> Core:
        """What the relay would work with."""
        return self._opened.enter_context(relay_core(self.settings, self._environ))

    @cached_property
    def states(self) -> dict[str, Json]:
        """The providers' own status by name; no network."""
        return provider_states(self.core.router.providers)

    @cached_property
    def subscription(self) -> CodexProvider | None:
        """The provider of the subscription, None when it is turned off."""
        providers = self.core.router.providers.values()
        return next((each for each in providers if isinstance(each, CodexProvider)), None)

    @cached_property
    def no_subscription(self) -> str | None:
        """Why nothing depends on the subscription, so that it is not called; None if it does."""
        if self.subscription is None:
            return SUBSCRIPTION_OFF
        problem = self.states[self.subscription.name]["problem"]
        if problem == "missing" and self.another_is_ready("codex"):
            return "Nobody is logged in; another provider is ready."
        return None

    @cached_property
    def client(self) -> UpstreamClient:
        """The client for upstream calls, with the proxies and authorities of the settings."""
        client = UpstreamClient(replace(client_options(self.settings), pool_size=2))
        self._opened.callback(client.close)
        return client

    @cached_property
    def upstream_probe(self) -> Probe:
        """How the subscription backend answers."""
        return self.probe(self.settings.upstream.base_url)

    def another_is_ready(self, *kinds: str) -> bool:
        """Tell whether a provider that is of none of these kinds is ready."""
        return any(state["ready"] for state in self.states.values() if state["kind"] not in kinds)

    def probe(self, url: str) -> Probe:
        """Call ``url`` without credentials; any status is an answer."""
        try:
            with self.send(OutboundRequest("GET", url, {"Accept": "application/json"})) as answer:
                date = answer.headers.get("date", "")
                return Probe(url, answer.status, date=date, at=self.clock())
        except UpstreamError as error:
            return Probe(url, problem=error.message)

    def send(self, request: OutboundRequest) -> UpstreamResponse:
        """Send a call with patience for looking only; raises UpstreamError."""
        return self.client.send(replace(request, read_timeout=READ_SECONDS))
