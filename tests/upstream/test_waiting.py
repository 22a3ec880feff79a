"""A sleep ends early, with ClientGone, as soon as the client hangs up."""

import threading
import time

import pytest

from airelays_app.errors import ClientGone
from airelays_app.upstream.waiting import sleep_watching


@pytest.mark.parametrize("with_client", [True, False])
def test_the_sleep_lasts_as_long_as_asked(watched, with_client):
    began = time.monotonic()
    sleep_watching(0.05, watched[0] if with_client else None)
    assert time.monotonic() - began >= 0.05


def test_a_client_that_leaves_ends_it(watched):
    ours, theirs = watched
    leaving = threading.Timer(0.05, theirs.close)
    leaving.start()
    began = time.monotonic()
    with pytest.raises(ClientGone):
        sleep_watching(60, ours)
    assert time.monotonic() - began < 30
    leaving.join()


def test_a_client_that_is_only_silent_or_talking_stays(watched):
    ours, theirs = watched
    theirs.sendall(b"more")
    sleep_watching(0.02, ours)


def test_a_connection_of_ours_that_is_closed_counts_as_left(watched):
    watched[0].close()
    with pytest.raises(ClientGone):
        sleep_watching(60, watched[0])
