"""Every scenario of the benchmark runs, and every answer of every target is the right one.

How fast they are is not looked at: that is what ``python -m benchmarks.run`` is for.
"""

from dataclasses import replace

import pytest

from benchmarks.client import Load, Plan
from benchmarks.exchange import Exchange, Verifier, WrongAnswerError
from benchmarks.replies import chat_body, chat_stream, deltas, responses_stream
from benchmarks.run import main
from benchmarks.scenarios import SCENARIOS
from benchmarks.targets import NAMES, Concurrency, started

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


def test_a_run_prints_a_table_and_writes_its_figures(tmp_path, capsys):
    figures = tmp_path / "figures.json"

    status = main(
        ["chat-whole", "--rounds=1", "--seconds=0.1", "--target=direct", f"--json={figures}"]
    )

    assert status == 0
    assert "direct" in capsys.readouterr().out
    assert '"right"' in figures.read_text()


_STREAM = Exchange("responses", "burst", "token", 3)
_CHAT = Exchange("chat", "burst", "token", 3)
_RESPONSES_BLOCKS = responses_stream(deltas(3), quirks=True).blocks
_CHAT_BLOCKS = chat_stream(deltas(3)).blocks


@pytest.mark.parametrize(
    ("exchange", "blocks"), [(_STREAM, _RESPONSES_BLOCKS), (_CHAT, _CHAT_BLOCKS)]
)
def test_a_lost_a_doubled_or_a_swapped_event_is_noticed(exchange, blocks):
    first = next(n for n, block in enumerate(blocks) if b" word000" in block)
    end = blocks[-1]
    lost = (*blocks[:first], *blocks[first + 1 :])
    doubled = (*blocks[: first + 1], *blocks[first:])
    swapped = (*blocks[:first], blocks[first + 1], blocks[first], *blocks[first + 2 :])
    verifier = Verifier(exchange)
    verifier.verify(b"".join(blocks))

    for wrong in (lost, doubled, swapped, blocks[:-1], (*blocks, end)):
        with pytest.raises(WrongAnswerError):
            verifier.verify(b"".join(wrong))


def test_a_final_event_without_the_text_is_noticed_where_it_is_expected():
    with pytest.raises(WrongAnswerError):
        replace(_STREAM, completed=True).verify(b"".join(_RESPONSES_BLOCKS))


def test_a_whole_reply_with_another_text_is_noticed():
    whole = Exchange("chat", "burst", "token", 0)
    whole.verify(chat_body())

    with pytest.raises(WrongAnswerError):
        whole.verify(chat_body().replace(b"Twenty", b"Thirty"))
