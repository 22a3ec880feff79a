"""The figures of a conversation of many turns: does a turn cost more for each byte, the later?"""

from typing import Any

from benchmarks.talks import SPAN, TURNS, Span, Talk, Talked

_MS_PER_KB = 1_000_000
"""In one second per byte."""
_KB = 1_000


def table(talk: Talk, result: Talked) -> str:
    """Return a line for each span of turns, and whether the goal is reached."""
    lines = [f"{talk.name}: {talk.title}", "turns    CPU ms/turn  wall ms/turn  KB/turn  CPU ms/KB"]
    spans = _spans(result)
    for number, span in enumerate(spans):
        turns = f"{number * SPAN + 1}-{(number + 1) * SPAN}"
        cpu, wall = _per_turn(span.cpu_seconds, result), _per_turn(span.seconds, result)
        carried, cost = span.carried / result.turns / _KB, _per_byte(span) * _MS_PER_KB
        lines.append(f"{turns:8}{cpu:12.2f}{wall:14.2f}{carried:9.1f}{cost:11.3f}")
    early, late = _further(spans)
    share = _per_byte(spans[-1]) / _per_byte(spans[0])
    lines += [
        f"CPU ms for each further KB: {early:.3f} in the first half, {late:.3f} in the second",
        f"goal CPU for each byte of the last {SPAN} turns as a multiple of the first {SPAN} "
        f"at most 1: {'reached' if share <= 1 else 'MISSED'} with {share:.2f}",
    ]
    if result.wrong:
        lines.append(f"{result.wrong} wrong answers")
    return "\n".join(lines) + "\n"


def figures(result: Talked) -> dict[str, Any]:
    """Return the same as data: of each span CPU and wall ms for a turn, and bytes carried by it."""
    spans = _spans(result)
    early, late = _further(spans)
    return {
        "spans": [
            {
                "cpu_ms_per_turn": _per_turn(span.cpu_seconds, result),
                "ms_per_turn": _per_turn(span.seconds, result),
                "bytes_per_turn": span.carried / result.turns,
            }
            for span in spans
        ],
        "cpu_ms_per_further_kb": [early, late],
        "wrong": result.wrong,
    }


def _spans(result: Talked) -> list[Span]:
    return [result.total(number) for number in range(TURNS // SPAN)]


def _per_turn(seconds: float, result: Talked) -> float:
    return seconds * 1000 / result.turns


def _per_byte(span: Span) -> float:
    return span.cpu_seconds / span.carried


def _further(spans: list[Span]) -> tuple[float, float]:
    """Return the CPU ms that a further KB costs, in the first half and in the second."""
    first, middle, last = spans[0], spans[len(spans) // 2], spans[-1]
    early, late = (
        (after.cpu_seconds - before.cpu_seconds) / (after.carried - before.carried) * _MS_PER_KB
        for before, after in ((first, middle), (middle, last))
    )
    return early, late
