"""xAI's API as far as the relay meets it: replies and models like other servers, own batches."""

from airelays_app.sandbox.compatible import Compatible
from airelays_app.sandbox.routing import ANY_METHOD, Handle, Place, Route, beside
from airelays_app.sandbox.settings import Settings
from airelays_app.sandbox.xai_batches import Batches

BASE = "/xai/v1"
"""Where it is on the sandbox's port, beside the compatible server's /v1."""

_REPLIES = ("/v1/chat/completions", "/v1/responses")


class XAI:
    """The API's routes; ``key`` is the API key it wants."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server = Compatible(settings)
        self.key = self._server.key

    def routes(self) -> dict[Place, Route]:
        """Return the API's routes by method and path."""
        spoken = self._server.routes()
        models = spoken["GET", "/v1/models"]
        replies = {path: spoken["POST", path] for path in _REPLIES}
        batches = Batches(self._settings, replies, BASE)
        handlers: dict[Place, Handle] = {
            ("POST", f"{BASE}/files"): batches.upload,
            ("POST", f"{BASE}/batches"): batches.create,
            ("GET", f"{BASE}/batches"): batches.list,
            (ANY_METHOD, f"{BASE}/batches/"): batches.batch,
        }
        return {
            ("GET", f"{BASE}/models"): models,
            **{("POST", BASE + path.removeprefix("/v1")): route for path, route in replies.items()},
            **beside(models, handlers),
        }
