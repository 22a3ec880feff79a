"""``GET /``: a small page that says whether the relay is ready, or what to do next.

Everybody who reaches the port may see it, so it shows no path, name, account or token. It runs
no script, loads nothing from elsewhere and cannot be framed.
"""

import mimetypes
import re
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from flask import Blueprint, Response, make_response, render_template, request

from airelays_app.errors import NotFound
from airelays_app.version import VERSION
from airelays_app.web.context import services
from airelays_app.web.replies import empty_response
from airelays_app.web.status import client_base_url

blueprint = Blueprint("home", __name__, template_folder="templates")

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_DAY_SECONDS: Final = 86_400
_ASSETS: Final = MappingProxyType(
    {
        asset.name: asset.read_bytes()
        for asset in (files("airelays_app.web") / "assets").iterdir()
        if asset.is_file()
    }
)
_COMMAND: Final = re.compile(r"(airelays(?: [a-z]+)+(?: --[a-z-]+)*)")


@blueprint.get("/")
def home() -> Response:
    """Show the page."""
    outlook = services().status.outlook()
    page = render_template(
        "home.html",
        headline="ready" if outlook.ready else "not ready yet",
        ready=outlook.ready,
        steps=[_COMMAND.split(step) for step in outlook.steps],
        base_url=client_base_url(),
        token_required=services().settings.security.require_bearer_auth,
        version=VERSION,
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Browsers ask for it; the page names another icon."""
    response = empty_response()
    response.headers["Cache-Control"] = f"public, max-age={_DAY_SECONDS}"
    return response


@blueprint.get("/assets/<name>")
def asset(name: str) -> Response:
    """Send a file that belongs to the page."""
    content = _ASSETS.get(name)
    if content is None:
        raise NotFound("There is no such route.")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    response = Response(content, content_type=kind)
    response.add_etag()
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response


@blueprint.after_request
def secure(response: Response) -> Response:
    """Allow the page its own style and nothing else."""
    response.headers.update(_HEADERS)
    return response
