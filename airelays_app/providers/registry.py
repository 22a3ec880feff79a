"""The owner's providers, built from the settings."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from airelays_app.config import Provider as ProviderSettings
from airelays_app.config import Settings
from airelays_app.providers.anthropic import AnthropicProvider
from airelays_app.providers.base import Provider
from airelays_app.providers.codex.constants import USER_AGENT
from airelays_app.providers.codex.from_settings import further_accounts, open_session
from airelays_app.providers.codex.provider import CodexOptions, CodexProvider
from airelays_app.providers.compatible import CompatibleOptions, CompatibleProvider
from airelays_app.providers.gemini import GeminiProvider
from airelays_app.providers.local.provider import LocalProvider
from airelays_app.providers.local.supervisor import LocalServer, ServerOptions
from airelays_app.providers.vendors import VENDORS, KeyVariable, vendor_maker

SYNONYMS: Mapping[str, str] = {"aistudio": "gemini"}
"""Names under which clients know a provider besides its own."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What providers need beside the settings: the relay's master process, the environment."""

    master_pid: int = field(default_factory=os.getpid)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)


Accounts = Mapping[str, tuple[Provider, ...]]
"""Each provider's accounts by its name; the first one stands for the provider itself."""


def build_providers(settings: Settings, surroundings: Surroundings) -> dict[str, Provider]:
    """Return the enabled providers by name, each with its first account."""
    accounts = build_accounts(settings, surroundings)
    return {name: members[0] for name, members in accounts.items()}


def build_accounts(settings: Settings, surroundings: Surroundings) -> Accounts:
    """Return the accounts of the enabled providers, the built-in ones first."""
    tables = {
        "codex": settings.providers.get("codex") or ProviderSettings(name="codex", kind="codex"),
        "local": settings.providers.get("local") or ProviderSettings(name="local", kind="local"),
        **_found(surroundings),
        **settings.providers,
    }
    return {
        name: tuple(_BUILDERS[table.kind](table, settings, surroundings))
        for name, table in tables.items()
        if table.enabled and not (table.kind == "local" and settings.local.enabled == "false")
    }


_GOOGLES_KEYS = ("AIza", "AQ.")

KEY_VARIABLES: Mapping[str, tuple[KeyVariable, ...]] = MappingProxyType(
    {
        "anthropic": (KeyVariable("ANTHROPIC_API_KEY", "sk-ant-"),),
        "gemini": (
            KeyVariable("GEMINI_API_KEY", _GOOGLES_KEYS),
            KeyVariable("GOOGLE_API_KEY", _GOOGLES_KEYS),
        ),
        **{kind: (vendor.key,) for kind, vendor in VENDORS.items() if vendor.key},
    }
)
"""By the kind of provider (the vendors' documentation, seen 2026-11-22)."""


def _found(around: Surroundings) -> dict[str, ProviderSettings]:
    """Return a provider for each vendor whose key is there by itself."""
    kinds = (kind for kind in KEY_VARIABLES if _found_keys(kind, around))
    return {kind: ProviderSettings(name=kind, kind=kind) for kind in kinds}


def default_provider(settings: Settings, providers: Mapping[str, Provider]) -> str:
    """Return the name of the provider for bare model names.

    Unless the owner chose one, it is the first that is ready: the subscription, a vendor's API, a
    configured server, the local model; the subscription when none is, because its error says what
    to do.
    """
    chosen = settings.routing.default_provider
    if chosen:
        return chosen
    order = sorted(providers.values(), key=lambda p: _RANKS[p.kind])
    ready = (provider.name for provider in order if provider.is_ready())
    return next(ready, order[0].name if order else "")


_ORDER = ("codex", "openai", "anthropic", "gemini", *(kind for kind in VENDORS if kind != "openai"))
_RANKS = {kind: rank for rank, kind in enumerate((*_ORDER, "compatible", "local"))}


def _build_codex(
    table: ProviderSettings, settings: Settings, around: Surroundings
) -> Iterator[Provider]:
    upstream = settings.upstream
    options = CodexOptions(
        base_url=table.base_url or upstream.base_url,
        client_version=upstream.client_version,
        originator=upstream.originator,
        user_agent=upstream.user_agent or USER_AGENT,
        token_limits=settings.compat.token_limits,
        connect_timeout=upstream.connect_timeout_seconds,
        read_timeout=table.timeout_seconds or upstream.request_timeout_seconds,
        models=table.models,
        passthrough=table.passthrough,
    )
    for account in ("", *further_accounts(settings)):
        session = open_session(settings, environ=around.environ, account=account)
        yield CodexProvider(table.name, options, session, account=account)


def _build_compatible(
    table: ProviderSettings, settings: Settings, around: Surroundings
) -> Iterator[Provider]:
    return _with_each_key(CompatibleProvider, table, settings, around)


def _build_anthropic(
    table: ProviderSettings, settings: Settings, around: Surroundings
) -> Iterator[Provider]:
    return _with_each_key(AnthropicProvider, table, settings, around)


def _build_gemini(
    table: ProviderSettings, settings: Settings, around: Surroundings
) -> Iterator[Provider]:
    return _with_each_key(GeminiProvider, table, settings, around)


def _vendor_builder(kind: str) -> "_Build":
    make = vendor_maker(kind)
    return lambda table, settings, around: _with_each_key(make, table, settings, around)


def _with_each_key(
    make: Callable[[str, CompatibleOptions], Provider],
    table: ProviderSettings,
    settings: Settings,
    around: Surroundings,
) -> Iterator[Provider]:
    """Yield an account for each key that the owner has for one server."""
    upstream = settings.upstream
    api_key, *further = _keys(table, around) or [""]
    options = CompatibleOptions(
        base_url=table.base_url,
        api_key=api_key,
        headers=table.headers,
        dialects=table.dialects,
        models=table.models,
        passthrough=table.passthrough,
        connect_timeout=upstream.connect_timeout_seconds,
        read_timeout=table.timeout_seconds or upstream.request_timeout_seconds,
        ca_bundle=str(table.ca_bundle) if table.ca_bundle else None,
    )
    yield make(table.name, options)
    for number, key in enumerate(further, start=2):
        account = f"key {number}"
        yield make(table.name, replace(options, api_key=key, account=account))


def _keys(table: ProviderSettings, around: Surroundings) -> list[str]:
    """Return the keys of a provider, each once, the first one first."""
    found = (table.api_key, around.environ.get(table.api_key_env, ""), *table.api_keys)
    return list(dict.fromkeys(key for key in found if key)) or _found_keys(table.kind, around)


def _found_keys(kind: str, around: Surroundings) -> list[str]:
    """Return the key that a vendor's own tools would use, if there is one.

    Only what looks like a key of the vendor: on a machine with clients of the relay the same
    variable holds the relay's token, which no vendor may ever see.
    """
    keys = (
        key
        for variable in KEY_VARIABLES.get(kind, ())
        if (key := around.environ.get(variable.name, "")).startswith(variable.beginning)
    )
    return list(keys)[:1]


def _build_local(
    table: ProviderSettings, settings: Settings, around: Surroundings
) -> Iterator[Provider]:
    local = settings.local
    options = ServerOptions(
        threads=local.threads,
        context=local.context // local.slots,
        slots=local.slots,
        sleep_idle_seconds=local.idle_seconds or -1,
        start_seconds=local.start_seconds,
        model=local.model_path,
    )
    server = LocalServer(settings.paths.data_dir, options, around.master_pid)
    timeout = table.timeout_seconds or settings.upstream.request_timeout_seconds
    yield LocalProvider(table.name, server, read_timeout=timeout, passthrough=table.passthrough)


_Build = Callable[[ProviderSettings, Settings, Surroundings], Iterator[Provider]]

_BUILDERS: Mapping[str, _Build] = {
    "codex": _build_codex,
    "anthropic": _build_anthropic,
    "gemini": _build_gemini,
    "compatible": _build_compatible,
    "local": _build_local,
    **{kind: _vendor_builder(kind) for kind in VENDORS},
}
