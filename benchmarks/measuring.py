"""One round of one scenario against one target, and what it cost the server."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from benchmarks.client import Load, Plan, Tally
from benchmarks.exchange import Exchange
from benchmarks.processes import Server

_WARM_UP_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Round:
    """The tally of a round, the CPU seconds of the server, and its memory at the most, in bytes.

    ``idle_rss`` is that of before, when nothing was under way.
    """

    tally: Tally
    cpu_seconds: float
    idle_rss: int
    rss: int
    pss: int

    @property
    def rate(self) -> float:
        """Right answers per second."""
        return self.tally.complete / self.tally.seconds if self.tally.seconds else 0.0


@dataclass(slots=True)
class Rounds:
    """All rounds of one scenario against one target."""

    rounds: list[Round] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """The median of the rounds' answers per second."""
        return median(each.rate for each in self.rounds)

    def ratios(self, other: "Rounds") -> list[float]:
        """Return this rate as a share of the other's, round by round."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return [mine.rate / theirs.rate for mine, theirs in pairs if theirs.rate]

    @property
    def complete(self) -> int:
        """How many answers were right, in all rounds."""
        return sum(each.tally.complete for each in self.rounds)

    @property
    def opened(self) -> int:
        """How many requests were sent."""
        return sum(each.tally.opened for each in self.rounds)

    @property
    def failures(self) -> Counter[str]:
        """What went wrong, and how often."""
        return sum((each.tally.failures for each in self.rounds), Counter())

    @property
    def cpu_per_answer(self) -> float:
        """The server's CPU seconds for one right answer."""
        return sum(each.cpu_seconds for each in self.rounds) / max(1, self.complete)

    @property
    def rss(self) -> int:
        """The most resident memory in any round, in bytes."""
        return max(each.rss for each in self.rounds)

    @property
    def rss_per_answer(self) -> float:
        """How many bytes of resident memory came with each answer of the first round, all at once.

        Before it the server was fresh; what a stream has once needed is not given back.
        """
        first = self.rounds[0]
        return (first.rss - first.idle_rss) / max(1, first.tally.opened)

    @property
    def pss(self) -> int:
        """The most proportional memory in any round, in bytes."""
        return max(each.pss for each in self.rounds)

    def first_ms(self, share: float) -> float:
        """Return a quantile of the milliseconds to the first delta."""
        return _quantile_ms((each.tally.first for each in self.rounds), share)

    def whole_ms(self, share: float) -> float:
        """Return a quantile of the milliseconds to the end of the answer."""
        return _quantile_ms((each.tally.whole for each in self.rounds), share)


def measure(server: Server, exchange: Exchange, plan: Plan) -> Round:
    """Warm up, press as planned and return what came of it."""
    Load(server.port, exchange, _warm_up(plan)).run()
    sizes = [server.memory()]
    before = server.cpu_seconds()
    load = Load(server.port, exchange, plan, watch=lambda: sizes.append(server.memory()))
    tally = load.run()
    spent = server.cpu_seconds() - before
    rss, pss = zip(*sizes, strict=True)
    return Round(tally, spent, rss[0], max(rss), max(pss))


def _warm_up(plan: Plan) -> Plan:
    if plan.once:
        return Plan(clients=4, seconds=0.0, once=True)
    return Plan(plan.clients, min(_WARM_UP_SECONDS, plan.seconds))


def _quantile_ms(samples: Iterable[list[float]], share: float) -> float:
    values = sorted(value for each in samples for value in each)
    return values[int(share * (len(values) - 1))] * 1000 if values else float("nan")
