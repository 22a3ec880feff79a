"""Settings of earlier versions and of the reference relay that no longer exist.

A file or environment that carries one over keeps working as long as its value changes nothing;
any other value is an error that says what to do instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Retired:
    """``env`` is the variable's suffix, if any; ``harmless`` the values, as text, that may stay."""

    env: str
    harmless: frozenset[str]
    advice: str

    def problem(self, value: object) -> str | None:
        """Return what is wrong with ``value``, or None if it changes nothing."""
        return None if str(value).strip().lower() in self.harmless else self.advice


_OFF = frozenset({"false", "0", "no", "off"})

_POOL = "is not a setting any more: accounts share the load, and a used-up one rests"
_CLAUDE = "is not supported in this release"
_PROVIDERS_OF_0_22: Mapping[str, tuple[object, str]] = MappingProxyType(
    {
        "openai.enabled": (True, "is not supported: choose with routing.default_provider"),
        "openai.models_cache_ttl_seconds": (300, "is now models.cache_ttl_seconds"),
        "openai.balance": ("balanced", _POOL),
        "openai.account_cooldown_seconds": (300, _POOL),
        "openai.retry_attempts": (3, "is now upstream.retry_attempts"),
        "openai.retry_backoff_seconds": ([5, 20, 60], "is now upstream.retry_wait_seconds"),
        "openai.extra_models": ([], "is not needed: unlisted models are asked for as well"),
        "openai.image_timeout_seconds": (300, "is not supported in this release"),
        "openai.image_usage_probe": (True, "is not supported in this release"),
        "claude.enabled": (True, _CLAUDE),
        "claude.bin": ("claude", _CLAUDE),
        "claude.command": ([], _CLAUDE),
        "claude.timeout_seconds": (600, _CLAUDE),
        "claude.max_concurrent_requests": (2, _CLAUDE),
        "claude.balance": ("balanced", _CLAUDE),
        "claude.account_cooldown_seconds": (300, _CLAUDE),
        "claude.strip_api_key_env": (True, _CLAUDE),
        "claude.models": ([], _CLAUDE),
        "claude.oauth_token_file": ("", _CLAUDE),
    }
)
"""Keys of 0.22.0, their defaults there, and what is said about other values (2026-11-22)."""

RETIRED: Mapping[str, Retired] = MappingProxyType(
    {
        "security.trust_x_forwarded_for": Retired(
            "TRUST_X_FORWARDED_FOR",
            _OFF,
            "is no longer supported, because it let every client choose its own address. List your "
            'reverse proxy instead: security.trusted_proxies = ["127.0.0.1"]',
        ),
        "security.network_scope": Retired(
            "NETWORK_SCOPE",
            frozenset({"any"}),
            "is not supported: choose who can connect by the address in server.host",
        ),
        "logging.stream_lines": Retired(
            "LOG_STREAM_LINES",
            _OFF,
            "is not supported: use logging.traffic and logging.traffic_bodies",
        ),
        **{
            f"providers.{key}": Retired("", frozenset({str(default).lower()}), advice)
            for key, (default, advice) in _PROVIDERS_OF_0_22.items()
        },
    }
)
"""Retired settings by dotted key."""
