"""The figures of a run as a table for people and as JSON."""

from statistics import median
from typing import Any

from benchmarks.measuring import Rounds
from benchmarks.scenarios import Scenario

_COLUMNS = (
    ("target", 9),
    ("answers/s", 10),
    ("events/s", 10),
    ("ratio", 6),
    ("CPU ms/answer", 14),
    ("CPU s/M events", 15),
    ("CPU ratio", 10),
    ("first p50/p99 ms", 17),
    ("whole p50/p99 ms", 17),
    ("RSS (PSS) MB", 13),
    ("right", 12),
)
_MIB = 1024 * 1024


def table(scenario: Scenario, measured: dict[str, Rounds]) -> str:
    """Return the scenario's table; ratios are to the bare relay."""
    lines = [f"{scenario.name}: {scenario.title}, {scenario.clients} clients"]
    lines.append("".join(name.rjust(width) for name, width in _COLUMNS))
    for name, rounds in measured.items():
        cells = _cells(name, figures(scenario, rounds, measured.get("bare")))
        widths = (width for _, width in _COLUMNS)
        lines.append("".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)))
    lines += [
        f"{name}: {count} x {failure}"
        for name, rounds in measured.items()
        for failure, count in rounds.failures.items()
    ]
    if {"bare", "airelays"} <= measured.keys():
        relay, bare = measured["airelays"], measured["bare"]
        lines += [goal.verdict(relay, bare) for goal in scenario.goals]
    return "\n".join(lines) + "\n"


def figures(scenario: Scenario, rounds: Rounds, bare: Rounds | None) -> dict[str, Any]:
    """Return the scenario's figures for one target; times in ms, memory in bytes."""
    events = max(1, scenario.deltas)
    return {
        "answers_per_second": rounds.rate,
        "events_per_second": rounds.rate * scenario.deltas,
        "ratio_to_bare": _median_ratio(rounds, bare),
        "cpu_ms_per_answer": rounds.cpu_per_answer * 1000,
        "cpu_s_per_million_events": rounds.cpu_per_answer / events * 1e6,
        "cpu_ratio_to_bare": _share(rounds.cpu_per_answer, bare),
        "first_ms": [rounds.first_ms(0.5), rounds.first_ms(0.99)],
        "whole_ms": [rounds.whole_ms(0.5), rounds.whole_ms(0.99)],
        "rss": rounds.rss,
        "rss_per_answer": rounds.rss_per_answer,
        "pss": rounds.pss,
        "opened": rounds.opened,
        "right": rounds.complete,
        "failures": dict(rounds.failures),
    }


def _median_ratio(rounds: Rounds, bare: Rounds | None) -> float | None:
    ratios = rounds.ratios(bare) if bare else []
    return median(ratios) if ratios else None


def _share(cpu: float, bare: Rounds | None) -> float | None:
    return cpu / bare.cpu_per_answer if bare and bare.cpu_per_answer else None


def _cells(name: str, figure: dict[str, Any]) -> tuple[str, ...]:
    return (
        name,
        f"{figure['answers_per_second']:,.0f}",
        f"{figure['events_per_second']:,.0f}" if figure["events_per_second"] else "-",
        _ratio(figure["ratio_to_bare"]),
        f"{figure['cpu_ms_per_answer']:.3f}",
        f"{figure['cpu_s_per_million_events']:.1f}" if figure["events_per_second"] else "-",
        _ratio(figure["cpu_ratio_to_bare"]),
        "/".join(f"{each:.1f}" for each in figure["first_ms"]),
        "/".join(f"{each:.1f}" for each in figure["whole_ms"]),
        f"{figure['rss'] / _MIB:.0f} ({figure['pss'] / _MIB:.0f})",
        f"{figure['right']}/{figure['opened']}",
    )


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
