"""How the value of a setting is read: strictly from TOML, forgivingly nowhere, and from text.

A :class:`Kind` turns an object (from TOML or from a caller) or a text (from the environment)
into the one Python value of its type, or raises :class:`ValueError` with a message that
continues the sentence "server.port ...", such as "must be a whole number".
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of setting: its name for people and its two readers."""

    label: str
    from_object: Callable[[object], Any]
    from_text: Callable[[str], Any]


def kind_of(annotation: Any) -> Kind:
    """Return the kind of a section field from its type annotation."""
    if get_origin(annotation) is Literal:
        return _choice(get_args(annotation))
    return _KINDS[annotation]


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _boolean_text(text: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("must be true or false (also 1/0, yes/no, on/off)")


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("must be a whole number")
    return value


def _whole_text(text: str) -> int:
    if not _WHOLE_NUMBER.fullmatch(text.strip()):
        raise ValueError("must be a whole number")
    return int(text)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("must be a number")
    return float(value)


def _number_text(text: str) -> float:
    try:
        return _number(float(text))
    except ValueError:
        raise ValueError("must be a number") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text in quotes")
    if _CONTROL.search(value):
        raise ValueError("must not contain control characters")
    return value


def _path(value: object) -> Path:
    text = str(value) if isinstance(value, Path) else _text(value)
    if not text:
        raise ValueError("must not be empty")
    return Path(text)


def _optional_path(value: object) -> Path | None:
    return None if value in ("", None) else _path(value)


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError('must be a list of texts, such as ["one", "two"]')
    return tuple(_text(item).strip() for item in value)


def _texts_text(text: str) -> tuple[str, ...]:
    if text.lstrip().startswith("["):
        return _texts(_json(text))
    return _texts([item for item in text.split(",") if item.strip()])


def _table(value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        raise ValueError('must be a table of texts, such as { name = "value" }')
    nested = [key for key, item in value.items() if not isinstance(item, str)]
    if nested:
        raise ValueError(
            f"has {nested[0]!r}, whose value must be a text in quotes (quote a name with a dot)"
        )
    return MappingProxyType({_text(key): _text(item) for key, item in value.items()})


def _table_text(text: str) -> Mapping[str, str]:
    if text.lstrip().startswith("{"):
        return _table(_json(text))
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if not all(equals for _, equals, _ in pairs):
        raise ValueError("must be pairs such as name=value,name=value, or a JSON object")
    return _table({name.strip(): value.strip() for name, _, value in pairs})


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("is not valid JSON") from None


def _choice(options: tuple[str, ...]) -> Kind:
    expected = "must be one of " + ", ".join(options)

    def from_object(value: object) -> str:
        word = str(value).lower() if isinstance(value, bool) else value
        if word not in options:
            raise ValueError(expected)
        return str(word)

    def from_text(text: str) -> str:
        word = text.strip().lower()
        if word in options:
            return word
        if word in _TRUE | _FALSE:
            return from_object(word in _TRUE)
        raise ValueError(expected)

    return Kind(" | ".join(options), from_object, from_text)


_KINDS: Mapping[Any, Kind] = {
    bool: Kind("boolean", _boolean, _boolean_text),
    int: Kind("integer", _whole, _whole_text),
    float: Kind("number", _number, _number_text),
    str: Kind("text", _text, _text),
    Path: Kind("path", _path, _path),
    Path | None: Kind("path", _optional_path, _optional_path),
    tuple[str, ...]: Kind("list of texts", _texts, _texts_text),
    Mapping[str, str]: Kind("table of texts", _table, _table_text),
}
