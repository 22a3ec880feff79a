"""The scenarios: what a client asks of each target, and what is enough beside the bare relay."""

from dataclasses import dataclass

from benchmarks import goals, talks
from benchmarks.client import Plan
from benchmarks.exchange import Exchange
from benchmarks.goals import Goal
from benchmarks.talks import Talk
from benchmarks.targets import Concurrency
from benchmarks.upstream import BURST_DELTAS, HELD_DELTAS

BURST = Concurrency(workers=2, threads=64)
HELD = Concurrency(workers=2, threads=600)
_MEGABYTE = 1_000_000
_SUBSCRIPTION = ("burst", "held")
"""Models without a prefix that no other provider has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One row of the comparison.

    AIRelays is asked for ``model`` in ``dialect``; a prefix names the provider, and none means the
    subscription backend. The other targets are asked for the model without the prefix, in the
    dialect of the ``upstream`` where AIRelays has to translate: they pass on the same stream.
    ``history`` is how many bytes of text were said before. ``held`` streams last as long as the
    upstream takes. ``goals`` are what AIRelays is to reach.
    """

    name: str
    title: str
    dialect: str
    model: str
    upstream: str = ""
    deltas: int = BURST_DELTAS
    history: int = 0
    clients: int = 16
    concurrency: Concurrency = BURST
    goals: tuple[Goal, ...] = ()
    held: bool = False

    def exchange(self, target: str, token: str) -> Exchange:
        """Return what ``target`` is asked."""
        relayed = target == "airelays"
        return Exchange(
            self.dialect if relayed else self.upstream or self.dialect,
            self.model if relayed else self.model.rpartition("/")[2],
            token,
            self.deltas,
            completed=relayed and self.model in _SUBSCRIPTION and self.dialect == "responses",
            history=self.history,
        )

    def rounds(self, wanted: int) -> int:
        """Return how many rounds there are; held streams take many times as long as others."""
        return (wanted + 1) // 2 if self.held else wanted

    def plan(self, seconds: float) -> Plan:
        """Return how hard to press for one round."""
        return Plan(self.clients, 2.0 if self.held else seconds, once=self.held)


_STREAMS = (
    Scenario(
        name="responses",
        title="stream of 200 deltas, /v1/responses, from the subscription backend (patched lane)",
        dialect="responses",
        model="burst",
        goals=(goals.rate(0.7),),
    ),
    Scenario(
        name="responses-bytes",
        title="stream of 200 deltas, /v1/responses, from a compatible server (bytes lane)",
        dialect="responses",
        model="fast/burst",
        goals=(goals.rate(0.7),),
    ),
    Scenario(
        name="responses-single",
        title="the same, the upstream writes every event by itself",
        dialect="responses",
        model="fast/single",
    ),
    Scenario(
        name="chat-bytes",
        title="stream of 200 deltas, chat client, from a compatible server (bytes lane)",
        dialect="chat",
        model="fast/burst",
        goals=(goals.rate(0.7),),
    ),
    Scenario(
        name="messages-bytes",
        title="stream of 200 deltas, Messages client, from Anthropic's API (bytes lane)",
        dialect="messages",
        model="anthropic/burst",
        goals=(goals.rate(0.7),),
    ),
    Scenario(
        name="gemini-bytes",
        title="stream of 200 deltas, Gemini client, from Google's API (bytes lane)",
        dialect="gemini",
        model="gemini/burst",
        goals=(goals.rate(0.7),),
    ),
    Scenario(
        name="chat-translated",
        title="stream of 200 deltas, chat client, translated from the subscription's Responses",
        dialect="chat",
        upstream="responses",
        model="burst",
        goals=(goals.rate(0.5),),
    ),
    Scenario(
        name="responses-messages",
        title="stream of 200 deltas, Responses client, translated from Messages",
        dialect="responses",
        upstream="messages",
        model="anthropic/burst",
        goals=(goals.rate(0.5),),
    ),
    Scenario(
        name="messages-chat",
        title="stream of 200 deltas, Messages client, translated from chat",
        dialect="messages",
        upstream="chat",
        model="talk/burst",
        goals=(goals.rate(0.5),),
    ),
    Scenario(
        name="gemini-responses",
        title="stream of 200 deltas, Gemini client, translated from Responses",
        dialect="gemini",
        upstream="responses",
        model="fast/burst",
        goals=(goals.rate(0.5),),
    ),
    Scenario(
        name="responses-gemini",
        title="stream of 200 deltas, Responses client, translated from Gemini",
        dialect="responses",
        upstream="gemini",
        model="gemini/burst",
        goals=(goals.rate(0.5),),
    ),
    Scenario(
        name="chat-whole",
        title="buffered chat reply from a compatible server",
        dialect="chat",
        model="fast/burst",
        deltas=0,
        goals=(goals.rate(0.65),),
    ),
    Scenario(
        name="responses-one",
        title="one client, stream of 200 deltas, /v1/responses, from the subscription backend",
        dialect="responses",
        model="burst",
        clients=1,
    ),
)
_BODIES = tuple(
    Scenario(
        name=f"body-{name}",
        title=f"a conversation of 1 MB, {title}",
        dialect=dialect,
        upstream=upstream,
        model=model,
        history=_MEGABYTE,
        clients=4,
        goals=(goals.added_cpu(25.0),),
    )
    for name, title, dialect, upstream, model in (
        ("bytes", "chat client, nothing has to change", "chat", "chat", "plain"),
        ("model", "chat client, another model's name goes out", "chat", "chat", "fast/burst"),
        ("codex", "Responses client, for the subscription", "responses", "responses", "burst"),
        ("messages-chat", "Messages client, for chat", "messages", "chat", "talk/burst"),
        (
            "responses-messages",
            "Responses, for Messages",
            "responses",
            "messages",
            "anthropic/burst",
        ),
        ("gemini-responses", "Gemini client, for Responses", "gemini", "responses", "fast/burst"),
    )
)
_HELD = Scenario(
    name="held",
    title="1,000 slow streams at once, /v1/responses, from the subscription backend",
    dialect="responses",
    model="held",
    deltas=HELD_DELTAS,
    clients=1_000,
    concurrency=HELD,
    goals=goals.HELD,
    held=True,
)
TALKS = (
    Talk(
        name="turns-conversation",
        title="50 turns of a conversation that the relay keeps (conversation)",
        dialect="responses",
        body=talks.by_conversation,
        begins=True,
        concurrency=BURST,
    ),
    Talk(
        name="turns-previous",
        title="50 turns, each after the response before it (previous_response_id)",
        dialect="responses",
        body=talks.by_previous,
        concurrency=BURST,
    ),
    Talk(
        name="turns-resent",
        title="50 turns, each sent with all that was said before (chat)",
        dialect="chat",
        body=talks.sent_again,
        concurrency=BURST,
    ),
)
SCENARIOS = (*_STREAMS, *_BODIES, _HELD)
