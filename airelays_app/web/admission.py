"""Who gets in: every request passes here before anything of its body is read.

The order is host and origin, preflight, class of the route, credential and lockout, running
requests, rate. What was learnt is in ``flask.g`` and the WSGI environment.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request

from airelays_app.errors import Unauthorized
from airelays_app.store.lockouts import Origin
from airelays_app.store.slots import Slot, Slots
from airelays_app.store.tokens import Credential
from airelays_app.web import host
from airelays_app.web.address import ClientAddress, TrustedProxies, client_address
from airelays_app.web.auth import REVOKED, CredentialGate
from airelays_app.web.cors import ANY_ORIGIN, CorsRules, is_preflight
from airelays_app.web.credentials import offered_credentials
from airelays_app.web.limits import AddressLimits
from airelays_app.web.route_class import RouteClass, RouteRules, classify
from airelays_app.web.upgrade import asks_for_websocket

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ADDRESS_KEY = "airelays.client_address"
CREDENTIAL_KEY = "airelays.credential"
_SLOT_KEY = "airelays.slot"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionRules:
    """What is configured about admission; origins and host names in lower case.

    ``cors_origins`` may hold ``*``; without a required token it means no foreign origin.
    ``open_to_others`` lets other machines use a relay that requires no token.
    """

    require_token: bool = True
    open_to_others: bool = False
    trusted_proxies: TrustedProxies = field(default_factory=TrustedProxies)
    allowed_hosts: frozenset[str] = frozenset()
    cors_origins: frozenset[str] = frozenset({ANY_ORIGIN})
    routes: RouteRules = field(default_factory=RouteRules)

    def readable_origins(self) -> frozenset[str]:
        """Return the origins whose pages may read answers."""
        return self.cors_origins if self.require_token else self.cors_origins - {ANY_ORIGIN}


class Admission:
    """The gate in front of a Flask app."""

    def __init__(
        self, rules: AdmissionRules, *, gate: CredentialGate, limits: AddressLimits
    ) -> None:
        self._rules = rules
        self._gate = gate
        self._limits = limits
        self._origins = rules.readable_origins()
        self._cors = CorsRules(self._origins)

    def install(self, app: Flask) -> None:
        """Let every request to ``app`` pass the gate; call it before other hooks that refuse.

        ``g.client_address`` is a :class:`ClientAddress` from the start; ``g.credential`` is a
        :class:`Credential`, or None on a route that needs none. Both are in the environment
        too. A request's place is free once the server has closed its response.
        """
        app.before_request(self._admit)
        app.after_request(self._annotate)
        app.wsgi_app = _SlotKeeper(app.wsgi_app, self._limits.slots)  # type: ignore[method-assign]

    def require_still_known(
        self, offered: tuple[bytes, ...], credential: Credential | None
    ) -> None:
        """Raise Unauthorized if what a lasting connection was opened with has been revoked."""
        if self._gate.known(offered) != credential:
            raise Unauthorized(REVOKED)

    def _admit(self) -> Response | None:
        environ = request.environ
        address = self._note_address(environ)
        self._require_own_page(environ)
        offered = offered_credentials(environ)
        if is_preflight(environ) or (request.method == "OPTIONS" and not offered):
            return self._cors.preflight(environ)
        rule = request.url_rule.rule if request.url_rule is not None else None
        route = classify(request.path, rule, self._rules.routes)
        if route in (RouteClass.PUBLIC, RouteClass.UNKNOWN):
            return None
        self._note_credential(environ, self._credential(environ, route, offered, address))
        environ[_SLOT_KEY] = self._limits.take_slot(address.group)
        self._limits.spend_request(address.group)
        return None

    def _note_address(self, environ: "WSGIEnvironment") -> ClientAddress:
        address = client_address(
            environ.get("REMOTE_ADDR"),
            environ.get("HTTP_X_FORWARDED_FOR"),
            self._rules.trusted_proxies,
        )
        g.client_address = environ[ADDRESS_KEY] = address
        g.credential = None
        return address

    def _note_credential(self, environ: "WSGIEnvironment", credential: Credential | None) -> None:
        g.credential = environ[CREDENTIAL_KEY] = credential

    def _require_own_page(self, environ: "WSGIEnvironment") -> None:
        """Keep other pages out; where a token is required, of a WebSocket: they could read it."""
        if not self._rules.require_token:
            if not self._rules.open_to_others:
                host.require_own_machine(environ)
            host.require_own_host(environ.get("HTTP_HOST"), allowed=self._rules.allowed_hosts)
        elif ANY_ORIGIN in self._origins or not asks_for_websocket(environ):
            return
        host.require_own_origin(environ, allowed=self._origins)

    def _credential(
        self,
        environ: "WSGIEnvironment",
        route: RouteClass,
        offered: tuple[bytes, ...],
        address: ClientAddress,
    ) -> Credential | None:
        if route is RouteClass.MODEL and not self._rules.require_token:
            host.require_own_site(environ)
            return self._gate.known(offered)
        origin: Origin = "page" if host.comes_from_page(environ) else "direct"
        return self._gate.admit(offered, address=address.group, origin=origin)

    def _annotate(self, response: Response) -> Response:
        self._cors.annotate(response, request.environ.get("HTTP_ORIGIN"))
        return response


class _SlotKeeper:
    """WSGI middleware: frees a request's place when the server closes its response.

    Not a teardown hook, since a stream outlives the request context; nor the response's own
    close callback, which is skipped for a response passed through to the server.
    """

    def __init__(self, app: "WSGIApplication", slots: Slots) -> None:
        self._app = app
        self._slots = slots

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        try:
            body = self._app(environ, start_response)
        except BaseException:
            self._release(environ)
            raise
        if _SLOT_KEY not in environ:
            return body
        return _ClosingBody(body, lambda: self._release(environ))

    def _release(self, environ: "WSGIEnvironment") -> None:
        slot: Slot | None = environ.pop(_SLOT_KEY, None)
        if slot is not None:
            self._slots.release(slot)


class _ClosingBody:
    """A response body that also calls ``on_close``; iterating it costs nothing extra."""

    def __init__(self, body: Iterable[bytes], on_close: Callable[[], None]) -> None:
        self._body = body
        self._on_close = on_close

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        """Close the inner body; whatever it raises, ``on_close`` runs."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._on_close()
