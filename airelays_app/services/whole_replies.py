"""A whole reply of an upstream, read into what the client gets."""

from airelays_app.dialects import DIALECTS
from airelays_app.dialects.base import Dialect, Json
from airelays_app.errors import UpstreamError
from airelays_app.neutral.events import Event
from airelays_app.neutral.failure import error_of
from airelays_app.neutral.usage import Usage
from airelays_app.providers.base import Provider
from airelays_app.services.generation import Prepared
from airelays_app.services.lanes import TappedLane


def usage_of(prepared: Prepared, body: Json) -> Usage | None:
    """Return the token counts in a reply of the upstream."""
    upstream = DIALECTS[prepared.upstream_dialect]
    return upstream.read_usage(body.get(upstream.usage_field))


def read_whole(prepared: Prepared, body: Json) -> Json:
    """Return the client's reply, ``body`` itself if nothing changes; ``prepared`` has it then.

    Raises UpstreamError for nonsense, UpstreamRefused for a failure that the reply tells.
    """
    upstream = DIALECTS[prepared.upstream_dialect]
    lane = prepared.lane
    if isinstance(lane, TappedLane):
        given = {**body, **prepared.context.overrides} if prepared.context.overrides else body
        prepared.whole = upstream.completed(given, prepared.context)
        return prepared.whole
    lane.read(_decoded(upstream, body, prepared.provider))
    if lane.failure:
        raise error_of(lane.failure)
    return prepared.reply()


def _decoded(upstream: Dialect, body: Json, provider: Provider) -> list[Event]:
    assert upstream.decode_reply is not None
    try:
        return upstream.decode_reply(body, provider.classify)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise UpstreamError("The upstream's reply is malformed.") from error
