"""Which upstreams the owner has, as far as the settings and files tell; nothing is asked."""

from pathlib import Path

from airelays_app.config import Provider, Settings
from airelays_app.config.sections.providers import BUILT_IN_PROVIDERS
from airelays_app.providers.codex.credentials import LOGIN_FILE_NAME
from airelays_app.providers.local.weights import SMOLLM2, verify

SUBSCRIPTION_MODEL = "gpt-5.5"
"""A model that the subscription offers (seen 2026-11-22)."""
UNKNOWN_MODEL = "YOUR_MODEL"
"""What stands where only asking a server could tell its models."""


def is_logged_in(settings: Settings) -> bool:
    """Return whether there is a login at the subscription, good or not."""
    return (settings.paths.data_dir / LOGIN_FILE_NAME).exists()


def own_servers(settings: Settings) -> list[Provider]:
    """Return the providers that the owner has configured beside those that come by themselves."""
    providers = settings.providers.values()
    return [each for each in providers if each.enabled and each.kind not in BUILT_IN_PROVIDERS]


def local_model(settings: Settings) -> str | None:
    """Return the name of the model on this machine, None if none is offered."""
    local = settings.local
    if local.enabled == "false":
        return None
    if local.model_path is not None:
        return local.model_path.stem if local.model_path.is_file() else None
    return SMOLLM2.model if verify(_models_dir(settings)) else None


def suggested_model(settings: Settings) -> str:
    """Return the model for printed settings: the chosen one, else one of the default provider."""
    servers = own_servers(settings)
    if settings.models.default or is_logged_in(settings):
        return settings.models.default or SUBSCRIPTION_MODEL
    if servers:
        listed = (f"{server.name}/{model}" for server in servers for model in server.models)
        return next(listed, UNKNOWN_MODEL)
    return local_model(settings) or SUBSCRIPTION_MODEL


def _models_dir(settings: Settings) -> Path:
    return settings.paths.data_dir / "models"
