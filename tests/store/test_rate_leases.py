"""The request rate per address: 40 at once, 120 a minute, over all workers.

* One worker admits exactly the burst, then exactly the rate, and says when the next will fit.
* Two workers together never admit more than the burst and what flowed in meanwhile plus one
  second's worth; they do not lose tokens by drawing ahead.
* A busy worker writes a fraction of a time per request.
* While the database is down each worker keeps the measure by itself.
"""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airelays_app.errors import Unavailable
from airelays_app.store.limit_storage import SqliteLimitStorage
from airelays_app.store.rate_leases import LeasedTokenBucket, requests_per_minute
from airelays_app.store.token_bucket import Bucket, refilled, withdraw
from tests.store.limits_kit import HandClock, database_in

RATE = requests_per_minute(120)


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def storage(tmp_path, clock):
    with database_in(tmp_path) as database:
        yield SqliteLimitStorage(database=database, clock=clock)


def worker(storage, clock, *, burst=40):
    return LeasedTokenBucket(storage, burst=burst, clock=clock)


def admitted(bucket, attempts, address="a"):
    return sum(bucket.hit(RATE, address) for _ in range(attempts))


def test_the_burst_is_admitted_at_once_and_then_the_rate(storage, clock):
    bucket = worker(storage, clock)
    assert admitted(bucket, 100) == 40
    for _ in range(20):
        clock.pass_seconds(0.5)
        assert admitted(bucket, 5) == 1
    clock.pass_seconds(60)
    assert admitted(bucket, 100) == 40


def test_a_refused_client_learns_when_the_next_request_fits(storage, clock):
    bucket = worker(storage, clock)
    admitted(bucket, 40)
    wait = bucket.seconds_to_wait(RATE, "a")
    assert wait == pytest.approx(0.5)
    clock.pass_seconds(wait + 0.001)
    assert bucket.seconds_to_wait(RATE, "a") == 0.0


def test_addresses_have_buckets_of_their_own(storage, clock):
    bucket = worker(storage, clock)
    assert admitted(bucket, 50, "a") == 40
    assert admitted(bucket, 50, "b") == 40


def test_a_steady_client_below_the_rate_is_never_refused(storage, clock):
    workers = [worker(storage, clock) for _ in range(4)]
    for number in range(400):
        clock.pass_seconds(0.51)
        assert workers[number % 4].hit(RATE, "a")


def test_two_workers_share_one_burst(storage, clock):
    workers = [worker(storage, clock) for _ in range(2)]
    total = sum(workers[number % 2].hit(RATE, "a") for number in range(100))
    assert 34 <= total <= 40


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 3)), min_size=50, max_size=150))
def test_workers_never_exceed_the_measure_by_more_than_a_second(tmp_path_factory, steps):
    clock = HandClock()
    with database_in(tmp_path_factory.mktemp("rate")) as database:
        storage = SqliteLimitStorage(database=database, clock=clock)
        workers = [worker(storage, clock, burst=8) for _ in range(4)]
        start, moments = clock.now, []
        for index, pause in steps:
            clock.pass_seconds(pause if pause > 2 else 0)
            moments += [clock.now] * admitted(workers[index], 6)
    for first, begin in enumerate(moments):
        for last in range(first, len(moments)):
            allowed = 8 + 2.0 * (moments[last] - begin) + 2.0 + 1e-6
            assert last - first + 1 <= allowed, (start, moments)


def test_a_busy_worker_writes_rarely(storage, clock, monkeypatch):
    withdrawals = []
    take = storage.take_tokens

    def counted(*args, **options):
        withdrawals.append(1)
        return take(*args, **options)

    monkeypatch.setattr(storage, "take_tokens", counted)
    bucket = worker(storage, clock, burst=100_000)
    assert admitted(bucket, 2000) == 2000
    assert len(withdrawals) < 50


def test_refusals_are_answered_from_memory(storage, clock, monkeypatch):
    bucket = worker(storage, clock)
    admitted(bucket, 41)
    monkeypatch.setattr(storage, "take_tokens", None)
    assert admitted(bucket, 1000) == 0


def test_threads_of_one_worker_share_its_leases(storage, clock):
    bucket = worker(storage, clock)
    counts = []

    def attempt():
        counts.append(admitted(bucket, 10))

    threads = [threading.Thread(target=attempt) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(counts) == 40


def test_while_the_database_is_down_each_worker_keeps_the_measure(storage, clock, monkeypatch):
    def down(*_args, **_options):
        calls.append(1)
        raise Unavailable("down")

    calls = []
    bucket = worker(storage, clock)
    with monkeypatch.context() as patched:
        patched.setattr(storage, "take_tokens", down)
        assert admitted(bucket, 100) == 40
        assert len(calls) == 1
        clock.pass_seconds(0.5)
        assert admitted(bucket, 5) == 1
    clock.pass_seconds(16)
    assert admitted(bucket, 100) == 40


def test_the_state_of_an_address_is_readable(storage, clock):
    bucket = worker(storage, clock)
    assert bucket.get_window_stats(RATE, "a").remaining == 40
    admitted(bucket, 10)
    assert bucket.get_window_stats(RATE, "a").remaining == 30
    assert bucket.test(RATE, "a", cost=30)
    assert not bucket.test(RATE, "a", cost=31)


def test_a_clock_that_runs_backwards_adds_nothing():
    assert refilled(3.0, Bucket(40, 2.0), seconds=-1e9) == 3.0


def test_an_empty_bucket_gives_nothing_and_says_when():
    grant = withdraw(0.5, Bucket(40, 2.0), wanted=10)
    assert (grant.tokens, grant.left, grant.wait_seconds) == (0, 0.5, 0.25)
