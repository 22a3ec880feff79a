"""The scenarios: what a client asks of each target, and which ratio to the bare relay is enough."""

from dataclasses import dataclass

from benchmarks.client import Plan
from benchmarks.exchange import Exchange
from benchmarks.replies import BURST_DELTAS, HELD_DELTAS
from benchmarks.targets import Concurrency

BURST = Concurrency(workers=2, threads=64)
HELD = Concurrency(workers=2, threads=600)
HELD_FIRST_GOAL = 2.0
HELD_RSS_GOAL = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One row of the comparison.

    AIRelays is asked for ``model`` in ``dialect``; a prefix names the provider, and none means the
    subscription backend. The other targets are asked for the model without the prefix. ``goal``
    is the rate, as a share of the bare relay's, that AIRelays is to reach. ``held`` streams last
    as long as the upstream takes, so they have goals of their own: all complete, and no more than
    ``HELD_FIRST_GOAL`` times the bare relay's time to the first delta and ``HELD_RSS_GOAL`` times
    its memory.
    """

    name: str
    title: str
    dialect: str
    model: str
    deltas: int
    clients: int = 16
    concurrency: Concurrency = BURST
    goal: float | None = None
    held: bool = False

    def exchange(self, target: str, token: str) -> Exchange:
        """Return what ``target`` is asked."""
        model = self.model if target == "airelays" else self.model.rpartition("/")[2]
        codex = target == "airelays" and "/" not in self.model
        completed = codex and self.dialect == "responses"
        return Exchange(self.dialect, model, token, self.deltas, completed=completed)

    def rounds(self, wanted: int) -> int:
        """Return how many rounds there are; held streams take many times as long as others."""
        return (wanted + 1) // 2 if self.held else wanted

    def plan(self, seconds: float) -> Plan:
        """Return how hard to press for one round."""
        return Plan(self.clients, 2.0 if self.held else seconds, once=self.held)


SCENARIOS = (
    Scenario(
        name="responses",
        title="stream of 200 deltas, /v1/responses, from the subscription backend (patched lane)",
        dialect="responses",
        model="burst",
        deltas=BURST_DELTAS,
        goal=0.7,
    ),
    Scenario(
        name="responses-bytes",
        title="stream of 200 deltas, /v1/responses, from a compatible server (bytes lane)",
        dialect="responses",
        model="fast/burst",
        deltas=BURST_DELTAS,
        goal=0.7,
    ),
    Scenario(
        name="responses-single",
        title="the same, the upstream writes every event by itself",
        dialect="responses",
        model="fast/single",
        deltas=BURST_DELTAS,
    ),
    Scenario(
        name="chat-translated",
        title="stream of 200 deltas, chat client, translated from the subscription's Responses",
        dialect="chat",
        model="burst",
        deltas=BURST_DELTAS,
        goal=0.5,
    ),
    Scenario(
        name="chat-bytes",
        title="stream of 200 deltas, chat client, from a compatible server (bytes lane)",
        dialect="chat",
        model="fast/burst",
        deltas=BURST_DELTAS,
    ),
    Scenario(
        name="chat-whole",
        title="buffered chat reply from a compatible server",
        dialect="chat",
        model="fast/burst",
        deltas=0,
        goal=0.65,
    ),
    Scenario(
        name="responses-one",
        title="one client, stream of 200 deltas, /v1/responses, from the subscription backend",
        dialect="responses",
        model="burst",
        deltas=BURST_DELTAS,
        clients=1,
    ),
    Scenario(
        name="held",
        title="1,000 slow streams at once, /v1/responses, from the subscription backend",
        dialect="responses",
        model="held",
        deltas=HELD_DELTAS,
        clients=1_000,
        concurrency=HELD,
        held=True,
    ),
)
