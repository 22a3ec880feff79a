"""Retries are few, bounded by a budget of waiting, and never repeat a deterministic failure."""

import pytest

from airelays_app.errors import ClientGone, UpstreamCut, UpstreamRefused, UpstreamUnreachable
from airelays_app.upstream.retry import RetryPolicy, call


def refused(status, retry_after=None):
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return UpstreamRefused("no", status=status, type="t", headers=headers)


class Attempts:
    """Raises the given errors in turn, then returns the number of the attempt."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.number = -1
        self.waits = []

    def __call__(self):
        self.number += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.number

    def run(self, policy, should_retry=lambda error: True, wait=None):
        return call(self, policy=policy, should_retry=should_retry, wait=wait or self.waits.append)


def test_success_needs_no_second_attempt():
    attempts = Attempts()
    assert attempts.run(RetryPolicy()) == 0
    assert attempts.waits == []


def test_the_last_wait_repeats_until_the_attempts_are_used_up():
    attempts = Attempts(*[UpstreamUnreachable("no")] * 4)
    with pytest.raises(UpstreamUnreachable):
        attempts.run(RetryPolicy(attempts=4, waits=(1, 2)))
    assert attempts.number == 3
    assert attempts.waits == [1, 2, 2]


def test_no_waits_means_at_once():
    attempts = Attempts(UpstreamCut("no"))
    assert attempts.run(RetryPolicy(waits=())) == 1
    assert attempts.waits == [0.0]


def test_what_the_upstream_asks_for_goes_before_the_list():
    attempts = Attempts(refused(429, 7), refused(503, 0))
    assert attempts.run(RetryPolicy(attempts=3, waits=(0.5,))) == 2
    assert attempts.waits == [7.0, 0.5]


def test_a_quota_that_resets_in_hours_is_not_waited_for():
    attempts = Attempts(refused(429, 9999))
    with pytest.raises(UpstreamRefused):
        attempts.run(RetryPolicy(attempts=3, waits=(5,), budget=60))
    assert attempts.waits == []


def test_the_budget_is_for_all_waits_together():
    attempts = Attempts(*[refused(429, 25)] * 5)
    with pytest.raises(UpstreamRefused):
        attempts.run(RetryPolicy(attempts=9, budget=60))
    assert attempts.waits == [25.0, 25.0]


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_a_client_error_is_never_retried(status):
    attempts = Attempts(refused(status))
    with pytest.raises(UpstreamRefused):
        attempts.run(RetryPolicy())
    assert attempts.number == 0


def test_the_caller_may_say_no():
    attempts = Attempts(UpstreamCut("no"))
    with pytest.raises(UpstreamCut):
        attempts.run(RetryPolicy(), should_retry=lambda error: False)
    assert attempts.number == 0


def test_a_client_that_left_ends_the_wait():
    def leave(seconds):
        raise ClientGone

    attempts = Attempts(UpstreamCut("no"))
    with pytest.raises(ClientGone):
        attempts.run(RetryPolicy(), wait=leave)
    assert attempts.number == 0


def test_other_errors_pass_through():
    attempts = Attempts(KeyError("bug"))
    with pytest.raises(KeyError):
        attempts.run(RetryPolicy())
    assert attempts.number == 0
