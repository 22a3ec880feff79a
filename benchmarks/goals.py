"""What is to be reached, as data: a figure of AIRelays beside the bare relay's, and its limit."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks.measuring import Rounds


@dataclass(frozen=True, slots=True)
class Goal:
    """``figure`` of AIRelays and the bare relay is to be ``limit`` at least, or at most.

    ``spread`` gives the figure of each round, where rounds have one.
    """

    what: str
    limit: float
    figure: Callable[[Rounds, Rounds], float]
    at_least: bool = False
    spread: Callable[[Rounds, Rounds], list[float]] | None = None

    def verdict(self, relay: Rounds, bare: Rounds) -> str:
        """Return whether it is reached, in one line."""
        value = self.figure(relay, bare)
        reached = value >= self.limit if self.at_least else value <= self.limit
        bound = "at least" if self.at_least else "at most"
        line = f"goal {self.what} {bound} {self.limit:g}: {_WORDS[reached]} with {value:.2f}"
        if self.spread is None:
            return line
        rounds = sorted(self.spread(relay, bare)) or [0.0]
        return f"{line} (rounds: {rounds[0]:.2f} to {rounds[-1]:.2f})"


_WORDS = {True: "reached", False: "MISSED"}
_KIB = 1024


def rate(limit: float) -> Goal:
    """Return the goal of a share of the bare relay's answers per second."""
    return Goal("rate as a share of bare", limit, _rate, at_least=True, spread=Rounds.ratios)


def added_cpu(limit_ms: float) -> Goal:
    """Return the goal of how much more CPU an answer takes."""
    return Goal("CPU ms added to an answer", limit_ms, _added_cpu_ms)


def _rate(relay: Rounds, bare: Rounds) -> float:
    return median(relay.ratios(bare) or [0.0])


def _added_cpu_ms(relay: Rounds, bare: Rounds) -> float:
    return (relay.cpu_per_answer - bare.cpu_per_answer) * 1000


def _complete(relay: Rounds, bare: Rounds) -> float:  # noqa: ARG001
    return relay.complete / max(1, relay.opened)


def _first(relay: Rounds, bare: Rounds) -> float:
    return relay.first_ms(0.5) / bare.first_ms(0.5)


def _rss(relay: Rounds, bare: Rounds) -> float:
    return relay.rss / bare.rss


def _kib_per_stream(relay: Rounds, bare: Rounds) -> float:  # noqa: ARG001
    return relay.rss_per_answer / _KIB


HELD = (
    Goal("share of complete answers", 1.0, _complete, at_least=True),
    Goal("first delta p50 as a multiple of bare", 2.0, _first),
    Goal("RSS as a multiple of bare", 1.5, _rss),
    Goal("KiB of RSS for each stream held", 150.0, _kib_per_stream),
)
