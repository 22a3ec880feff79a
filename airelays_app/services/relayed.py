"""What is relayed as it is: the operations that need no translation, and any call at all.

Nothing is decoded: the client's bytes go to the provider with its credentials instead of the
client's, and what it answers comes back as it comes.
"""

from collections.abc import Iterator, Mapping
from math import inf
from socket import socket

from airelays_app.errors import ClientGone, RelayError, Unsupported
from airelays_app.providers.base import Provider, Relayed
from airelays_app.services.calls import Calls, passed_headers
from airelays_app.services.forwarding import check_target, end_to_end
from airelays_app.services.pool import Pool
from airelays_app.services.record import Record
from airelays_app.services.routing import ROUTE_HEADER, Route
from airelays_app.upstream.response import UpstreamResponse


class Relaying:
    """Calls that are relayed as they are."""

    def __init__(self, calls: Calls, pool: Pool) -> None:
        self._calls = calls
        self._pool = pool

    def operation(
        self, route: Route, call: Relayed, record: Record, *, watch: socket | None
    ) -> "RelayedAnswer":
        """Return a successful answer of one of the provider's accounts.

        Raises RelayError with what a refusal said.
        """

        def attempt(candidate: Route) -> RelayedAnswer:
            return self._accepted(candidate, call, record, watch=watch)

        return self._pool.ask(route, attempt, fallbacks=False)

    def _accepted(
        self, route: Route, call: Relayed, record: Record, *, watch: socket | None
    ) -> "RelayedAnswer":
        provider = route.provider
        _describe(record, provider)
        response = self._calls.accepted(
            provider, lambda: provider.relayed(call), record, watch=watch
        )
        headers = {**passed_headers(provider, response), ROUTE_HEADER: route.header}
        if media_type := response.headers.get("content-type"):
            headers["Content-Type"] = media_type
        return RelayedAnswer(response, record, headers=headers)

    def anything(
        self, provider: Provider, call: Relayed, record: Record, *, watch: socket | None
    ) -> "RelayedAnswer":
        """Return the answer, a refusal too; raises Unsupported where the owner has not allowed it.

        Raises NotFound for a target that leads out of the provider's base URL.
        """
        if not provider.passthrough:
            raise Unsupported(
                f"Calls are not relayed to {provider.name} as they are; its owner can allow it "
                f"with the setting providers.{provider.name}.passthrough."
            )
        check_target(call.target)
        _describe(record, provider)
        response = self._calls.answered(
            provider, lambda: provider.relayed(call), record, watch=watch
        )
        return RelayedAnswer(response, record, headers=end_to_end(response.headers.items()))

    def upgrade(
        self, route: Route, call: Relayed, record: Record, *, watch: socket | None
    ) -> UpstreamResponse:
        """Return the answer to a request for another protocol, of one of the accounts.

        Raises RelayError for a refusal.
        """

        def attempt(candidate: Route) -> UpstreamResponse:
            provider = candidate.provider
            _describe(record, provider)
            return self._calls.switched(
                provider, lambda: provider.relayed(call), record, watch=watch
            )

        return self._pool.ask(route, attempt, fallbacks=False)


class RelayedAnswer:
    """An answer on its way: ``headers`` are for the client; iterate once, then close."""

    def __init__(
        self, response: UpstreamResponse, record: Record, *, headers: Mapping[str, str]
    ) -> None:
        self.status = response.status
        self.media_type: str = response.headers.get("content-type", "")
        self.headers = headers
        self._response = response
        self._record = record

    def raw(self) -> Iterator[bytes]:
        """Yield the body in its own encoding, as it comes; raises RelayError when it is cut."""
        return self._pieces(decode=False)

    def plain(self) -> Iterator[bytes]:
        """Yield the body without its content encoding, as it comes."""
        return self._pieces(decode=True)

    def close(self) -> None:
        """Close the upstream's answer; idempotent."""
        self._response.close()

    def _pieces(self, *, decode: bool) -> Iterator[bytes]:
        self._record.outcome = "client_gone"
        try:
            for piece in self._response.pieces(tick=inf, decode=decode):
                if piece:
                    self._record.sent(len(piece))
                    yield piece
        except RelayError as error:
            self._record.outcome = error.code or error.type
            # The only honest end of bytes that nobody may add to is a broken connection.
            raise ClientGone(error.message) from error
        self._record.outcome = "complete"


def operation_path(provider: Provider, operation: str) -> str:
    """Return where a provider does ``operation``; raises Unsupported if it does not."""
    path = provider.operations.get(operation)
    if path is None:
        raise Unsupported(
            f"The provider {provider.name} does not offer {operation}. One that does can be named "
            "in front of the model: provider/model."
        )
    return path


def _describe(record: Record, provider: Provider) -> None:
    record.provider = provider.name
    record.attempts += 1
