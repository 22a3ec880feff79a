"""Who answers next: the healthy, always the same for one key; who fails is left alone for a while.

* One account alone is never held back, whatever it did.
* A limit benches for as long as the upstream says, a dead login and an outage for less; a client's
  own error benches nobody and lets nobody else try.
* A bench only gets longer, until a call succeeds; every minute one call is let through to see.
* Workers share benches, and a restart keeps them.
"""

from dataclasses import dataclass

import pytest

from airelays_app.errors import (
    BadRequest,
    Unavailable,
    UpstreamLoginError,
    UpstreamRefused,
    UpstreamUnreachable,
)
from airelays_app.services.pool import PROBE_SECONDS, Fallbacks, Pool
from airelays_app.services.routing import Route, Router
from airelays_app.store.benches import Benches
from airelays_app.store.database import Database


class HandClock:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


@dataclass(frozen=True)
class Account:
    name: str
    account: str = ""


def limited(seconds):
    headers = {"Retry-After": str(seconds)} if seconds else {}
    return UpstreamRefused("used up", status=429, type="rate_limit_error", headers=headers)


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def make_pool(tmp_path, clock):
    def make(accounts=None, fallbacks=None):
        accounts = accounts or {"a": (Account("a"), Account("a", "two"), Account("a", "three"))}
        router = Router(
            {name: members[0] for name, members in accounts.items()},
            aliases={},
            choose_default=lambda: "a",
        )
        database = Database(tmp_path / "state.sqlite3")
        return Pool(
            accounts,
            benches=Benches(database, clock=clock),
            router=router,
            fallbacks=Fallbacks.parse(fallbacks or {}),
            clock=clock,
        )

    return make


@pytest.fixture
def pool(make_pool):
    return make_pool()


def route(pool, name="a", model="m"):
    return Route(pool._router.providers[name], model)


def names(routes):
    return [each.provider.account for each in routes]


def test_one_account_alone_is_never_held_back(make_pool):
    pool = make_pool({"a": (Account("a"),)})
    assert pool.failed(route(pool), limited(1000))
    assert names(pool.candidates(route(pool), None)) == [""]
    assert pool.health() == {}


def test_all_accounts_are_asked_in_some_order(pool):
    orders = {tuple(names(pool.candidates(route(pool), None))) for _ in range(200)}
    assert {frozenset(order) for order in orders} == {frozenset({"", "two", "three"})}
    assert {order[0] for order in orders} == {"", "two", "three"}


def test_a_key_stays_with_its_account_and_keys_are_spread(pool):
    first = {key: names(pool.candidates(route(pool), key))[0] for key in map(str, range(60))}
    again = {key: names(pool.candidates(route(pool), key))[0] for key in first}
    assert first == again
    assert set(first.values()) == {"", "two", "three"}


def test_losing_an_account_moves_only_its_own_keys(pool, clock):
    before = {key: names(pool.candidates(route(pool), key))[0] for key in map(str, range(60))}
    pool.failed(Route(Account("a", "two"), "m"), limited(1000))
    after = {key: names(pool.candidates(route(pool), key))[0] for key in before}
    assert all(after[key] == before[key] for key in before if before[key] != "two")
    assert "two" not in after.values()


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (limited(1000), 1000),
        (limited(0), 300),
        (UpstreamLoginError("rejected"), 300),
        (UpstreamUnreachable("down"), 30),
        (UpstreamRefused("overloaded", status=529, type="x"), 30),
        (UpstreamRefused("pay", status=402, type="x"), 300),
    ],
)
def test_a_failure_benches_for_its_time(pool, clock, error, seconds):
    assert pool.failed(Route(Account("a", "two"), "m"), error)
    bench = pool.health()["a", "two"]
    assert bench.until == clock.now + seconds
    clock.now += seconds + 1
    assert pool.health() == {}


@pytest.mark.parametrize(
    "error",
    [
        UpstreamRefused("too long", status=400, type="invalid_request_error"),
        UpstreamRefused("no such model", status=404, type="invalid_request_error"),
        BadRequest("malformed"),
    ],
)
def test_a_client_s_own_error_is_nobody_s_fault(pool, error):
    assert not pool.failed(Route(Account("a", "two"), "m"), error)
    assert pool.health() == {}


def test_trouble_of_this_machine_benches_nobody_but_lets_others_try(pool):
    assert pool.failed(Route(Account("a", "two"), "m"), Unavailable("locked"))
    assert pool.health() == {}


def test_a_short_failure_never_shortens_or_renames_a_long_bench(pool, clock):
    two = Route(Account("a", "two"), "m")
    pool.failed(two, limited(1000))
    pool.failed(two, UpstreamUnreachable("down"))
    bench = pool.health()["a", "two"]
    assert (bench.kind, bench.until) == ("limit", clock.now + 1000)


def test_one_call_a_minute_is_let_through_and_a_success_ends_the_bench(pool, clock):
    two = Route(Account("a", "two"), "m")
    pool.failed(two, limited(100_000))
    assert "two" not in names(pool.candidates(route(pool), None))
    clock.now += PROBE_SECONDS + 1
    assert names(pool.candidates(route(pool), None))[0] == "two"
    assert "two" not in names(pool.candidates(route(pool), None))
    pool.succeeded(two)
    assert pool.health() == {}
    assert len(pool.candidates(route(pool), None)) == 3


def test_where_everybody_is_benched_all_are_asked_the_soonest_first(pool):
    for account, seconds in (("", 300), ("two", 100), ("three", 200)):
        pool.failed(Route(Account("a", account), "m"), limited(seconds))
    assert names(pool.candidates(route(pool), None)) == ["two", "three", ""]


def test_workers_share_benches_and_a_restart_keeps_them(make_pool, clock):
    first, second = make_pool(), make_pool()
    first.failed(Route(Account("a", "two"), "m"), limited(1000))
    assert ("a", "two") in second.health()
    assert ("a", "two") in make_pool().health()


def test_fallbacks_come_behind_in_their_order(make_pool):
    accounts = {"a": (Account("a"),), "b": (Account("b"),), "c": (Account("c"),)}
    pool = make_pool(accounts, {"m": "b/x, c/y", "*": "c/z"})
    found = [(each.provider.name, each.model) for each in pool.candidates(route(pool), None)]
    assert found == [("a", "m"), ("b", "x"), ("c", "y")]
    found = [(r.provider.name, r.model) for r in pool.candidates(route(pool, "b", "x"), None)]
    assert found == [("b", "x"), ("c", "z")]
    pool.failed(route(pool), limited(1000))
    assert pool.candidates(route(pool), None)[0].provider.name == "b"
