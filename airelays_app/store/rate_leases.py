"""The request rate of each address: a token bucket shared by all workers, drawn ahead in leases.

A worker that serves a burst withdraws several tokens in one transaction and spends them from
memory: one token first, then twice as many each time a lease is used up within its life, up to
64. So a slow client costs one short transaction per request and a busy one a fraction of it.

Tolerance: a lease lives one second, so all workers together admit at most what flows into the
bucket in that second beyond the burst (2 requests at 120 a minute). What a worker has drawn and
not spent goes back at its next withdrawal; until then the other workers may refuse a burst
early, each by an eighth of what was left at the most. While the database is down each worker
keeps a bucket of its own of the same measure.
"""

import logging
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.strategies import RateLimiter
from limits.util import WindowStats

from airelays_app.errors import Unavailable
from airelays_app.store.limit_storage import SqliteLimitStorage
from airelays_app.store.token_bucket import Bucket, Grant, refilled, withdraw

_LEASE_SECONDS = 1.0
_LARGEST_LEASE = 64
_REFUSAL_KEPT_SECONDS = 0.25
_RETRY_STORAGE_SECONDS = 15.0
_ADDRESSES_IN_PROCESS = 4096
_LOCKS = 64

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Lease:
    tokens: int = 0
    size: int = 0
    taken_at: float = 0.0
    refused_until: float = 0.0
    free_at: float = 0.0


@dataclass(slots=True)
class _OwnBuckets:
    """Buckets of this process alone, for the time during which the shared ones are out of reach."""

    levels: dict[str, tuple[float, float]] = field(default_factory=dict)

    def take(self, key: str, bucket: Bucket, *, now: float) -> Grant:
        level, at = self.levels.get(key, (float(bucket.capacity), now))
        grant = withdraw(refilled(level, bucket, seconds=now - at), bucket, wanted=1)
        self.levels[key] = (grant.left, now)
        return grant


class LeasedTokenBucket(RateLimiter):
    """A strategy of ``limits``: ``item`` gives the long-run rate, ``burst`` what may come at once.

    Thread-safe. ``clock`` is monotonic and of this process only.
    """

    def __init__(
        self,
        storage: SqliteLimitStorage,
        *,
        burst: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(storage)
        self._shared = storage
        self._burst = burst
        self._clock = clock
        self._leases: OrderedDict[str, _Lease] = OrderedDict()
        self._table_lock = threading.Lock()
        self._locks = tuple(threading.Lock() for _ in range(_LOCKS))
        self._own = _OwnBuckets()
        self._storage_back_at = 0.0

    def hit(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> bool:
        """Take ``cost`` tokens one by one; return False as soon as one is refused."""
        return all(self.seconds_to_wait(item, *identifiers) == 0.0 for _ in range(cost))

    def test(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> bool:
        """Return whether ``cost`` tokens are left, without taking any."""
        return self.get_window_stats(item, *identifiers).remaining >= cost

    def get_window_stats(self, item: RateLimitItem, *identifiers: str) -> WindowStats:
        """Return when the bucket would be full (Unix time) and how many tokens this worker sees.

        Raises Unavailable when the database is down.
        """
        key, bucket = item.key_for(*identifiers), self._bucket(item)
        lease = self._leases.get(key)
        held = 0 if lease is None else lease.tokens
        level = min(float(bucket.capacity), self._shared.tokens_left(key, bucket) + held)
        return WindowStats(time.time() + (bucket.capacity - level) / bucket.per_second, int(level))

    def seconds_to_wait(self, item: RateLimitItem, *identifiers: str) -> float:
        """Take one token: return 0.0 if there was one, else in how many seconds there will be."""
        key = item.key_for(*identifiers)
        with self._locks[zlib.crc32(key.encode()) % _LOCKS]:
            lease, now = self._lease(key), self._clock()
            is_fresh = now - lease.taken_at < _LEASE_SECONDS
            if lease.tokens and is_fresh:
                lease.tokens -= 1
                return 0.0
            if now < lease.refused_until:
                return max(lease.free_at - now, lease.refused_until - now)
            grant = self._withdraw(key, self._bucket(item), lease=lease, is_fresh=is_fresh)
            return _settle(lease, grant, now=now)

    def _bucket(self, item: RateLimitItem) -> Bucket:
        return Bucket(self._burst, item.amount / item.get_expiry())

    def _lease(self, key: str) -> _Lease:
        with self._table_lock:
            lease = self._leases.get(key)
            if lease is None:
                lease = self._leases[key] = _Lease(taken_at=-_LEASE_SECONDS)
                if len(self._leases) > _ADDRESSES_IN_PROCESS:
                    self._leases.popitem(last=False)
            self._leases.move_to_end(key)
            return lease

    def _withdraw(self, key: str, bucket: Bucket, *, lease: _Lease, is_fresh: bool) -> Grant:
        now = self._clock()
        if now < self._storage_back_at:
            return self._own.take(key, bucket, now=now)
        wanted = min(_LARGEST_LEASE, 2 * lease.size) if is_fresh and lease.size else 1
        try:
            grant = self._shared.take_tokens(key, bucket, wanted=wanted, returned=lease.tokens)
        except Unavailable as error:
            _log.warning("rate limits are kept per worker for now: %s", error)
            # The wait for the database counts too: from now on it is left alone for a while.
            self._storage_back_at = self._clock() + _RETRY_STORAGE_SECONDS
            return self._own.take(key, bucket, now=now)
        self._own.levels.clear()
        return grant


def requests_per_minute(amount: int) -> RateLimitItem:
    """Return the limit to hit with the address for each request."""
    return RateLimitItemPerMinute(amount, 1, "requests")


def _settle(lease: _Lease, grant: Grant, *, now: float) -> float:
    """Note what a withdrawal gave, spend the first token of it; return the seconds to wait."""
    lease.size = grant.tokens
    lease.taken_at = now
    lease.tokens = max(0, grant.tokens - 1)
    if grant.tokens:
        return 0.0
    lease.free_at = now + grant.wait_seconds
    lease.refused_until = now + min(grant.wait_seconds, _REFUSAL_KEPT_SECONDS)
    return grant.wait_seconds
