"""The wall clock of a home server jumps: back to 1970 at a start, forwards when the network comes.

Blocks, rates and reservations go by what the kernel counts, so that a jump neither ends nor
prolongs them; only what is shown to people, and what others date, goes by the wall.
"""

import time
from contextlib import closing

import pytest

from airelays_app.errors import Conflict
from airelays_app.store.conversations import ConversationStore
from airelays_app.store.database import Database
from airelays_app.store.limit_storage import SqliteLimitStorage
from airelays_app.store.lockouts import LockoutRule, Lockouts
from airelays_app.store.rate_leases import LeasedTokenBucket, requests_per_minute
from airelays_app.store.steady_clock import SteadyClock

LAN = "192.168.1.7"
NOW = 1_800_000_000.0
JUMPS = pytest.mark.parametrize(
    "jump", [-NOW, -86_400.0, 86_400.0, 10 * 365 * 86_400.0], ids=["1970", "back", "on", "far on"]
)


class Machine:
    """A wall clock that can be set, and a count since boot that only goes on."""

    def __init__(self):
        self.wall = NOW
        self.since_boot = 1_000.0

    def pass_seconds(self, seconds):
        self.wall += seconds
        self.since_boot += seconds

    def clock(self, database):
        return SteadyClock(
            database,
            since_boot=lambda: self.since_boot,
            boot=lambda: "one",
            wall=lambda: self.wall,
        )


@pytest.fixture
def database(tmp_path):
    with closing(Database(tmp_path / "state.sqlite3")) as opened:
        yield opened


@pytest.fixture
def machine():
    return Machine()


@JUMPS
def test_a_block_lasts_its_time_and_a_known_client_stays_known(database, machine, jump):
    rule = LockoutRule(block_seconds=900, known_seconds=86_400)
    lockouts = Lockouts(database, clock=machine.clock(database), rule=rule)
    assert lockouts.admit(LAN, "known") == 0.0
    lockouts.start(LAN, "direct")
    machine.pass_seconds(100)

    machine.wall += jump

    started_later = Lockouts(database, clock=machine.clock(database), rule=rule)
    for each in (lockouts, started_later):
        assert each.seconds_blocked(LAN) == pytest.approx(800)
        assert each.admit(LAN, "known") == 0.0
        assert each.admit(LAN, "unknown") == pytest.approx(800)
    machine.pass_seconds(801)
    assert started_later.seconds_blocked(LAN) == 0.0


@JUMPS
def test_a_rate_is_neither_lifted_nor_frozen(database, machine, jump):
    storage = SqliteLimitStorage(database=database, clock=machine.clock(database))
    rate = requests_per_minute(60)
    rates = LeasedTokenBucket(storage, burst=5, clock=lambda: machine.since_boot)
    assert sum(rates.hit(rate, LAN) for _ in range(10)) == 5

    machine.wall += jump

    assert not rates.hit(rate, LAN)
    machine.pass_seconds(3)
    assert sum(rates.hit(rate, LAN) for _ in range(10)) == 3


@JUMPS
def test_a_running_turn_keeps_its_conversation(database, monkeypatch, jump):
    conversations = ConversationStore(database)
    conversation = conversations.create().id
    turn = conversations.begin_turn(conversation)

    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)

    with pytest.raises(Conflict):
        conversations.begin_turn(conversation)
    turn.renew()
    said = {"role": "user", "content": "a"}
    turn.commit(input_items=[said], output_items=[], response_id="resp_1")
    with conversations.begin_turn(conversation):
        assert [item["content"] for item in conversations.history(conversation)] == ["a"]
