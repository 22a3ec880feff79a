"""Token buckets: ``capacity`` requests at once, ``per_second`` of them in the long run.

``limits`` has windows only; a window of 40 in 20 seconds has the same long-run rate as a bucket
of 40 with two tokens a second, but makes a client that spent its burst wait for all of it.
"""

import math
from dataclasses import dataclass

_SHARE_PER_LEASE = 8


@dataclass(frozen=True, slots=True)
class Bucket:
    """The measure of a bucket: the burst it holds and the tokens that flow in per second."""

    capacity: int
    per_second: float


@dataclass(frozen=True, slots=True)
class Grant:
    """What a withdrawal gave: whole tokens, the level that is left, seconds until one more."""

    tokens: int
    left: float
    wait_seconds: float


def refilled(tokens: float, bucket: Bucket, *, seconds: float) -> float:
    """Return the level after ``seconds``; a clock that ran backwards adds nothing."""
    return min(float(bucket.capacity), tokens + max(0.0, seconds) * bucket.per_second)


def withdraw(level: float, bucket: Bucket, *, wanted: int) -> Grant:
    """Take up to ``wanted`` whole tokens, but an eighth of the level at most beyond the first.

    So a worker that takes ahead never holds much of what is left.
    """
    if level < 1:
        return Grant(0, level, (1 - level) / bucket.per_second)
    tokens = min(wanted, max(1, math.floor(level / _SHARE_PER_LEASE)))
    return Grant(tokens, level - tokens, 0.0)
