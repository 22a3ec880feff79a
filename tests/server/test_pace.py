"""Rules of taking connections: each worker its share of a burst, and nobody waits for long."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.server.pace import Pace


def test_a_worker_gives_way_for_a_moment_after_a_connection():
    pace = Pace(has_siblings=True)
    assert pace.pause(10.0) == 0
    pace.note_taken(1, 10.0)
    assert 0 < pace.pause(10.0) < 0.01
    assert pace.pause(10.01) == 0


def test_a_worker_without_siblings_does_not():
    pace = Pace(has_siblings=False)
    pace.note_taken(1, 10.0)
    assert pace.pause(10.0) == 0


def test_finding_nothing_is_no_reason_to_wait():
    pace = Pace(has_siblings=True)
    pace.note_taken(0, 10.0)
    assert pace.pause(10.0) == 0


def test_a_longer_rest_is_not_cut_short_by_giving_way():
    pace = Pace(has_siblings=True)
    pace.rest(0.5, 10.0)
    pace.note_taken(1, 10.0)
    assert pace.pause(10.0) == 0.5


@given(st.floats(0, 0.002), st.lists(st.integers(0, 3), min_size=1, max_size=20))
def test_whoever_may_not_take_one_knows_when(step, taken):
    """A loop that waits as long as it may not accept wakes when it may, not a beat later."""
    pace, now = Pace(has_siblings=True), 10.0
    for count in taken:
        pace.note_taken(min(count, pace.share), now)
        while pause := pace.pause(now):
            assert pause < 0.01
            now += max(pause, step)


@pytest.mark.parametrize("waiting", [2, 16, 1000])
def test_two_workers_that_are_awake_share_a_burst(waiting):
    workers = deque((Pace(has_siblings=True), Pace(has_siblings=True)))
    taken = dict.fromkeys(workers, 0)
    rounds = 0
    while waiting:
        pace = workers[0]
        count = min(waiting, pace.share)
        pace.note_taken(count, 10.0)
        taken[pace] += count
        waiting -= count
        workers.rotate()
        rounds += 1
    more, fewer = sorted(taken.values(), reverse=True)
    assert fewer >= more / 2
    assert rounds <= 64


def test_what_piles_up_while_the_siblings_are_asleep_is_taken_in_ever_larger_shares():
    pace, waiting, rounds = Pace(has_siblings=True), 500, 0
    while waiting:
        count = min(waiting, pace.share)
        pace.note_taken(count, 10.0)
        waiting -= count
        rounds += 1
    assert rounds < 40
    pace.note_taken(0, 10.0)
    assert pace.share == 1
