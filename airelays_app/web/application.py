"""The Flask application: services in, blueprints and hooks on top."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from airelays_app.web import (
    batches,
    conversations,
    errors,
    files,
    gemini,
    generation,
    home,
    models,
    observation,
    realtime,
    relayed,
    response_socket,
    responses,
    status,
    unsupported,
)
from airelays_app.web.context import EXTENSION, Services
from airelays_app.web.near_routes import near_route
from airelays_app.web.scope import enter_scope
from airelays_app.web.upgrade import UPGRADE_KEY
from airelays_app.web.uploads import RelayRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_MODULES = (
    batches,
    home,
    status,
    gemini,
    generation,
    models,
    files,
    conversations,
    responses,
    response_socket,
    realtime,
    relayed,
    unsupported,
)


class RelayFlask(Flask):
    """Flask with the project's request class, upgrades routed like all else."""

    request_class = RelayRequest

    def retire(self) -> None:
        """Do no more work without a client: the server has told this process to end."""
        self.extensions[EXTENSION].chores.retire()

    def is_busy(self) -> bool:
        """Tell whether something is being made that no client waits for."""
        return bool(self.extensions[EXTENSION].background.is_busy())

    def finish(self) -> None:
        """Write down what is still to be written: the process is about to end."""
        relay_services: Services = self.extensions[EXTENSION]
        relay_services.background.abandon()
        relay_services.writer.close()

    def dispatch_request(self) -> ResponseReturnValue:
        """Let a call that has no route be relayed to a provider that may know it.

        Not one that has only missed a route of ours.
        """
        lost = isinstance(request.routing_exception, NotFound)
        if lost and relayed.is_unknown_call() and not near_route():
            return relayed.relay_unknown_call()
        return super().dispatch_request()

    def wsgi_app(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Take the scope off the path, and route an upgrade like any request (RFC 9110 7.8).

        Werkzeug would look for WebSocket rules only, and find none. What was asked for is kept
        under :data:`UPGRADE_KEY`.
        """
        environ[UPGRADE_KEY] = environ.pop("HTTP_UPGRADE", "")
        enter_scope(environ, self.extensions[EXTENSION].router)
        return super().wsgi_app(environ, start_response)


def new_application() -> Flask:
    """Return an application that answers nothing yet."""
    app = RelayFlask("airelays_app.web", static_folder=None)
    app.url_map.merge_slashes = False
    app.url_map.converters["response"] = responses.ResponseId
    return app


def install(app: Flask, services: Services) -> None:
    """Let ``app`` serve ``services``: every request is observed, then admitted, then answered."""
    app.extensions[EXTENSION] = services
    observation.install(app)
    services.admission.install(app)
    errors.install(app)
    for module in _MODULES:
        app.register_blueprint(module.blueprint)
