"""The limits of one client address, put together on flask-limiter and the relay's storage."""

import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import cast

from flask import Flask, g
from flask_limiter import Limiter

from airelays_app.errors import TooManyRequests, Unavailable
from airelays_app.store.database import Database
from airelays_app.store.limit_storage import SCHEME, SqliteLimitStorage
from airelays_app.store.lockouts import Lockouts
from airelays_app.store.rate_leases import LeasedTokenBucket, requests_per_minute
from airelays_app.store.slots import Slot, Slots


def attach_limiter(
    app: Flask, *, database: Database, clock: Callable[[], float]
) -> tuple[Limiter, SqliteLimitStorage]:
    """Give the app a limiter on the relay's storage, without its hooks on every request.

    Admission counts by ``limiter.limiter.hit`` itself: the hooks would look at every request
    (34 microseconds, measured 2026-11-22 with flask-limiter 4.1.1) for limits that are declared
    nowhere. The extension adds none to an app that already lists it.
    """
    limiter = Limiter(
        key_func=lambda: str(g.client_address.group),
        strategy="moving-window",
        storage_uri=f"{SCHEME}://",
        storage_options=cast(dict[str, str | int], {"database": database, "clock": clock}),
    )
    app.extensions.setdefault("limiter", set()).add(limiter)
    limiter.init_app(app)
    return limiter, cast(SqliteLimitStorage, limiter.storage)


@dataclass(frozen=True, slots=True)
class AddressLimits:
    """Rate and concurrency per address group; raises TooManyRequests with its Retry-After."""

    rates: LeasedTokenBucket
    slots: Slots
    _: KW_ONLY
    per_minute: int
    concurrent: int

    def take_slot(self, group: str) -> Slot:
        """Take a place among the running requests of an address."""
        slot = self.slots.acquire(group, limit=self.concurrent)
        if slot is None:
            raise TooManyRequests(
                f"Too many requests from this address are running (limit {self.concurrent}).",
                code="too_many_concurrent_requests",
                retry_after=1,
            )
        return slot

    def spend_request(self, group: str) -> None:
        """Count one request towards the rate of an address."""
        wait = self.rates.seconds_to_wait(requests_per_minute(self.per_minute), group)
        if wait:
            raise TooManyRequests(
                f"Too many requests from this address (limit {self.per_minute} a minute).",
                code="rate_limit_exceeded",
                retry_after=math.ceil(wait),
            )

    def allowance(self, group: str) -> int | None:
        """Return how many requests an address may send at once now; None if that is unknown."""
        try:
            item = requests_per_minute(self.per_minute)
            return self.rates.get_window_stats(item, group).remaining
        except Unavailable:
            return None


def limiter_state(limits: AddressLimits, lockouts: Lockouts, group: str) -> dict[str, object]:
    """Return what the limits hold about one address group; numbers out of reach are None."""
    failures: int | None
    try:
        failures, blocked = lockouts.failures(group), math.ceil(lockouts.seconds_blocked(group))
    except Unavailable:
        failures = blocked = None
    return {
        "allowance_remaining": limits.allowance(group),
        "active_requests": limits.slots.count(group),
        "failed_auth_attempts": failures,
        "blocked_for_seconds": blocked,
    }


def limiter_totals(limits: AddressLimits, lockouts: Lockouts) -> dict[str, int | None]:
    """Return how many addresses are on record, blocked, and running requests."""
    tracked: int | None
    blocked: int | None
    try:
        totals = lockouts.totals()
        tracked, blocked = totals.tracked, totals.blocked
    except Unavailable:
        tracked = blocked = None
    return {
        "tracked_clients": tracked,
        "blocked_clients": blocked,
        "active_clients": limits.slots.active_addresses(),
    }
