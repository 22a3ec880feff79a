"""The list of all models never waits long for anybody but the default provider.

* All are asked at once, the first time; one that takes its time is listed as soon as it has
  answered.
* One that has failed is asked again behind the list, not before it.
* An old list is served while a new one is fetched, by one thread at a time.
"""

import threading
from dataclasses import dataclass

import pytest

from airelays_app.errors import UpstreamError
from airelays_app.providers.base import Model
from airelays_app.services import catalog as module
from airelays_app.services.catalog import FAILURE_SECONDS, Catalog
from airelays_app.services.routing import Router

PATIENCE = 30.0


@dataclass(frozen=True)
class Server:
    name: str


class HandClock:
    now = 0.0

    def __call__(self):
        return self.now


class Upstreams:
    """Every provider has one model of its own name, and ``further`` ones.

    ``hung`` ones answer once ``let_go``.
    """

    def __init__(self):
        self.hung = set()
        self.down = set()
        self.further = []
        self.let_go = threading.Event()
        self.asked = []
        self.answered = threading.Semaphore(0)

    def fetch(self, provider):
        self.asked.append(provider.name)
        try:
            if provider.name in self.hung:
                assert self.let_go.wait(PATIENCE)
            if provider.name in self.down:
                raise UpstreamError("down")
            return [*self.further, Model(f"model-of-{provider.name}")]
        finally:
            self.answered.release()

    def await_answers(self, count):
        for _ in range(count):
            assert self.answered.acquire(timeout=PATIENCE)


@pytest.fixture
def upstreams():
    found = Upstreams()
    yield found
    found.let_go.set()


@pytest.fixture
def clock():
    return HandClock()


def catalog_of(upstreams, clock, *, patience, aliases=None):
    providers = {name: Server(name) for name in "abc"}
    router = Router(providers, aliases=aliases or {}, choose_default=lambda: "a")
    return Catalog(router, upstreams.fetch, ttl=300, clock=clock, patience=patience)


@pytest.fixture
def catalog(upstreams, clock):
    return catalog_of(upstreams, clock, patience=PATIENCE)


def ids(catalog):
    return [listed.id for listed in catalog.listed()]


def await_ids(catalog, expected):
    """Ask until what was fetched behind the list is in it."""
    for _ in range(500):
        if ids(catalog) == expected:
            return
        threading.Event().wait(0.01)
    pytest.fail(f"{ids(catalog)} is not {expected}")


ALL = ["model-of-a", "b/model-of-b", "c/model-of-c"]


def test_all_are_listed_at_the_first_time(catalog):
    assert ids(catalog) == ALL


def test_one_that_hangs_is_left_out_until_it_has_answered(upstreams, clock):
    upstreams.hung.add("b")
    catalog = catalog_of(upstreams, clock, patience=0.01)
    await_ids(catalog, ["model-of-a", "c/model-of-c"])
    assert upstreams.asked.count("b") == 1
    upstreams.let_go.set()
    await_ids(catalog, ALL)


def test_one_that_is_down_is_asked_again_behind_the_list(catalog, upstreams, clock):
    upstreams.down.add("b")
    assert ids(catalog) == ["model-of-a", "c/model-of-c"]
    upstreams.await_answers(3)
    assert ids(catalog) == ["model-of-a", "c/model-of-c"]
    assert upstreams.asked.count("b") == 1
    upstreams.down.clear()
    upstreams.hung.add("b")
    clock.now += FAILURE_SECONDS
    assert ids(catalog) == ["model-of-a", "c/model-of-c"]
    upstreams.let_go.set()
    await_ids(catalog, ALL)


def test_the_default_one_is_waited_for_and_its_failure_is_told(catalog, upstreams):
    upstreams.down.add("a")
    with pytest.raises(UpstreamError):
        catalog.listed()


def test_a_remembered_failure_keeps_no_frames_of_whom_it_was_told_before(catalog, upstreams):
    upstreams.down.add("a")

    def frames():
        with pytest.raises(UpstreamError) as raised:
            catalog.listed()
        return len(raised.traceback)

    first = frames()
    assert [frames(), frames()] == [first, first]
    assert upstreams.asked.count("a") == 1


def test_an_old_list_is_served_while_a_new_one_is_fetched(catalog, upstreams, clock):
    assert ids(catalog) == ALL
    upstreams.hung |= {"a", "b"}
    clock.now += 300
    assert ids(catalog) == ALL
    assert ids(catalog) == ALL
    upstreams.await_answers(4)
    assert sorted(upstreams.asked) == ["a", "a", "b", "b", "c", "c"]


def test_an_alias_is_listed_whichever_way_it_names_its_model(upstreams, clock):
    names = {"x": "model-of-a", "y": "a/model-of-a", "z": "b/model-of-b", "none": "b/other"}
    catalog = catalog_of(upstreams, clock, patience=PATIENCE, aliases=names)
    assert ids(catalog) == [*ALL, "x", "y", "z"]


def test_every_listed_name_leads_to_its_model(upstreams, clock):
    """OpenRouter has models of its own, and of vendors that may be providers here too."""
    upstreams.further = [Model("a/auto"), Model("b/auto"), Model("z/auto"), Model("a/b/auto")]
    catalog = catalog_of(upstreams, clock, patience=PATIENCE)
    router = Router({name: Server(name) for name in "abc"}, aliases={}, choose_default=lambda: "a")

    for scope in (None, "a", "b"):
        listed = catalog.listed(scope)
        names = [each.id for each in listed]
        assert len(names) == len(set(names))
        for each in listed:
            route = router.route(each.id, scope=scope)
            assert (route.provider.name, route.model) == (each.provider, each.model.id)
    assert "z/auto" in [each.id for each in catalog.listed()]


def test_a_bare_name_that_several_have_is_the_first_one_s(upstreams, clock):
    upstreams.further = [Model("everybody-s")]
    catalog = catalog_of(upstreams, clock, patience=PATIENCE)
    catalog.listed()
    assert catalog.owner_of("everybody-s") is None, "the default provider's"
    assert catalog.owner_of("model-of-c") == "c"
    upstreams.further = []
    router = Router({name: Server(name) for name in "acb"}, aliases={}, choose_default=lambda: "a")
    fetched = {"a": [], "b": [Model("m")], "c": [Model("m")]}
    of_two = Catalog(router, lambda each: fetched[each.name], ttl=300, clock=clock)
    of_two.listed()
    assert of_two.owner_of("m") == "c", "in the order of the settings"


def test_where_no_thread_is_left_somebody_refreshes_later(catalog, upstreams, clock, monkeypatch):
    assert ids(catalog) == ALL
    clock.now += 300
    with monkeypatch.context() as without_threads:
        without_threads.setattr(module.threading, "Thread", _no_thread)
        assert ids(catalog) == ALL
    upstreams.await_answers(3)
    assert ids(catalog) == ALL
    upstreams.await_answers(3)


def _no_thread(**_):
    raise RuntimeError("can't start new thread")
