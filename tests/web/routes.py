"""What the application answers, as data: read off its own routing table."""

import re

from airelays_app.composition.application import create_app
from airelays_app.config import load_settings

_PLACEHOLDER = re.compile(r"<(?:[^:<>]*:)?[^<>]*>")
_JSON_ROUTES = re.compile(
    r"(/no-tools)?/v1/(responses|chat/completions|completions|messages)|/v1/conversations(/[^/]+(/items)?)?"
)


_MAP = create_app(load_settings(environ={"HOME": "/nonexistent"})).url_map


def _all_routes(endpoint: str = "") -> list[tuple[str, str]]:
    return sorted(
        (method, _PLACEHOLDER.sub("none", rule.rule))
        for rule in _MAP.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint.startswith(endpoint)
    )


ROUTES = sorted((*_all_routes(), ("GET", "/v1/models/none:none")))
"""``(method, path)`` of everything that the application has; ids are ``none``.

A model's name may hold a colon, so what is called with a verb can be read, too.
"""

UNSUPPORTED = _all_routes("unsupported.")
"""Those that are there to say that nobody can do that."""

PATHS = sorted({path for _, path in ROUTES})

TAKES_JSON = [
    *(each for each in ROUTES if each[0] == "POST" and _JSON_ROUTES.fullmatch(each[1])),
    *(("POST", f"/{version}/models/none:generateContent") for version in ("v1", "v1beta")),
    ("POST", "/v1beta/none:streamGenerateContent"),
]
"""The routes that read a JSON body."""


def methods_of(path: str) -> set[str]:
    """Return the methods that some route has for a path: more than one may match it."""
    return set(_MAP.bind("relay.test").allowed_methods(path))
