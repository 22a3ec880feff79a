"""Settings: one table, from which everything else about them comes."""

from airelays_app.config.loading import load_settings, settings_from
from airelays_app.config.sections import (
    Auth,
    Compat,
    Conversations,
    Local,
    Logging,
    Models,
    Paths,
    Provider,
    Routing,
    Security,
    Server,
    Uploads,
    Upstream,
)
from airelays_app.config.settings import Settings, Source

__all__ = [
    "Auth",
    "Compat",
    "Conversations",
    "Local",
    "Logging",
    "Models",
    "Paths",
    "Provider",
    "Routing",
    "Security",
    "Server",
    "Settings",
    "Source",
    "Uploads",
    "Upstream",
    "load_settings",
    "settings_from",
]
