"""Blocked addresses and the credentials known to work from them.

* A right credential never used from a blocked address waits; one used there within the known
  time passes, whatever happens to that address.
* Blocks and knowledge are kept across restarts and shared; a block ends after its time.
* However many guesses come at once, a right one among them is let in only before the tries are
  used up.
* What a web page did to its visitor's address binds pages only.
"""

import sqlite3
import threading
from contextlib import closing

import pytest

from airelays_app.errors import Unavailable
from airelays_app.store.lockouts import LockoutRule, Lockouts
from tests.store.limits_kit import HandClock, database_in, flask_limiter_on

RULE = LockoutRule()
LAN = "192.168.1.7"


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def database(tmp_path):
    with database_in(tmp_path, busy_seconds=0.2) as database:
        yield database


@pytest.fixture
def lockouts(database, clock):
    return Lockouts(database, clock=clock, rule=RULE)


def test_a_block_lasts_its_time_and_no_longer(lockouts, clock):
    assert lockouts.seconds_blocked(LAN) == 0.0
    assert lockouts.start(LAN, "direct") == 900
    clock.pass_seconds(899)
    assert lockouts.seconds_blocked(LAN) == pytest.approx(1)
    assert lockouts.seconds_blocked("192.168.1.8") == 0.0
    clock.pass_seconds(1)
    assert lockouts.seconds_blocked(LAN) == 0.0


def test_a_block_that_holds_is_not_made_longer(lockouts, clock):
    lockouts.start(LAN, "direct")
    clock.pass_seconds(600)
    assert lockouts.start(LAN, "direct") == pytest.approx(300)


def test_an_unknown_right_credential_waits_and_a_known_one_passes(lockouts):
    assert lockouts.admit(LAN, "old") == 0.0
    lockouts.start(LAN, "direct")
    assert lockouts.admit(LAN, "new") == 900
    assert lockouts.admit(LAN, "old") == 0.0
    assert lockouts.admit("192.168.1.8", "new") == 0.0


def test_knowledge_is_shared_and_kept_across_restarts(tmp_path, clock):
    with database_in(tmp_path) as database:
        Lockouts(database, clock=clock, rule=RULE).admit(LAN, "old")
        Lockouts(database, clock=clock, rule=RULE).start(LAN, "direct")
    with database_in(tmp_path) as database:
        restarted = Lockouts(database, clock=clock, rule=RULE)
        assert restarted.admit(LAN, "old") == 0.0
        assert restarted.admit(LAN, "new") == 900


def test_knowledge_ends_a_day_after_the_last_use(lockouts, database, clock):
    lockouts.admit(LAN, "old")
    clock.pass_seconds(86000)
    lockouts.admit(LAN, "old")
    clock.pass_seconds(86399)
    lockouts.start(LAN, "direct")
    assert lockouts.admit(LAN, "old") == 0.0
    clock.pass_seconds(86400)
    lockouts.start(LAN, "direct")
    assert Lockouts(database, clock=clock, rule=RULE).admit(LAN, "old") == 900
    assert lockouts.admit(LAN, "old") == 900


def test_a_window_used_up_holds_before_the_block_is_written(lockouts, database, clock):
    strategy = flask_limiter_on(database, clock).limiter
    for _ in range(8):
        strategy.hit(RULE.counter(), LAN, "direct")
    assert lockouts.failures(LAN) == 8
    assert lockouts.admit(LAN, "right") == 900
    lockouts.start(LAN, "direct")
    assert not strategy.hit(RULE.counter(), LAN, "direct")
    assert lockouts.admit(LAN, "right") == 900


def test_failures_stop_counting_with_a_block_that_is_shorter_than_the_window(database, clock):
    rule = LockoutRule(block_seconds=60)
    lockouts = Lockouts(database, clock=clock, rule=rule)
    strategy = flask_limiter_on(database, clock).limiter
    for _ in range(8):
        strategy.hit(rule.counter(), LAN, "direct")
    assert lockouts.start(LAN, "direct") == 60
    clock.pass_seconds(60)
    assert lockouts.seconds_blocked(LAN) == 0.0
    assert sum(strategy.hit(rule.counter(), LAN, "direct") for _ in range(20)) == 8


def test_a_right_guess_among_many_is_let_in_only_while_tries_are_left(lockouts, database, clock):
    """Each round: 16 wrong guesses and a right one at once; count what went before the right."""
    strategy = flask_limiter_on(database, clock).limiter
    for round_number in range(5):
        address, together = f"10.0.0.{round_number}", threading.Barrier(17)
        outcome = {}

        def wrong(address=address, together=together):
            together.wait(30)
            strategy.hit(RULE.counter(), address, "direct")

        def right(address=address, together=together, outcome=outcome):
            together.wait(30)
            outcome["waits"] = lockouts.admit(address, "right")

        threads = [threading.Thread(target=wrong) for _ in range(16)]
        threads.append(threading.Thread(target=right))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert outcome["waits"] in (0.0, 900.0)
        assert lockouts.failures(address) == 8
        assert lockouts.admit(address, "another right one") == 900


def test_a_block_of_pages_binds_pages_only(lockouts):
    lockouts.start("127.0.0.1", "page")
    assert lockouts.seconds_blocked("127.0.0.1", "page") == 900
    assert lockouts.seconds_blocked("127.0.0.1") == 0.0
    assert lockouts.admit("127.0.0.1", "new", "page") == 900
    assert lockouts.admit("127.0.0.1", "new") == 0.0


def test_a_direct_block_binds_pages_too(lockouts):
    lockouts.start(LAN, "direct")
    assert lockouts.admit(LAN, "new", "page") == 900


def test_the_list_names_blocked_addresses_and_clearing_ends_them(lockouts, database, clock):
    strategy = flask_limiter_on(database, clock).limiter
    for address in (LAN, "192.168.1.70"):
        strategy.hit(RULE.counter(), address, "direct")
        lockouts.start(address, "page")
    clock.pass_seconds(100)
    assert [(entry.address, entry.seconds_left) for entry in lockouts.list()] == [
        (LAN, 800),
        ("192.168.1.70", 800),
    ]
    assert lockouts.totals().blocked == 2
    assert lockouts.clear(LAN) == 1
    assert lockouts.failures(LAN) == 0
    assert lockouts.failures("192.168.1.70") == 1
    assert [entry.address for entry in lockouts.list()] == ["192.168.1.70"]
    assert lockouts.clear() == 1
    assert lockouts.failures("192.168.1.70") == 0
    assert lockouts.clear() == 0


def test_a_known_credential_costs_no_database_access(lockouts, database, clock, monkeypatch):
    lockouts.admit(LAN, "old")

    def refuse():
        raise AssertionError("the database was asked")

    monkeypatch.setattr(database, "writing", refuse)
    monkeypatch.setattr(database, "reading", refuse)
    clock.pass_seconds(599)
    assert lockouts.admit(LAN, "old") == 0.0


def test_while_the_database_is_down_what_this_process_remembers_passes(lockouts, database, clock):
    lockouts.admit(LAN, "old")
    database.close()
    path = database._path
    path.unlink()
    path.mkdir()
    clock.pass_seconds(3600)
    assert lockouts.admit(LAN, "old") == 0.0
    with pytest.raises(Unavailable):
        lockouts.admit(LAN, "new")
    with pytest.raises(Unavailable):
        lockouts.seconds_blocked(LAN)
    clock.pass_seconds(86400)
    with pytest.raises(Unavailable):
        lockouts.admit(LAN, "old")


def test_while_the_database_cannot_be_written_who_is_known_there_passes(
    lockouts, database, clock, tmp_path
):
    """Also in a worker that has just started."""
    lockouts.admit(LAN, "old")
    clock.pass_seconds(3600)
    started = Lockouts(database, clock=clock, rule=RULE)
    with closing(sqlite3.connect(tmp_path / "state.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert started.admit(LAN, "old") == 0.0
        with pytest.raises(Unavailable):
            started.admit(LAN, "new")
        clock.pass_seconds(86400)
        with pytest.raises(Unavailable):
            started.admit(LAN, "old")


def test_uses_are_forgotten_once_they_mean_nothing(lockouts, database, clock):
    for number in range(20):
        lockouts.admit(f"10.0.0.{number}", "old")
    assert lockouts.totals().tracked == 20
    clock.pass_seconds(86400)
    lockouts.admit(LAN, "old")
    with database.reading() as connection:
        assert connection.execute("SELECT COUNT(*) FROM known_credentials").fetchone()[0] == 1
