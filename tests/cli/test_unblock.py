"""``unblock`` ends the blocks that a running server sees, of one address or of all."""

from contextlib import closing

import pytest

from airelays_app.store.database import Database
from airelays_app.store.lockouts import LockoutRule, Lockouts
from airelays_app.store.steady_clock import SteadyClock


@pytest.fixture
def lockouts(command):
    with closing(Database(command.home / ".airelays/state.sqlite3")) as database:
        found = Lockouts(database, clock=SteadyClock(database), rule=LockoutRule())
        for address in ("192.168.1.5", "::1"):
            found.start(address, "direct")
        yield found


def test_one_address(command, lockouts):
    assert command.json("unblock", "192.168.1.5") == {"unblocked": ["192.168.1.5"]}
    assert [lockout.address for lockout in lockouts.list()] == ["::1"]


def test_every_address(command, lockouts):
    assert command.json("unblock") == {"unblocked": ["192.168.1.5", "::1"]}
    assert lockouts.list() == ()


@pytest.mark.parametrize("spelling", ["[::1]", "0:0:0:0:0:0:0:1"])
def test_an_address_counts_however_it_is_spelled(command, lockouts, spelling):
    assert command.json("unblock", spelling) == {"unblocked": ["::1"]}


def test_nothing_to_do(command):
    assert command.json("unblock") == {"unblocked": []}
    assert not (command.home / ".airelays").exists()


def test_something_that_is_no_address(command):
    assert command.run("unblock", "laptop").exit_code == 2
