"""The parameters of the routes of stored responses, read from the query."""

from collections.abc import Mapping
from dataclasses import dataclass

from airelays_app.errors import Unprocessable
from airelays_app.schemas.numbers import whole_number

_TRUE, _FALSE = ("true", "1"), ("false", "0", "")
_LAST_SEQUENCE_NUMBER = 10**15 - 1


@dataclass(frozen=True, slots=True)
class Retrieval:
    """How a response is asked for; all events have numbers above ``starting_after``."""

    stream: bool
    starting_after: int


def read_retrieval(query: Mapping[str, str]) -> Retrieval:
    """Return ``stream`` and ``starting_after``; raises Unprocessable."""
    stream = query.get("stream", "").lower()
    if stream not in (*_TRUE, *_FALSE):
        raise Unprocessable("stream must be true or false.", param="stream")
    text = query.get("starting_after", "")
    starting_after = whole_number(text, most=_LAST_SEQUENCE_NUMBER) if text else -1
    if starting_after is None:
        raise Unprocessable("starting_after must be a sequence number.", param="starting_after")
    return Retrieval(stream in _TRUE, starting_after)
