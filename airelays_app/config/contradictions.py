"""Settings that are right one by one and wrong together, or wrong on this machine."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from airelays_app.config.nearest import suggestion
from airelays_app.config.sections import Provider
from airelays_app.config.sections.providers import BUILT_IN_PROVIDERS, FOUND_BY_KEY
from airelays_app.config.settings import Settings

_WITHOUT_EFFECT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "codex": ("api_key", "headers", "dialects", "ca_bundle"),
        "local": ("base_url", "api_key", "headers", "models", "dialects", "ca_bundle"),
    }
)
"""Of each kind of provider, what other kinds can be told and it cannot."""


_WITHOUT_AN_ADDRESS = frozenset({"compatible", "azure", "llamacpp"})
"""Kinds of provider whose address only the owner knows."""


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
    yield from _authorities(settings)


def _provider(provider: Provider) -> Iterator[str]:
    key = f"providers.{provider.name}"
    if provider.kind in _WITHOUT_AN_ADDRESS and not provider.base_url:
        yield f"{key}.base_url must be set: a provider of this kind needs the URL of its API"
    standard = Provider(name=provider.name)
    for name in _WITHOUT_EFFECT.get(provider.kind, ()):
        if getattr(provider, name) != getattr(standard, name):
            yield f"{key}.{name} has no effect on a provider of the kind {provider.kind}"


def _default_provider(settings: Settings) -> Iterator[str]:
    known = [*settings.providers, *BUILT_IN_PROVIDERS, *FOUND_BY_KEY]
    default = settings.routing.default_provider
    if default and default not in known:
        yield f"routing.default_provider is not a provider.{suggestion(default, known)}"


def _authorities(settings: Settings) -> Iterator[str]:
    named: dict[str, Path | None] = {"upstream.ca_bundle": settings.upstream.ca_bundle}
    named |= {f"providers.{name}.ca_bundle": p.ca_bundle for name, p in settings.providers.items()}
    for key, path in named.items():
        if path is not None and not os.access(path, os.R_OK):
            yield f"{key} ({settings.sources[key]}) names {path}, which cannot be read"
