"""``/{provider}/v1/...``: every route, pinned to one provider.

The provider's name is taken off the path before routing; what it was stays in the environment.
"""

from collections.abc import MutableMapping
from typing import Any

from flask import request

from airelays_app.services.routing import Route, Router
from airelays_app.web.context import services

_KEY = "airelays.scope"
_VERSIONS = ("v1", "v1beta")


def enter_scope(environ: MutableMapping[str, Any], router: Router) -> None:
    """Note the provider at the beginning of the path, if one stands there, and take it off."""
    path: str = environ.get("PATH_INFO", "")
    name, _, rest = path.removeprefix("/").partition("/")
    is_scoped = rest.partition("/")[0] in _VERSIONS
    provider = router.named(name) if is_scoped else None
    if provider is None:
        return
    environ[_KEY] = name, provider.name
    environ["PATH_INFO"] = f"/{rest}"


def scope() -> str | None:
    """Return the name of the provider that the request is pinned to."""
    found: tuple[str, str] | None = request.environ.get(_KEY)
    return found[1] if found else None


def scope_prefix() -> str:
    """Return what was taken off the path, decoded."""
    found: tuple[str, str] | None = request.environ.get(_KEY)
    return f"/{found[0]}" if found else ""


def route_of(model: str) -> Route:
    """Return the route of a model name within the request's scope; raises RelayError."""
    return services().router.route(model, scope=scope())
