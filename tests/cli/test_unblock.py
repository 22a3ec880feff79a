"""``unblock`` ends the blocks that a running server sees, of one address or of all."""

from contextlib import closing

import pytest

from airelays_app.store.database import Database
from airelays_app.store.lockouts import LockoutRule, Lockouts
from airelays_app.store.steady_clock import SteadyClock
from airelays_app.web.address import TrustedProxies, client_address


@pytest.fixture
def lockouts(command):
    with closing(Database(command.home / ".airelays/state.sqlite3")) as database:
        found = Lockouts(database, clock=SteadyClock(database), rule=LockoutRule())
        for address in ("192.168.1.5", "2001:db8::1"):
            found.start(client_address(address, None, TrustedProxies()).group, "direct")
        yield found


def test_one_address(command, lockouts):
    assert command.json("unblock", "192.168.1.5") == {"unblocked": ["192.168.1.5"]}
    assert [lockout.address for lockout in lockouts.list()] == ["2001:db8::/64"]


def test_every_address(command, lockouts):
    assert command.json("unblock") == {"unblocked": ["192.168.1.5", "2001:db8::/64"]}
    assert lockouts.list() == ()


@pytest.mark.parametrize(
    ("spelling", "blocked"),
    [
        ("2001:db8::1", "2001:db8::/64"),
        ("[2001:DB8:0::1]", "2001:db8::/64"),
        ("2001:db8::/64", "2001:db8::/64"),
        ("::ffff:192.168.1.5", "192.168.1.5"),
    ],
)
def test_an_address_counts_as_it_was_blocked_however_it_is_spelled(
    command, lockouts, spelling, blocked
):
    assert command.json("unblock", spelling) == {"unblocked": [blocked]}
    assert blocked not in [lockout.address for lockout in lockouts.list()]


def test_nothing_to_do(command):
    assert command.json("unblock") == {"unblocked": []}
    assert not (command.home / ".airelays").exists()


@pytest.mark.parametrize("word", ["laptop", "2001:db8::1/64", "10.0.0.0/40"])
def test_something_that_is_no_address(command, word):
    assert command.run("unblock", word).exit_code == 2
