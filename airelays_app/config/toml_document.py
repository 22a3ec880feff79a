"""Reading the configuration file, and writing values into one."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from airelays_app.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Document:
    """The content of a configuration file; ``path`` is None when there is no place for one."""

    path: Path | None = None
    exists: bool = False
    data: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


def read_document(path: Path | None, *, required: bool = False) -> Document:
    """Read the file at ``path``; a missing one is empty unless it is ``required``.

    Raises ConfigError when it cannot be read or is not TOML.
    """
    if path is None:
        return Document()
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        if required:
            raise ConfigError(
                f"there is no configuration file {path}; airelays init writes one"
            ) from None
        return Document(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigError(f"cannot read {path}: {reason}") from error
    return parse_document(text, path=path)


def parse_document(text: str, *, path: Path | None) -> Document:
    """Parse TOML ``text`` that is, or is to be, the content of ``path``."""
    try:
        return Document(path, exists=True, data=tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None


def toml_value(value: object) -> str:
    """Return ``value`` (bool, int, float, text, path, list or table of texts) as TOML.

    Raises ConfigError for text that TOML cannot hold, such as an undecodable file name.
    """
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case Mapping():
            pairs = (f"{toml_key(str(key))} = {toml_value(item)}" for key, item in value.items())
            return "{ " + ", ".join(pairs) + " }" if value else "{}"
        case list() | tuple():
            return "[" + ", ".join(toml_value(item) for item in value) + "]"
        case _:
            return _toml_string(str(value))


def toml_key(key: str) -> str:
    """Return ``key`` as one part of a TOML key, quoted when it must be."""
    bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if bare else _toml_string(key)


def _toml_string(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError("a TOML file cannot hold a text that is not valid Unicode") from None
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
