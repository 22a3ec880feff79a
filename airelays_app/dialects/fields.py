"""Reading fields out of a client's JSON; a wrong type is refused by the path of the field."""

from collections.abc import Iterator, Mapping
from typing import Any

from airelays_app.errors import Unprocessable

_SWITCHED_OFF = {"enabled": False}


def wrong_type(path: str, expected: str) -> Unprocessable:
    """Return the error for a field that is not what it must be."""
    return Unprocessable(f"{path} must be {expected}.", param=path, code="invalid_type")


def asks_for_something(value: Any) -> bool:
    """Tell whether a field changes anything: null, false or switched off is as good as not set."""
    return value is not None and value is not False and value != _SWITCHED_OFF


def as_object(value: Any, path: str) -> dict[str, Any]:
    """Return ``value`` if it is an object."""
    if not isinstance(value, dict):
        raise wrong_type(path, "an object")
    return value


def as_list(value: Any, path: str) -> list[Any]:
    """Return ``value`` if it is an array."""
    if not isinstance(value, list):
        raise wrong_type(path, "an array")
    return value


def as_text(value: Any, path: str) -> str:
    """Return ``value`` if it is a string."""
    if not isinstance(value, str):
        raise wrong_type(path, "a string")
    return value


def objects(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each object of an array with its path."""
    for index, item in enumerate(as_list(value, path)):
        item_path = f"{path}[{index}]"
        yield item_path, as_object(item, item_path)


def text_field(source: Mapping[str, Any], name: str, path: str) -> str:
    """Return a required string field of ``source``."""
    return as_text(source.get(name), f"{path}.{name}" if path else name)


def optional_text(source: Mapping[str, Any], name: str, path: str = "") -> str | None:
    """Return a string field of ``source``; null and missing are None."""
    value = source.get(name)
    return None if value is None else as_text(value, f"{path}.{name}" if path else name)


def optional_object(source: Mapping[str, Any], name: str, path: str = "") -> dict[str, Any] | None:
    """Return an object field of ``source``; null and missing are None."""
    value = source.get(name)
    return None if value is None else as_object(value, f"{path}.{name}" if path else name)


def optional_bool(source: Mapping[str, Any], name: str, path: str = "") -> bool | None:
    """Return a boolean field of ``source``; null and missing are None."""
    value = source.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise wrong_type(f"{path}.{name}" if path else name, "a boolean")


def optional_number(source: Mapping[str, Any], name: str, path: str = "") -> float | None:
    """Return a number field of ``source``; null and missing are None."""
    value = source.get(name)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise wrong_type(f"{path}.{name}" if path else name, "a number")


def optional_integer(source: Mapping[str, Any], name: str, path: str = "") -> int | None:
    """Return an integer field of ``source``; null and missing are None."""
    value = source.get(name)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise wrong_type(f"{path}.{name}" if path else name, "an integer")


def stop_sequences(source: Mapping[str, Any]) -> tuple[str, ...]:
    """Return ``stop`` as a tuple: it may be a string, an array of strings, or null."""
    stop = source.get("stop")
    if stop is None:
        return ()
    if isinstance(stop, str):
        return (stop,) if stop else ()
    stops = [as_text(item, f"stop[{i}]") for i, item in enumerate(as_list(stop, "stop"))]
    return tuple(filter(None, stops))


def token_count(source: Any, name: str) -> int:
    """Return a count in an upstream's ``usage``; 0 for anything that is not a count."""
    value = source.get(name) if isinstance(source, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
