"""The bytes of all bodies together stay below a bound; one body alone is never refused by it."""

import pytest

from airelays_app.errors import Unavailable
from airelays_app.web.inflight import InflightBytes


def test_a_body_alone_may_be_of_any_size():
    with InflightBytes(10).held(50) as hold:
        hold.add(50)


def test_a_second_one_finds_only_what_the_first_has_left():
    inflight = InflightBytes(10)
    with inflight.held(6):
        with pytest.raises(Unavailable), inflight.held(5):
            pass
        with inflight.held(4):
            pass


def test_a_body_that_grows_counts_as_it_grows():
    inflight = InflightBytes(10)
    with inflight.held(0) as growing, inflight.held(4):
        growing.add(6)
        with pytest.raises(Unavailable) as refusal:
            growing.add(1)
        assert refusal.value.headers["Retry-After"] == "1"
        with pytest.raises(Unavailable), inflight.held(1):
            pass


def test_everything_is_given_back_whatever_happens():
    inflight = InflightBytes(10)
    with pytest.raises(Unavailable), inflight.held(3) as hold, inflight.held(3):
        hold.add(5)
    with inflight.held(1), inflight.held(9):
        pass
