"""Which requests of a new batch go to providers that run batches of their own."""

from collections import defaultdict
from collections.abc import Sequence

from airelays_app.dialects.base import Json
from airelays_app.errors import RelayError
from airelays_app.services.continuation import OURS
from airelays_app.services.routing import Route, Router
from airelays_app.store.batches import BatchRequest, Planned

_OURS = ("conversation", *OURS)
"""Fields that have a request go through the relay, because it has something to add or to keep."""

_NATIVE_WINDOW_SECONDS = 24 * 3600
"""What every provider promises; the relay runs what has to be ready earlier."""


def plan(requests: Sequence[BatchRequest], router: Router, *, window_seconds: int) -> list[Planned]:
    """Return who is to run which requests, no more at once than it takes.

    The relay runs the others.
    """
    if window_seconds < _NATIVE_WINDOW_SECONDS:
        return []
    groups: defaultdict[tuple[str, str, int], list[int]] = defaultdict(list)
    for request in requests:
        route = _route(request.body, router)
        if route and route.provider.batches:
            most = route.provider.batches.most_requests
            groups[route.provider.name, route.model, most].append(request.position)
    return [
        Planned(provider, model, frozenset(positions[start : start + most]))
        for (provider, model, most), positions in groups.items()
        for start in range(0, len(positions), most)
    ]


def _route(body: Json, router: Router) -> Route | None:
    """Return where a request goes if it can be run there as one of a batch."""
    model = body.get("model")
    if not isinstance(model, str) or any(body.get(name) for name in _OURS):
        return None
    try:
        route = router.route(model)
    except RelayError:
        return None  # whoever runs it will say so
    provider = route.provider
    return route if provider.batches and provider.is_ready() else None
