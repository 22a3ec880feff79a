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
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from benchmarks.machine import description
from benchmarks.measuring import Rounds, measure
from benchmarks.report import figures, table
from benchmarks.scenarios import SCENARIOS, Scenario
from benchmarks.targets import NAMES, Targets, started

Measured = dict[str, Rounds]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scenarios, print the tables; return the exit status."""
    options = _parser().parse_args(arguments)
    _allow_many_descriptors()
    chosen = [each for each in SCENARIOS if each.name in (options.scenario or _ALL)]
    print(description() + "\n", flush=True)
    results: dict[str, dict[str, object]] = {}
    wrong = 0
    for scenario, measured in _run(chosen, options):
        print(table(scenario, measured), flush=True)
        bare = measured.get("bare")
        results[scenario.name] = {
            name: figures(scenario, rounds, bare) for name, rounds in measured.items()
        }
        wrong += sum(rounds.failures.total() for rounds in measured.values())
    print(description())
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    return 1 if wrong else 0


def _run(
    scenarios: Iterable[Scenario], options: argparse.Namespace
) -> Iterable[tuple[Scenario, Measured]]:
    """Yield each scenario's measurements; those of the same concurrency share the servers."""
    for concurrency, group in groupby(scenarios, key=lambda each: each.concurrency):
        with (
            tempfile.TemporaryDirectory(prefix="airelays-benchmark-") as directory,
            started(concurrency, Path(directory)) as targets,
        ):
            for scenario in group:
                yield scenario, _rounds(scenario, targets, options)


def _rounds(scenario: Scenario, targets: Targets, options: argparse.Namespace) -> Measured:
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
    parser.add_argument("scenario", nargs="*", choices=[*_ALL, []], help="all when none is named")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each scenario")
    parser.add_argument("--seconds", type=float, default=2.5, help="length of one turn")
    parser.add_argument("--target", action="append", choices=NAMES, help="may be repeated")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument(
        *("--quick",),
        action="store_const",
        const=2,
        dest="rounds",
        help="two rounds: enough to see whether something is badly wrong",
    )
    return parser


def _allow_many_descriptors() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


_ALL = tuple(scenario.name for scenario in SCENARIOS)

if __name__ == "__main__":
    sys.exit(main())
