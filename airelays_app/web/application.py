"""The Flask application: services in, blueprints and hooks on top."""

from flask import Flask

from airelays_app.web import (
    conversations,
    errors,
    files,
    generation,
    models,
    observation,
    unsupported,
)
from airelays_app.web.context import EXTENSION, Services
from airelays_app.web.uploads import RelayRequest


class RelayFlask(Flask):
    """Flask with the project's request class."""

    request_class = RelayRequest


def build_application(services: Services) -> Flask:
    """Return the WSGI application around ``services``."""
    app = RelayFlask("airelays_app.web", static_folder=None)
    app.extensions[EXTENSION] = services
    app.url_map.merge_slashes = False
    observation.install(app)
    errors.install(app)
    for module in (generation, models, files, conversations, unsupported):
        app.register_blueprint(module.blueprint)
    return app
