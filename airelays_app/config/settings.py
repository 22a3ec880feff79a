"""The loaded settings as one frozen value, and the table they come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from airelays_app.config.sections import (
    Auth,
    Batches,
    Compat,
    Conversations,
    Local,
    Logging,
    Models,
    Paths,
    Provider,
    Realtime,
    Responses,
    Routing,
    Security,
    Server,
    Uploads,
    Upstream,
)
from airelays_app.config.setting import Setting, settings_of


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value came from: ``name`` is the flag, the variable or the file."""

    kind: Literal["flag", "environment", "file", "default"]
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, typed, checked and with absolute paths.

    ``config_path`` is the file that was read or would be read, ``None`` without a home folder;
    ``config_exists`` says which. ``sources`` has an entry for each dotted key.
    """

    server: Server
    security: Security
    paths: Paths
    uploads: Uploads
    responses: Responses
    conversations: Conversations
    batches: Batches
    auth: Auth
    upstream: Upstream
    models: Models
    routing: Routing
    compat: Compat
    realtime: Realtime
    logging: Logging
    local: Local
    providers: Mapping[str, Provider]
    config_path: Path | None
    config_exists: bool
    sources: Mapping[str, Source] = field(repr=False)


SECTIONS: Mapping[str, type] = MappingProxyType(
    {
        "server": Server,
        "security": Security,
        "paths": Paths,
        "uploads": Uploads,
        "responses": Responses,
        "conversations": Conversations,
        "batches": Batches,
        "auth": Auth,
        "upstream": Upstream,
        "models": Models,
        "routing": Routing,
        "compat": Compat,
        "realtime": Realtime,
        "logging": Logging,
        "local": Local,
    }
)
"""The sections of the TOML file, in the order of the documentation."""

TABLE: tuple[Setting, ...] = tuple(
    setting for section, declared in SECTIONS.items() for setting in settings_of(section, declared)
)
"""Every setting except those of the providers' tables."""

BY_KEY: Mapping[str, Setting] = MappingProxyType({setting.key: setting for setting in TABLE})
"""The settings by dotted key."""


def provider_settings(name: str) -> tuple[Setting, ...]:
    """Return the settings of the table ``[providers.NAME]``."""
    return settings_of(f"providers.{name}", Provider)
