"""Admission and its limits, put together from the settings."""

from dataclasses import dataclass

from flask import Flask

from airelays_app.config import Settings
from airelays_app.store.database import Database
from airelays_app.store.limit_storage import SqliteLimitStorage
from airelays_app.store.lockouts import LockoutRule, Lockouts
from airelays_app.store.rate_leases import LeasedTokenBucket
from airelays_app.store.slots import Slots
from airelays_app.store.steady_clock import SteadyClock
from airelays_app.store.tokens import DeviceTokens
from airelays_app.web.address import TrustedProxies
from airelays_app.web.admission import Admission, AdmissionRules
from airelays_app.web.auth import CredentialGate
from airelays_app.web.limits import AddressLimits, attach_limiter

SLOTS_FILE_NAME = "slots"


@dataclass(frozen=True, slots=True)
class Entrance:
    """Who gets in, and what counts it."""

    admission: Admission
    limits: AddressLimits
    lockouts: Lockouts
    storage: SqliteLimitStorage


def build_entrance(
    app: Flask, settings: Settings, *, database: Database, tokens: DeviceTokens
) -> Entrance:
    """Return the entrance to ``app``; nothing is opened before the first request."""
    security = settings.security
    clock = SteadyClock(database)
    limiter, storage = attach_limiter(app, database=database, clock=clock)
    rule = LockoutRule(
        max_attempts=security.failed_auth_max_attempts,
        window_seconds=security.failed_auth_window_seconds,
        block_seconds=security.failed_auth_block_seconds,
        known_seconds=security.known_client_seconds,
    )
    lockouts = Lockouts(database, clock=clock, rule=rule)
    limits = AddressLimits(
        rates=LeasedTokenBucket(storage, burst=security.rate_limit_burst),
        slots=Slots(settings.paths.data_dir / SLOTS_FILE_NAME),
        per_minute=security.rate_limit_per_minute,
        concurrent=security.concurrent_requests_per_ip,
    )
    gate = CredentialGate(tokens.identify, limiter, lockouts, rule)
    admission = Admission(_rules(settings), gate=gate, limits=limits)
    return Entrance(admission, limits, lockouts, storage)


def _rules(settings: Settings) -> AdmissionRules:
    security = settings.security
    return AdmissionRules(
        require_token=security.require_bearer_auth,
        open_to_others=security.allow_open_relay,
        trusted_proxies=TrustedProxies.parse(security.trusted_proxies),
        allowed_hosts=frozenset(name.lower().removesuffix(".") for name in security.allowed_hosts),
        cors_origins=frozenset(map(str.lower, security.cors_origins)),
    )
