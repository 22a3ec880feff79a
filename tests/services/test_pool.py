"""Who answers next: the healthy, always the same for one key; who fails is left alone for a while.

* One account alone is never held back, whatever it did.
* A limit benches for as long as the upstream says, a dead login and an outage for less; a client's
  own error benches nobody and lets nobody else try.
* Where limits are of one model, only that model is benched; a dead login, an unpaid bill and a
  server that is down bench the account.
* A bench only gets longer, until a call succeeds that began after it; every minute one call is let
  through to see, in its turn: never to a fallback while the model asked for is there.
* The benched are asked last, when everybody else has failed.
* Fallbacks are asked once each, and not at all from a provider's own address.
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
from airelays_app.services.pool import PROBE_SECONDS, Candidate, Fallbacks, Pool
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
    limits_per_model: bool = False


def limited(seconds):
    headers = {"Retry-After": str(seconds)} if seconds else {}
    return UpstreamRefused("used up", status=429, type="rate_limit_error", headers=headers)


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def make_pool(tmp_path, clock):
    def make(accounts=None, fallbacks=None, aliases=None, *, require_prefix=False):
        accounts = accounts or {"a": (Account("a"), Account("a", "two"), Account("a", "three"))}
        router = Router(
            {name: members[0] for name, members in accounts.items()},
            aliases=aliases or {},
            choose_default=lambda: "a",
            require_prefix=require_prefix,
        )
        database = Database(tmp_path / "state.sqlite3")
        return Pool(
            accounts,
            benches=Benches(database, clock=clock),
            router=router,
            fallbacks=Fallbacks.parse(fallbacks or {}, aliases or {}),
            clock=clock,
        )

    return make


@pytest.fixture
def pool(make_pool):
    return make_pool()


def route(pool, name="a", model="m"):
    return Route(pool._router.providers[name], model)


def names(candidates):
    return [each.route.provider.account for each in candidates]


def places(candidates):
    return [(each.route.provider.name, each.route.model) for each in candidates]


def account(name, *benches):
    return Candidate(Route(Account("a", name), "m"), benches)


def bench_of(pool, name="two"):
    [bench] = pool.health()["a", name]
    return bench


def test_one_account_alone_is_never_held_back(make_pool):
    pool = make_pool({"a": (Account("a"),)})
    assert pool.failed(Candidate(route(pool)), limited(1000))
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
    pool.failed(account("two"), limited(1000))
    after = {key: names(pool.candidates(route(pool), key))[0] for key in before}
    assert all(after[key] == before[key] for key in before if before[key] != "two")
    assert "two" not in after.values()
    assert names(pool.candidates(route(pool), None))[-1] == "two"


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (limited(1000), 1000),
        (limited(0), 300),
        (UpstreamLoginError("rejected"), 300),
        (UpstreamUnreachable("down"), 30),
        (UpstreamRefused("overloaded", status=529, type="x"), 30),
        (UpstreamRefused("pay", status=402, type="x"), 300),
        (UpstreamRefused("slow", status=408, type="x"), 30),
        (UpstreamRefused("used up", status=400, type="x", kind="limit"), 300),
    ],
)
def test_a_failure_benches_for_its_time(pool, clock, error, seconds):
    assert pool.failed(account("two"), error)
    bench = bench_of(pool)
    assert bench.until == clock.now + seconds
    clock.now += seconds + 1
    assert pool.health() == {}


@pytest.mark.parametrize(
    "error",
    [
        UpstreamRefused("too long", status=400, type="invalid_request_error"),
        UpstreamRefused("no such model", status=404, type="invalid_request_error"),
        UpstreamRefused("too much for a minute", status=429, type="x", kind="client"),
        BadRequest("malformed"),
    ],
)
def test_a_client_s_own_error_is_nobody_s_fault(pool, error):
    assert not pool.failed(account("two"), error)
    assert pool.health() == {}


def test_trouble_of_this_machine_benches_nobody_but_lets_others_try(pool):
    assert pool.failed(account("two"), Unavailable("locked"))
    assert pool.health() == {}


def test_a_short_failure_never_shortens_or_renames_a_long_bench(pool, clock):
    pool.failed(account("two"), limited(1000))
    pool.failed(account("two"), UpstreamUnreachable("down"))
    bench = bench_of(pool)
    assert (bench.kind, bench.until) == ("limit", clock.now + 1000)


def test_one_call_a_minute_is_let_through_and_a_success_ends_the_bench(pool, clock):
    pool.failed(account("two"), limited(100_000))
    assert names(pool.candidates(route(pool), None))[-1] == "two"
    clock.now += PROBE_SECONDS + 1
    probe = pool.candidates(route(pool), None)[0]
    assert names([probe]) == ["two"]
    assert names(pool.candidates(route(pool), None))[-1] == "two"
    pool.succeeded(probe)
    assert pool.health() == {}


def test_a_success_that_began_before_a_bench_does_not_end_it(pool, clock):
    early = account("two")
    pool.failed(account("two"), limited(100))
    pool.succeeded(early)
    assert ("a", "two") in pool.health()
    probe = account("two", bench_of(pool))
    pool.failed(account("two"), limited(1000))
    pool.succeeded(probe)
    assert bench_of(pool).until == clock.now + 1000


@pytest.fixture
def by_model(make_pool):
    """Return a pool of two accounts whose limits are of one model each."""
    return make_pool(
        {"a": tuple(Account("a", name, limits_per_model=True) for name in ("", "two"))}
    )


def of_model(pool, model, name="two"):
    """Return the account as it would be asked for a model."""
    found = pool.candidates(route(pool, model=model), None)
    return next(each for each in found if each.route.provider.account == name)


@pytest.mark.parametrize(
    "error", [limited(1000), UpstreamRefused("overloaded", status=529, type="x")]
)
def test_what_one_model_refuses_is_held_against_that_model_only(by_model, error):
    by_model.failed(of_model(by_model, "large"), error)

    assert names(by_model.candidates(route(by_model, model="large"), None)) == ["", "two"]
    firsts = {
        names(by_model.candidates(route(by_model, model="small"), None))[0] for _ in range(99)
    }
    assert firsts == {"", "two"}


@pytest.mark.parametrize(
    "error",
    [
        UpstreamLoginError("rejected"),
        UpstreamUnreachable("down"),
        UpstreamRefused("pay", status=402, type="x"),
        UpstreamRefused("wrong key", status=401, type="x"),
    ],
)
def test_what_is_wrong_with_the_account_is_held_against_all_its_models(by_model, error):
    by_model.failed(of_model(by_model, "large"), error)

    assert names(by_model.candidates(route(by_model, model="small"), None)) == ["", "two"]


def test_a_success_with_one_model_says_nothing_of_another(by_model):
    by_model.failed(of_model(by_model, "large"), limited(1000))
    by_model.failed(of_model(by_model, "small"), limited(1000))
    by_model.failed(of_model(by_model, "small"), UpstreamUnreachable("down"))

    by_model.succeeded(of_model(by_model, "small"))

    assert [bench.model for bench in by_model.health()["a", "two"]] == ["large"]


def test_a_model_is_tried_in_its_own_turn(by_model, clock):
    by_model.failed(of_model(by_model, "large"), limited(1000))
    clock.now += PROBE_SECONDS / 2
    by_model.failed(of_model(by_model, "small"), limited(1000))
    clock.now += PROBE_SECONDS / 2 + 1

    small = names(by_model.candidates(route(by_model, model="small"), None))
    large = names(by_model.candidates(route(by_model, model="large"), None))

    assert (small[0], large[0]) == ("", "two")


def test_a_bench_from_before_the_clock_was_set_back_is_tried_all_the_same(make_pool, clock):
    make_pool().failed(account("two"), limited(1000))
    clock.now -= 900
    pool = make_pool()
    assert names(pool.candidates(route(pool), None))[0] == "two"
    assert names(pool.candidates(route(pool), None))[-1] == "two"


def test_where_everybody_is_benched_all_are_asked_the_soonest_first(pool):
    for name, seconds in (("", 300), ("two", 100), ("three", 200)):
        pool.failed(account(name), limited(seconds))
    assert names(pool.candidates(route(pool), None)) == ["two", "three", ""]


def test_workers_share_benches_and_a_restart_keeps_them(make_pool, clock):
    first, second = make_pool(), make_pool()
    first.failed(account("two"), limited(1000))
    assert ("a", "two") in second.health()
    assert ("a", "two") in make_pool().health()


@pytest.fixture
def three():
    return {name: (Account(name),) for name in "abc"}


def test_fallbacks_come_behind_in_their_order(make_pool, three):
    pool = make_pool(three, {"m": "b/x, c/y", "*": "c/z"})
    assert places(pool.candidates(route(pool), None)) == [("a", "m"), ("b", "x"), ("c", "y")]
    assert places(pool.candidates(route(pool, "b", "x"), None)) == [("b", "x"), ("c", "z")]
    pool.failed(Candidate(route(pool)), limited(1000))
    found = places(pool.candidates(route(pool), None))
    assert found == [("b", "x"), ("c", "y"), ("a", "m")]


def test_nobody_is_asked_twice_for_the_same_model(make_pool, three):
    pool = make_pool(three, {"*": "c/z, m, c/z"})
    assert places(pool.candidates(route(pool), None)) == [("a", "m"), ("c", "z")]
    assert places(pool.candidates(route(pool, "c", "z"), None)) == [("c", "z"), ("a", "m")]


def test_a_fallback_may_be_written_by_alias_and_needs_no_prefix(make_pool, three):
    aliases = {"nick": "b/x"}
    pool = make_pool(three, {"nick": "bare"}, aliases, require_prefix=True)
    assert places(pool.candidates(route(pool, "b", "x"), None)) == [("b", "x"), ("a", "bare")]


def test_a_fallback_whose_turn_it_is_to_be_tried_waits_for_the_model_asked_for(
    make_pool, three, clock
):
    pool = make_pool(three, {"m": "b/x, c/y"})
    pool.failed(Candidate(route(pool, "b", "x")), limited(1000))
    clock.now += PROBE_SECONDS + 1
    assert places(pool.candidates(route(pool), None)) == [("a", "m"), ("c", "y"), ("b", "x")]
    pool.failed(Candidate(route(pool)), limited(1000))
    found = places(pool.candidates(route(pool), None))
    assert found == [("b", "x"), ("c", "y"), ("a", "m")]


def test_a_pinned_route_falls_back_at_its_own_provider_only(make_pool, three):
    pool = make_pool(three, {"m": "b/x, a/small"})
    pinned = Route(three["a"][0], "m", pinned=True)
    assert places(pool.candidates(pinned, None)) == [("a", "m"), ("a", "small")]
