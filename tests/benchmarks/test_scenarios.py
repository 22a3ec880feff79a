"""Every scenario of the benchmark runs, and every answer of every target is the right one.

How fast they are is not looked at: that is what ``python -m benchmarks.run`` is for.
"""

from dataclasses import replace

import pytest

from benchmarks import talks
from benchmarks.client import Load, Plan
from benchmarks.exchange import Exchange, Verifier, WrongAnswerError
from benchmarks.run import main
from benchmarks.scenarios import SCENARIOS, TALKS
from benchmarks.targets import NAMES, Concurrency, started
from benchmarks.wires import WIRES
from benchmarks.wires.responses import codex_stream
from benchmarks.wires.wire import deltas, encoded

_ONCE = Plan(clients=3, seconds=0.0, once=True)


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    directory = tmp_path_factory.mktemp("benchmark")
    with started(Concurrency(workers=1, threads=8), directory) as running:
        yield running


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_answer_of_a_scenario_is_right(scenario, name, targets):
    exchange = scenario.exchange(name, targets.token)
    if scenario.held:
        exchange = replace(exchange, model="burst", count=200)

    tally = Load(targets.servers[name].port, exchange, _ONCE).run()

    assert not tally.failures
    assert tally.complete == tally.opened == 3


@pytest.mark.parametrize("talk", TALKS, ids=lambda talk: talk.name)
def test_every_turn_carries_all_that_was_said_before(talk, targets, monkeypatch):
    monkeypatch.setattr(talks, "TURNS", 2 * talks.SPAN)

    result = talks.talked(talk, targets, rounds=1)

    assert not result.wrong
    early, late = result.rounds[0]
    said_by_turn = 2_000
    assert early.carried > result.turns * 5 * said_by_turn
    assert late.carried > early.carried + result.turns * talks.SPAN * said_by_turn


def test_a_run_prints_a_table_and_writes_its_figures(tmp_path, capsys):
    figures = tmp_path / "figures.json"

    status = main(
        ["chat-whole", "--rounds=1", "--seconds=0.1", "--target=direct", f"--json={figures}"]
    )

    assert status == 0
    assert "direct" in capsys.readouterr().out
    assert '"right"' in figures.read_text()


_BLOCKS = {dialect: wire.stream(deltas(3)).blocks for dialect, wire in WIRES.items()}


@pytest.mark.parametrize("dialect", WIRES)
def test_a_lost_a_doubled_or_a_swapped_event_is_noticed(dialect):
    blocks = _BLOCKS[dialect]
    first = next(n for n, block in enumerate(blocks) if b" word000" in block)
    end = blocks[-1]
    lost = (*blocks[:first], *blocks[first + 1 :])
    doubled = (*blocks[: first + 1], *blocks[first:])
    swapped = (*blocks[:first], blocks[first + 1], blocks[first], *blocks[first + 2 :])
    verifier = Verifier(Exchange(dialect, "burst", "token", 3))
    verifier.verify(b"".join(blocks))

    for wrong in (lost, doubled, swapped, blocks[:-1], (*blocks, end)):
        with pytest.raises(WrongAnswerError):
            verifier.verify(b"".join(wrong))


def test_a_final_event_without_the_text_is_noticed_where_it_is_expected():
    exchange = Exchange("responses", "burst", "token", 3, completed=True)
    exchange.verify(b"".join(_BLOCKS["responses"]))

    with pytest.raises(WrongAnswerError):
        exchange.verify(b"".join(codex_stream(deltas(3)).blocks))


@pytest.mark.parametrize("dialect", WIRES)
def test_a_whole_reply_with_another_text_is_noticed(dialect):
    whole = Exchange(dialect, "burst", "token", 0)
    body = encoded(whole.wire.whole)
    whole.verify(body)

    with pytest.raises(WrongAnswerError):
        whole.verify(body.replace(b"Twenty", b"Thirty"))


def test_a_request_has_as_much_history_as_was_asked_for():
    short, long = (Exchange("chat", "m", "token", 0, history=size) for size in (0, 100_000))

    assert 100_000 <= len(long.request()) - len(short.request()) < 125_000
