"""The Flask application: services in, blueprints and hooks on top."""

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


class RelayFlask(Flask):
    """Flask with the project's request class."""

    request_class = RelayRequest


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
