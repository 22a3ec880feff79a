"""The one retry loop, for what happens before the first byte went to the client."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from airelays_app.errors import RelayError
from airelays_app.neutral.failure import Failure, failure_of

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and after which waits in seconds.

    ``attempts`` counts the first one in; a short list of ``waits`` repeats its last value.
    ``budget`` is the most seconds that all waits of one call may take together.
    """

    attempts: int = 2
    waits: tuple[float, ...] = (0.5,)
    budget: float = 60.0

    def wait_after(self, number: int, failure: Failure) -> float:
        """Return how long to wait after attempt ``number``, counted from 0.

        What the upstream asks for goes before the list.
        """
        if failure.retry_after:
            return float(failure.retry_after)
        return self.waits[min(number, len(self.waits) - 1)] if self.waits else 0.0


def call(
    attempt: Callable[[], _T],
    *,
    policy: RetryPolicy,
    should_retry: Callable[[RelayError], bool],
    wait: Callable[[float], None],
) -> _T:
    """Return what ``attempt()`` returns, trying again as ``policy`` allows.

    Raises the last attempt's error as soon as no attempt is left, the wait would exceed the
    budget, the failure is deterministic (kind ``client``) or ``should_retry`` says no. ``wait``
    sleeps and may raise ClientGone; errors that are no RelayError are never retried.
    """
    left = policy.budget
    number = 0
    while True:
        try:
            return attempt()
        except RelayError as error:
            failure = failure_of(error)
            pause = policy.wait_after(number, failure)
            number += 1
            if number >= policy.attempts or pause > left:
                raise
            if failure.kind == "client" or not should_retry(error):
                raise
        left -= pause
        wait(pause)
