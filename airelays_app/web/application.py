"""The Flask application: services in, blueprints and hooks on top."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask

from airelays_app.web import (
    conversations,
    errors,
    files,
    generation,
    home,
    models,
    observation,
    status,
    unsupported,
)
from airelays_app.web.context import EXTENSION, Services
from airelays_app.web.uploads import RelayRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class RelayFlask(Flask):
    """Flask with the project's request class, and deaf to upgrades."""

    request_class = RelayRequest

    def wsgi_app(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer an upgrade as if it had not been asked for (RFC 9110 7.8).

        Werkzeug would look for WebSocket rules only, and find none.
        """
        environ.pop("HTTP_UPGRADE", None)
        return super().wsgi_app(environ, start_response)


def new_application() -> Flask:
    """Return an application that answers nothing yet."""
    app = RelayFlask("airelays_app.web", static_folder=None)
    app.url_map.merge_slashes = False
    return app


def install(app: Flask, services: Services) -> None:
    """Let ``app`` serve ``services``: every request is observed, then admitted, then answered."""
    app.extensions[EXTENSION] = services
    observation.install(app)
    services.admission.install(app)
    errors.install(app)
    for module in (home, status, generation, models, files, conversations, unsupported):
        app.register_blueprint(module.blueprint)
