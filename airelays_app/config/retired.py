"""Settings of earlier versions and of the reference relay that no longer exist.

A file or environment that carries one over keeps working as long as its value changes nothing;
any other value is an error that says what to do instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Retired:
    """``env`` is the variable's suffix; ``harmless`` the values, as text, that may stay."""

    env: str
    harmless: frozenset[str]
    advice: str

    def problem(self, value: object) -> str | None:
        """Return what is wrong with ``value``, or None if it changes nothing."""
        return None if str(value).strip().lower() in self.harmless else self.advice


_OFF = frozenset({"false", "0", "no", "off"})

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
    }
)
"""Retired settings by dotted key."""
