"""Where the configuration file and the data folder are, today's names and the earlier ones.

Up to its first releases the project was called AIRelay and kept ``~/.config/airelay`` and
``~/.airelay``. Those are used when they exist and today's do not.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from airelays_app.errors import ConfigError

PREFIXES = ("AIRELAYS_", "AIRELAY_", "OPENAI_ENDPOINT_")
"""Prefixes of our environment variables; the first that is set wins."""

DATA_DIR_PLACEHOLDER = "<data_dir>"


def home_of(environ: Mapping[str, str]) -> Path | None:
    """Return the home folder that ``HOME`` names, or None when it is unset or empty."""
    text = environ.get("HOME", "")
    if not text:
        return None
    if not os.path.isabs(text):
        raise ConfigError("HOME must be an absolute path")
    return Path(text)


def config_path_of(environ: Mapping[str, str], given: Path | None = None) -> Path | None:
    """Return the configuration file to use; it need not exist.

    ``given`` wins over ``AIRELAYS_CONFIG`` (and its earlier spellings), which wins over the
    place in the home folder. None means that there is no home folder to look in.
    """
    named = given or _named_config(environ)
    home = home_of(environ)
    if named is not None:
        return absolute(named, base=Path.cwd(), home=home)
    if home is None:
        return None
    return _first_existing(
        home / ".config/airelays/config.toml", home / ".config/airelay/config.toml"
    )


def default_data_dir(home: Path) -> Path:
    """Return ``~/.airelays``, or ``~/.airelay`` when only that exists."""
    return _first_existing(home / ".airelays", home / ".airelay")


def absolute(path: Path, *, base: Path, home: Path | None) -> Path:
    """Return ``path`` with ``~`` expanded and made absolute against ``base``.

    Raises ValueError when it begins with ``~`` and there is no home folder.
    """
    if path.parts[:1] != ("~",):
        return base / path
    if home is None:
        raise ValueError("needs a home folder, but HOME is not set: set HOME, or give a full path")
    return home.joinpath(*path.parts[1:])


def _named_config(environ: Mapping[str, str]) -> Path | None:
    for prefix in PREFIXES:
        if text := environ.get(f"{prefix}CONFIG", ""):
            return Path(text)
    return None


def _first_existing(today: Path, earlier: Path) -> Path:
    return earlier if os.path.exists(earlier) and not os.path.exists(today) else today
