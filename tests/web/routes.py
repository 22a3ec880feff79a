"""What the application answers, as data: read off its own routing table."""

import re

from airelays_app.composition.application import create_app
from airelays_app.config import load_settings

_PLACEHOLDER = re.compile(r"<(?:[^:<>]*:)?[^<>]*>")
_JSON_ROUTES = re.compile(
    r"(/no-tools)?/v1/(responses|chat/completions|completions|messages)|/v1/conversations(/[^/]+(/items)?)?"
)


def _all_routes() -> list[tuple[str, str]]:
    app = create_app(load_settings(environ={"HOME": "/nonexistent"}))
    return sorted(
        (method, _PLACEHOLDER.sub("none", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    )


ROUTES = _all_routes()
"""``(method, path)`` of everything that the application has; ids are ``none``."""

PATHS = sorted({path for _, path in ROUTES})

TAKES_JSON = [
    (method, path) for method, path in ROUTES if method == "POST" and _JSON_ROUTES.fullmatch(path)
]
"""The routes that read a JSON body."""
