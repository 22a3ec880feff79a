"""Settings as they may be shown to people: with their origin, and without any secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from airelays_app.config.locations import PREFIXES
from airelays_app.config.setting import Setting
from airelays_app.config.settings import TABLE, Settings, provider_settings

HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """One setting for display; ``value`` is JSON-able, ``variable`` is what would override it."""

    key: str
    value: Any
    source: str
    variable: str
    reload: bool


def shown_settings(settings: Settings) -> list[ShownSetting]:
    """Return every setting in the order of the documentation, the providers' tables last."""
    rows = list(TABLE)
    for name in settings.providers:
        rows += provider_settings(name)
    return [_shown(settings, row) for row in rows]


def variable_of(setting: Setting) -> str:
    """Return the environment variable of a setting, such as ``AIRELAYS_PORT``."""
    group, _, name = setting.section.partition(".")
    if group != "providers":
        return PREFIXES[0] + setting.env
    return f"{PREFIXES[0]}PROVIDERS_{_upper(name)}_{setting.env}"


def _upper(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name.upper())


def _shown(settings: Settings, setting: Setting) -> ShownSetting:
    return ShownSetting(
        key=setting.key,
        value=_presentable(setting, _value(settings, setting)),
        source=str(settings.sources[setting.key]),
        variable=variable_of(setting),
        reload=not setting.row.restart,
    )


def _value(settings: Settings, setting: Setting) -> Any:
    group, _, name = setting.section.partition(".")
    section = settings.providers[name] if group == "providers" else getattr(settings, group)
    return getattr(section, setting.name)


def _presentable(setting: Setting, value: Any) -> Any:
    match value:
        case Mapping():
            return {key: HIDDEN if setting.row.secret else item for key, item in value.items()}
        case tuple():
            return [HIDDEN if setting.row.secret else item for item in value]
        case Path():
            return str(value)
        case str() if value and setting.row.secret:
            return HIDDEN
        case str() if "@" in value:
            return _without_user(value)
        case _:
            return value


def _without_user(value: str) -> str:
    """Hide the user and password that a URL may carry."""
    authority = urlsplit(value if "://" in value else f"//{value}").netloc
    user, at, _ = authority.rpartition("@")
    return value.replace(f"{user}@", f"{HIDDEN}@", 1) if at else value
