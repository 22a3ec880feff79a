"""Counts in the relay's database, through the real flask-limiter.

* A moving window admits exactly its limit, over threads, processes and restarts.
* An entry stops counting when it is as old as the window.
* A clock that is set back or forward during one boot moves nothing; over a reboot time never
  runs backwards.
* A storage that is down says so with Unavailable.
"""

import multiprocessing
import sqlite3
import threading
from contextlib import closing

import pytest
from limits import RateLimitItemPerSecond

from airelays_app.errors import Unavailable
from airelays_app.store.limit_storage import SqliteLimitStorage
from airelays_app.store.steady_clock import SteadyClock
from airelays_app.store.token_bucket import Bucket
from tests.store.limits_kit import HandClock, database_in, flask_limiter_on

EIGHT = RateLimitItemPerSecond(8, 300, "failed-auth")


@pytest.fixture
def database(tmp_path):
    with database_in(tmp_path) as database:
        yield database


def test_flask_limiter_uses_the_storage_by_its_scheme(database):
    limiter = flask_limiter_on(database, HandClock())
    assert isinstance(limiter.storage, SqliteLimitStorage)
    assert limiter.storage.check()


def test_a_moving_window_admits_its_limit_and_frees_the_oldest(database):
    clock = HandClock()
    strategy = flask_limiter_on(database, clock).limiter
    assert strategy.hit(EIGHT, "10.0.0.1")
    clock.pass_seconds(100)
    assert all(strategy.hit(EIGHT, "10.0.0.1") for _ in range(7))
    assert not strategy.hit(EIGHT, "10.0.0.1")
    assert strategy.get_window_stats(EIGHT, "10.0.0.1").remaining == 0
    assert strategy.hit(EIGHT, "10.0.0.2")
    clock.pass_seconds(199.9)
    assert not strategy.hit(EIGHT, "10.0.0.1")
    clock.pass_seconds(0.2)
    assert strategy.hit(EIGHT, "10.0.0.1")
    assert not strategy.hit(EIGHT, "10.0.0.1")


def test_a_hit_that_does_not_fit_counts_nothing(database):
    strategy = flask_limiter_on(database, HandClock()).limiter
    assert not strategy.hit(EIGHT, "a", cost=9)
    assert strategy.hit(EIGHT, "a", cost=8)


def test_counts_outlive_a_restart(tmp_path):
    clock = HandClock()
    with database_in(tmp_path) as database:
        strategy = flask_limiter_on(database, clock).limiter
        assert all(strategy.hit(EIGHT, "a") for _ in range(8))
    with database_in(tmp_path) as database:
        assert not flask_limiter_on(database, clock).limiter.hit(EIGHT, "a")


def test_threads_that_hit_at_once_get_the_limit_and_no_more(database):
    strategy = flask_limiter_on(database, HandClock()).limiter
    together = threading.Barrier(24)
    admitted = []

    def attempt():
        together.wait(30)
        admitted.append(strategy.hit(EIGHT, "a"))

    threads = [threading.Thread(target=attempt) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert admitted.count(True) == 8
    assert len(admitted) == 24


def _hit_often(directory, barrier, results):
    with database_in(directory, busy_seconds=30) as database:
        strategy = flask_limiter_on(database, SteadyClock(database)).limiter
        barrier.wait(60)
        results.put(sum(strategy.hit(EIGHT, "a") for _ in range(10)))


def test_processes_share_one_window(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    barrier, results = spawn.Barrier(2), spawn.Queue()
    workers = [
        spawn.Process(target=_hit_often, args=(tmp_path, barrier, results)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    assert sum(results.get(timeout=60) for _ in workers) == 8
    for worker in workers:
        worker.join(60)


def test_fixed_counters_expire_and_can_be_cleared(database):
    clock = HandClock()
    storage = flask_limiter_on(database, clock).storage
    assert [storage.incr("k", 10), storage.incr("k", 10, 3)] == [1, 4]
    assert (storage.get("k"), storage.get_expiry("k")) == (4, clock.now + 10)
    clock.pass_seconds(10)
    assert storage.get("k") == 0
    assert storage.incr("k", 10) == 1
    storage.clear("k")
    assert storage.get("k") == 0
    storage.incr("k", 10)
    assert storage.reset() == 1


def test_nothing_is_kept_of_what_no_longer_counts(database):
    clock = HandClock()
    storage = flask_limiter_on(database, clock).storage
    for number in range(50):
        storage.acquire_entry(f"entry-{number}", 8, 300)
        storage.take_tokens(f"bucket-{number}", Bucket(40, 2.0), wanted=1, returned=0)
    clock.pass_seconds(301)
    storage.acquire_entry("last", 8, 300)
    for _ in range(256):
        storage.take_tokens("last", Bucket(40, 2.0), wanted=1, returned=1)
    with database.reading() as connection:
        for table in ("limit_entries", "limit_buckets"):
            assert connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] == 1


def test_a_damaged_database_is_unavailable_and_not_healthy(tmp_path):
    (tmp_path / "state.sqlite3").write_bytes(b"not a database" * 1000)
    with database_in(tmp_path) as database:
        storage = flask_limiter_on(database, HandClock()).storage
        assert not storage.check()
        with pytest.raises(Unavailable):
            storage.acquire_entry("a", 8, 300)


def test_a_locked_database_is_unavailable(tmp_path):
    with database_in(tmp_path, busy_seconds=0.05) as database:
        storage = flask_limiter_on(database, HandClock()).storage
        storage.acquire_entry("a", 8, 300)
        other = sqlite3.connect(tmp_path / "state.sqlite3", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable):
            storage.acquire_entry("a", 8, 300)
        other.execute("ROLLBACK")
        other.close()
        assert storage.acquire_entry("a", 8, 300)


class Machine:
    """A kernel's counter, a boot name and a wall clock, each to be set."""

    def __init__(self, *, wall, since_boot=100.0, boot="first"):
        self.wall, self.since_boot, self.boot = wall, since_boot, boot

    def clock(self, database):
        return SteadyClock(
            database,
            since_boot=lambda: self.since_boot,
            boot=lambda: self.boot,
            wall=lambda: self.wall,
        )


def test_wall_clock_jumps_move_nothing_within_one_boot(database):
    machine = Machine(wall=1_700_000_000.0)
    clock = machine.clock(database)
    start = clock()
    assert start == pytest.approx(1_700_000_000.0)
    for jump in (-86400.0, 86400.0 * 365):
        machine.wall += jump
        machine.since_boot += 5
        assert machine.clock(database)() == clock()
    assert clock() == pytest.approx(start + 10)


def test_a_process_that_starts_while_the_database_is_locked_has_the_time(tmp_path):
    machine = Machine(wall=1_700_000_000.0)
    with database_in(tmp_path, busy_seconds=0.05) as database:
        start = machine.clock(database)()
        with closing(sqlite3.connect(tmp_path / "state.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert machine.clock(database)() == start


def test_a_boot_without_a_clock_continues_from_the_latest_recorded_moment(database):
    machine = Machine(wall=1_700_000_000.0)
    storage = flask_limiter_on(database, machine.clock(database)).storage
    storage.acquire_entry("a", 8, 300)
    rebooted = Machine(wall=60.0, since_boot=20.0, boot="second").clock(database)
    assert rebooted() == pytest.approx(1_700_000_000.0)


def test_a_later_boot_asks_the_wall_clock(database):
    Machine(wall=1_700_000_000.0).clock(database)()
    rebooted = Machine(wall=1_700_009_000.0, since_boot=20.0, boot="second").clock(database)
    assert rebooted() == pytest.approx(1_700_009_000.0)


def test_a_reboot_is_noticed_where_the_boot_has_no_name(database):
    machine = Machine(wall=1_700_000_000.0, since_boot=90_000.0, boot="?")
    storage = flask_limiter_on(database, machine.clock(database)).storage
    storage.acquire_entry("a", 8, 300)
    machine.since_boot += 5
    assert machine.clock(database)() == pytest.approx(1_700_000_005.0)
    rebooted = Machine(wall=1_700_009_000.0, since_boot=20.0, boot="?")
    assert rebooted.clock(database)() == pytest.approx(1_700_009_000.0)


def test_the_kernel_names_the_boot_and_counts(database):
    clock = SteadyClock(database)
    assert clock() <= clock()
