"""Routes of OpenAI's API that no provider here has: 501, so that SDKs say something sensible."""

from flask import Blueprint, Response

from airelays_app.errors import Unsupported

blueprint = Blueprint("unsupported", __name__)

_METHODS = ["GET", "POST", "DELETE"]
ROUTES: dict[str, str] = {
    "/v1/realtime/<path:rest>": "Realtime calls and secrets",
    "/v1/uploads": "Uploads in parts",
    "/v1/uploads/<path:rest>": "Uploads in parts",
    "/v1/vector_stores": "Vector stores",
    "/v1/vector_stores/<path:rest>": "Vector stores",
    "/v1/assistants": "Assistants",
    "/v1/threads": "Threads",
    "/v1/threads/<path:rest>": "Threads",
    "/v1/fine_tuning/<path:rest>": "Fine-tuning",
    "/v1/evals": "Evals",
    "/v1/containers": "Containers",
    "/v1/containers/<path:rest>": "Containers",
    "/v1/videos": "Videos",
    "/v1/videos/<path:rest>": "Videos",
    "/v1/messages/batches": "Batches of messages",
    "/v1/messages/batches/<path:rest>": "Batches of messages",
    **{
        f"/v1beta/{kind}{rest}": what
        for kind, what in (
            ("files", "Files of the Gemini API"),
            ("cachedContents", "Cached contents"),
            ("batches", "Batches of the Gemini API"),
            ("tunedModels", "Tuned models"),
            ("fileSearchStores", "File search stores"),
        )
        for rest in ("", "/<path:rest>")
    },
}
"""What is not supported, by route."""
_WEB_SOCKETS = frozenset({"/v1/realtime/<path:rest>"})
"""Routes of these that a GET opens a WebSocket at."""


def _unsupported(what: str, **_: str) -> Response:
    raise Unsupported(f"{what}: not supported by this release of AIRelays.")


for _number, (_rule, _what) in enumerate(ROUTES.items()):
    blueprint.add_url_rule(
        _rule,
        f"route_{_number}",
        _unsupported,
        methods=[method for method in _METHODS if method != "GET" or _rule not in _WEB_SOCKETS],
        defaults={"what": _what},
    )
