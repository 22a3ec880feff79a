"""One call to a provider: sent, recorded, and sent once more when its login had to be renewed."""

from collections.abc import Callable
from http import HTTPStatus
from socket import socket

from airelays_app.errors import RelayError, UpstreamError, UpstreamLoginError
from airelays_app.neutral.discretion import without_secrets
from airelays_app.neutral.failure import error_of
from airelays_app.providers.base import Provider
from airelays_app.services.record import Record
from airelays_app.services.traffic import Traffic
from airelays_app.upstream.client import UpstreamClient
from airelays_app.upstream.request import OutboundRequest
from airelays_app.upstream.response import UpstreamResponse
from airelays_app.upstream.waiting import nothing

_MAX_ERROR_BYTES = 1024 * 1024


class Calls:
    """The upstream client, with logins renewed and traffic recorded."""

    def __init__(self, client: UpstreamClient, traffic: Traffic) -> None:
        self._client = client
        self._traffic = traffic

    def answered(
        self,
        provider: Provider,
        make_request: Callable[[], OutboundRequest],
        record: Record,
        *,
        watch: socket | None = None,
        on_tick: Callable[[], None] = nothing,
    ) -> UpstreamResponse:
        """Return the answer, whatever its status; a rejected login is renewed once.

        ``on_tick`` is called for each second of waiting.
        """
        request = make_request()
        response = self._sent(request, record, watch, on_tick)
        if response.status != HTTPStatus.UNAUTHORIZED or not provider.renews:
            return response
        response.close()
        provider.renew(request)
        return self._sent(make_request(), record, watch, on_tick)

    def accepted(
        self,
        provider: Provider,
        make_request: Callable[[], OutboundRequest],
        record: Record,
        *,
        watch: socket | None = None,
        on_tick: Callable[[], None] = nothing,
    ) -> UpstreamResponse:
        """Return a successful answer; raises the provider's refusal otherwise."""
        response = self.answered(provider, make_request, record, watch=watch, on_tick=on_tick)
        if not 200 <= response.status < 300:
            raise refusal(provider, response)
        return response

    def switched(
        self,
        provider: Provider,
        make_request: Callable[[], OutboundRequest],
        record: Record,
        *,
        watch: socket | None = None,
    ) -> UpstreamResponse:
        """Return the 101 that begins another protocol; raises what else came as an error."""
        response = self.answered(provider, make_request, record, watch=watch)
        if response.status == HTTPStatus.SWITCHING_PROTOCOLS:
            return response
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise refusal(provider, response)
        response.close()
        raise UpstreamError(f"{provider.name} did not switch to the protocol that was asked for.")

    def close(self) -> None:
        """Close the idle connections."""
        self._client.close()

    def _sent(
        self,
        request: OutboundRequest,
        record: Record,
        watch: socket | None,
        on_tick: Callable[[], None],
    ) -> UpstreamResponse:
        self._traffic.upstream_request(record, request)
        response = self._client.send(request, watch=watch, on_tick=on_tick)
        record.upstream_status = response.status
        self._traffic.upstream_response(record, response.status, response.headers)
        return response


def refusal(provider: Provider, response: UpstreamResponse) -> RelayError:
    """Return what an upstream's error answer is for the client; reads and closes it."""
    headers = passed_headers(provider, response)
    body = response.read(limit=_MAX_ERROR_BYTES)
    failure = provider.refusal(response.status, response.headers, body)
    if failure.kind == "auth":
        return UpstreamLoginError("rejected", advice=provider.login_advice, detail=failure.message)
    return error_of(failure, headers)


def passed_headers(provider: Provider, response: UpstreamResponse) -> dict[str, str]:
    """Return the response headers that the client gets, the upstream's request id among them."""
    passed = {
        name: value
        for name, value in response.headers.items()
        if name.startswith(provider.passed_headers)
    }
    if upstream_id := _upstream_id(response):
        passed["x-airelays-upstream-request-id"] = upstream_id
    secrets = provider.secrets() if passed else ()
    return {name: without_secrets(value, secrets) for name, value in passed.items()}


def _upstream_id(response: UpstreamResponse) -> str | None:
    ids = (response.headers.get(name) for name in ("x-request-id", "request-id"))
    return next((id_ for id_ in ids if id_), None)
