"""Settings that are right one by one and wrong together."""

from collections.abc import Iterator

from airelays_app.config.nearest import suggestion
from airelays_app.config.sections import Provider
from airelays_app.config.sections.providers import BUILT_IN_PROVIDERS
from airelays_app.config.settings import Settings


def contradictions(settings: Settings) -> Iterator[str]:
    """Yield one sentence for each contradiction."""
    uploads, logging = settings.uploads, settings.logging
    if uploads.max_upload_bytes > uploads.max_total_upload_bytes:
        yield "uploads.max_upload_bytes must not be larger than uploads.max_total_upload_bytes"
    if logging.max_file_mb > logging.max_total_mb:
        yield "logging.max_file_mb must not be larger than logging.max_total_mb"
    for provider in settings.providers.values():
        yield from _provider(provider)
    yield from _default_provider(settings)


def _provider(provider: Provider) -> Iterator[str]:
    key = f"providers.{provider.name}"
    if provider.kind == "compatible" and not provider.base_url:
        yield f"{key}.base_url must be set: a compatible provider needs the URL of its API"


def _default_provider(settings: Settings) -> Iterator[str]:
    known = [*settings.providers, *BUILT_IN_PROVIDERS]
    default = settings.routing.default_provider
    if default and default not in known:
        yield f"routing.default_provider is not a provider.{suggestion(default, known)}"
