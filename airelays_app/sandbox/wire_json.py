"""JSON as it crosses the sandbox's sockets: orjson, with ``json`` where orjson refuses."""

import json
from typing import Any

import orjson


def dumps(value: Any) -> bytes:
    """Return compact UTF-8 JSON; lone surrogates, which orjson refuses, leave as escapes."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()


def loads(body: bytes) -> Any:
    """Return the value of ``body``.

    Raises:
        ValueError: the bytes are no JSON text.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            return json.loads(body)
        except RecursionError as error:
            raise ValueError("JSON nested too deeply") from error
