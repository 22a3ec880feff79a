"""``python -m benchmarks.run [--quick] [SCENARIO ...]``: the comparison, in one command.

The targets take turns within each round, every other round in the other order, so that what else
the machine does hits all of them. Rates and ratios are medians of the rounds. A wrong answer makes
the exit status 1; a slow one does not.
"""

import argparse
import json
import resource
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks import report, talk_report
from benchmarks.machine import description
from benchmarks.measuring import Rounds, measure
from benchmarks.scenarios import SCENARIOS, TALKS, Scenario
from benchmarks.talks import Talk, talked
from benchmarks.targets import NAMES, Targets, started

_EVERYTHING: tuple[Scenario | Talk, ...] = (*SCENARIOS, *TALKS)
_ALL = tuple(scenario.name for scenario in _EVERYTHING)
_QUICK_ROUNDS = 2
_QUICK_SECONDS = 0.8
_QUICK_TARGETS = ("bare", "airelays")


@dataclass(frozen=True, slots=True)
class _Outcome:
    name: str
    table: str
    figures: dict[str, Any]
    wrong: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scenarios, print the tables; return the exit status."""
    options = _parser().parse_args(arguments)
    if options.quick:
        options.rounds, options.seconds = _QUICK_ROUNDS, _QUICK_SECONDS
        options.target = options.target or _QUICK_TARGETS
    _allow_many_descriptors()
    chosen = [each for each in _EVERYTHING if each.name in (options.scenario or _ALL)]
    print(description() + "\n", flush=True)
    outcomes: list[_Outcome] = []
    for outcome in _run(chosen, options):
        print(outcome.table, flush=True)
        outcomes.append(outcome)
    print(description())
    if options.json:
        figures = {outcome.name: outcome.figures for outcome in outcomes}
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 1 if any(outcome.wrong for outcome in outcomes) else 0


def _run(scenarios: Iterable[Scenario | Talk], options: argparse.Namespace) -> Iterator[_Outcome]:
    """Yield what came of each scenario; those of the same concurrency share the servers."""
    for concurrency, group in groupby(scenarios, key=lambda each: each.concurrency):
        with (
            tempfile.TemporaryDirectory(prefix="airelays-benchmark-") as directory,
            started(concurrency, Path(directory)) as targets,
        ):
            for scenario in group:
                run = _talked if isinstance(scenario, Talk) else _compared
                yield run(scenario, targets, options)


def _talked(talk: Talk, targets: Targets, options: argparse.Namespace) -> _Outcome:
    result = talked(talk, targets, options.rounds)
    return _Outcome(
        talk.name, talk_report.table(talk, result), talk_report.figures(result), result.wrong
    )


def _compared(scenario: Scenario, targets: Targets, options: argparse.Namespace) -> _Outcome:
    measured = _rounds(scenario, targets, options)
    bare = measured.get("bare")
    return _Outcome(
        scenario.name,
        report.table(scenario, measured),
        {name: report.figures(scenario, rounds, bare) for name, rounds in measured.items()},
        sum(rounds.failures.total() for rounds in measured.values()),
    )


def _rounds(scenario: Scenario, targets: Targets, options: argparse.Namespace) -> dict[str, Rounds]:
    names = options.target or NAMES
    measured = {name: Rounds() for name in names}
    for number in range(scenario.rounds(options.rounds)):
        for name in reversed(names) if number % 2 else names:
            exchange = scenario.exchange(name, targets.token)
            plan = scenario.plan(options.seconds)
            measured[name].rounds.append(measure(targets.servers[name], exchange, plan))
    return measured


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument(
        *("scenario",),
        nargs="*",
        choices=[*_ALL, []],
        metavar="SCENARIO",
        help=f"all when none is named: {', '.join(_ALL)}",
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each scenario")
    parser.add_argument("--seconds", type=float, default=2.5, help="length of one turn")
    parser.add_argument("--target", action="append", choices=NAMES, help="may be repeated")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument(
        *("--quick",),
        action="store_true",
        help=f"{_QUICK_ROUNDS} rounds of {_QUICK_SECONDS} seconds: is something badly wrong?",
    )
    return parser


def _allow_many_descriptors() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main())
