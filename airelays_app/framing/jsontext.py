"""JSON text: orjson where it is right, the standard library where orjson refuses or rounds.

orjson refuses lone surrogates and ``1e400``, and turns integers from 2**64 up into floats (seen
with orjson 3.13, 2026-11-22); clients send all of these.
"""

import json
import math
import re
from typing import Any

import orjson

MAX_DEPTH = 200

_DIGITS = bytes(ord("0") if chr(byte).isdecimal() else ord(" ") for byte in range(128)) + b" " * 128
_LONG_INTEGER = b"0" * 19
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonTextError(ValueError):
    """The text is not JSON, not UTF-8, or nested too deep; the message says which."""


def loads(text: bytes) -> Any:
    """Return the value of ``text``; raises JsonTextError."""
    value = _loads_exactly(text) if _has_long_integer(text) else _loads_fast(text)
    if text.count(b"[") + text.count(b"{") > MAX_DEPTH and _is_deep(value):
        raise JsonTextError(f"nested more than {MAX_DEPTH} levels deep")
    return value


def is_unicode(text: str) -> bool:
    """Tell whether a string is without lone surrogates, which only JSON can carry."""
    return _LONE_SURROGATE.search(text) is None


def repeated_name(text: bytes, value: Any) -> str | None:
    """Return a name that the object ``text``, which :func:`loads` read as ``value``, has twice.

    RFC 8259 leaves open which of the values counts, so two readers may believe different ones.
    Objects inside of it are not looked at.
    """
    if dumps(value) == text:
        # Written as most clients do, and nothing was lost: a tenth of the cost of a second look.
        return None
    names: list[str] = json.loads(text, object_pairs_hook=_names)
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def dumps(value: Any) -> bytes:
    """Return ``value`` as one line of JSON in UTF-8."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def _has_long_integer(text: bytes) -> bool:
    """Tell whether so many digits follow each other; a pattern takes twenty times as long."""
    return _LONG_INTEGER in text.translate(_DIGITS)


def _loads_fast(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _loads_exactly(text)


def _loads_exactly(text: bytes) -> Any:
    try:
        return json.loads(
            text.decode("utf-8"),
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
            parse_int=_readable_integer,
        )
    except UnicodeDecodeError as error:
        raise JsonTextError("not UTF-8") from error
    except RecursionError as error:
        raise JsonTextError(f"nested more than {MAX_DEPTH} levels deep") from error
    except ValueError as error:
        raise JsonTextError(str(error)) from error


def _names(pairs: list[tuple[str, Any]]) -> list[str]:
    return [name for name, _ in pairs]


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite_float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"the number {digits[:20]} is out of range")
    return value


def _readable_integer(digits: str) -> int:
    """Python reads no more than 4,300 digits, because the time grows with their square."""
    try:
        return int(digits)
    except ValueError:
        raise ValueError(f"the number {digits[:20]} has too many digits") from None


def _is_deep(value: Any) -> bool:
    """Tell whether containers nest more than MAX_DEPTH levels; walks level by level."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [
            child
            for container in level
            for child in (container.values() if isinstance(container, dict) else container)
            if child.__class__ is dict or child.__class__ is list
        ]
        if not level:
            return False
    return True
