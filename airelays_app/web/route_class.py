"""Which routes are open to everybody, and which stay closed even without a relay token.

The route that Flask has matched decides; only where none has, the path does. A matched route
that is not listed as public is closed, so a new one is never open by oversight.
"""

import re
from dataclasses import dataclass
from enum import Enum

_SLASHES = re.compile("/{2,}")


class RouteClass(Enum):
    """Who may use a route."""

    PUBLIC = "public"
    """Everybody, also without a credential."""

    MODEL = "model"
    """Clients with a credential; everybody while the relay requires no token."""

    KEYED = "keyed"
    """Clients with a credential, always."""

    UNKNOWN = "unknown"
    """No such route: a plain 404."""


@dataclass(frozen=True, slots=True)
class RouteRules:
    """Exact public paths, and prefixes that cover themselves and everything under them.

    A prefix may also be that of a Flask rule, such as ``/<provider>/v1``.
    """

    public_paths: frozenset[str] = frozenset(
        {"/", "/favicon.ico", "/healthz", "/health", "/health/ready"}
    )
    public_prefixes: tuple[str, ...] = ("/assets",)
    model_prefixes: tuple[str, ...] = ("/v1", "/no-tools/v1", "/v1beta")
    keyed_prefixes: tuple[str, ...] = ("/admin", "/user", "/metrics", "/swagger", "/p")


def classify(path: str, rule: str | None, rules: RouteRules) -> RouteClass:
    """Return the class of a request from its decoded path and the Flask rule that it matched."""
    collapsed = _SLASHES.sub("/", path)
    if _is_public(collapsed if rule is None else rule, rules):
        return RouteClass.PUBLIC
    places = (collapsed,) if rule is None else (collapsed, rule)
    if _any_under(places, rules.keyed_prefixes):
        return RouteClass.KEYED
    if _any_under(places, rules.model_prefixes):
        return RouteClass.MODEL
    return RouteClass.UNKNOWN if rule is None else RouteClass.KEYED


def _is_public(place: str, rules: RouteRules) -> bool:
    return place in rules.public_paths or _any_under((place,), rules.public_prefixes)


def _any_under(places: tuple[str, ...], prefixes: tuple[str, ...]) -> bool:
    return any(
        place == prefix or place.startswith(f"{prefix}/") for place in places for prefix in prefixes
    )
