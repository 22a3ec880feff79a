"""The JSON object in the data of one event of an upstream's stream."""

from typing import Any

import orjson

from airelays_app.dialects.base import Json
from airelays_app.framing.jsontext import JsonTextError, loads
from airelays_app.framing.sse import parse_block

_NO_OBJECT = frozenset({b"", b"[DONE]"})


def read_object(data: bytes) -> Json:
    """Return the object; empty for ``[DONE]`` and for no data.

    Raises JsonTextError for anything else: skipping it would lose a piece of the reply unseen.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        if data.strip() in _NO_OBJECT:
            return {}
        value = loads(data)
    if not isinstance(value, dict):
        raise JsonTextError("not an object")
    return value


def named_event(block: bytes) -> tuple[Any, Json]:
    """Return the type of an event, which it may say itself or by its name, and the event.

    Both are empty for a block without data. Raises JsonTextError.
    """
    name, data = parse_block(block)
    if data is None:
        return "", {}
    event = read_object(data)
    return event.get("type") or name.decode("ascii", "replace"), event
