"""Conversations of many turns: what a turn costs when much was said before.

Every turn is asked for when the one before it was answered, in several conversations at once. How
many bytes a turn carries is counted where they arrive, at the upstream.
"""

import http.client
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

from benchmarks.processes import Server
from benchmarks.targets import Concurrency, Targets
from benchmarks.wires import WIRES
from benchmarks.wires.wire import ANSWER, Json, Said

TURNS = 50
SPAN = 10
"""Turns that are counted together: a clock tick of CPU time is as long as several turns."""

_CONVERSATIONS = 8
_QUESTION = "Why? " * 400
_TIMEOUT_SECONDS = 60


@dataclass(slots=True)
class Conversation:
    """One conversation as its client knows it; ``previous`` is the latest reply."""

    connection: http.client.HTTPConnection
    said: list[Said] = field(default_factory=list)
    id: str = ""
    previous: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A way to go on with a conversation: ``body`` is the request of its next turn.

    ``begins`` says that the relay is asked for a conversation first.
    """

    name: str
    title: str
    dialect: str
    body: Callable[[Conversation], Json]
    concurrency: Concurrency
    target: str = "airelays"
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """Some turns of all conversations: CPU and wall time in seconds, bytes for the upstream."""

    cpu_seconds: float
    seconds: float
    carried: int


@dataclass(slots=True)
class Talked:
    """The spans of each round, and how many answers were wrong."""

    rounds: list[list[Span]] = field(default_factory=list)
    wrong: int = 0

    def total(self, number: int) -> Span:
        """Return the span ``number`` of all rounds together."""
        spans = [spans[number] for spans in self.rounds]
        return Span(
            sum(span.cpu_seconds for span in spans),
            sum(span.seconds for span in spans),
            sum(span.carried for span in spans),
        )

    @property
    def turns(self) -> int:
        """How many turns a span has in all rounds together."""
        return SPAN * _CONVERSATIONS * len(self.rounds)


def talked(talk: Talk, targets: Targets, rounds: int) -> Talked:
    """Have the conversations, several times over."""
    result = Talked()
    for _ in range(rounds):
        with closing(_Round(talk, targets)) as one:
            result.rounds.append(one.spans())
            result.wrong += one.wrong
    return result


class _Round:
    def __init__(self, talk: Talk, targets: Targets) -> None:
        self._talk = talk
        self._server = targets.servers[talk.target]
        self._upstream = targets.servers["direct"]
        self._headers = {"Authorization": f"Bearer {targets.token}"}
        self._conversations = [
            Conversation(_connected(self._server)) for _ in range(_CONVERSATIONS)
        ]
        self.wrong = 0

    def close(self) -> None:
        for conversation in self._conversations:
            conversation.connection.close()

    def spans(self) -> list[Span]:
        with ThreadPoolExecutor(_CONVERSATIONS) as pool:
            if self._talk.begins:
                list(pool.map(self._begin, self._conversations))
            return [self._span(pool, first) for first in range(0, TURNS, SPAN)]

    def _span(self, pool: ThreadPoolExecutor, first: int) -> Span:
        cpu, began, carried = (
            self._server.cpu_seconds(),
            time.monotonic(),
            _received(self._upstream),
        )
        for number in range(first, first + SPAN):
            list(pool.map(self._turn, self._conversations, [number] * _CONVERSATIONS))
        return Span(
            self._server.cpu_seconds() - cpu,
            time.monotonic() - began,
            _received(self._upstream) - carried,
        )

    def _begin(self, conversation: Conversation) -> None:
        conversation.id = self._asked(conversation, "/v1/conversations", {})["id"]

    def _turn(self, conversation: Conversation, number: int) -> None:
        wire = WIRES[self._talk.dialect]
        conversation.said.append(Said("user", f"{number}: {_QUESTION}"))
        reply = self._asked(conversation, wire.path, self._talk.body(conversation))
        conversation.previous = reply
        conversation.said.append(Said("assistant", ANSWER))
        self.wrong += bool(reply.get("error")) or wire.text_of(reply) != ANSWER

    def _asked(self, conversation: Conversation, path: str, body: Json) -> Json:
        headers = {**self._headers, "Content-Type": "application/json"}
        conversation.connection.request("POST", path, json.dumps(body).encode(), headers)
        reply: Json = json.loads(conversation.connection.getresponse().read())
        return reply


def _connected(server: Server) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=_TIMEOUT_SECONDS)


def _received(upstream: Server) -> int:
    with closing(_connected(upstream)) as connection:
        connection.request("GET", "/received")
        return int(connection.getresponse().read())


def _latest(said: Sequence[Said]) -> list[Json]:
    return [{"role": said[-1].role, "content": said[-1].text}]


def by_conversation(conversation: Conversation) -> Json:
    """Name the conversation, which the relay keeps."""
    asked = {"conversation": conversation.id, "store": False}
    return {"model": "fast/burst", "input": _latest(conversation.said), **asked}


def by_previous(conversation: Conversation) -> Json:
    """Name the response before, which the relay keeps."""
    asked = {"previous_response_id": conversation.previous.get("id"), "store": True}
    return {"model": "fast/burst", "input": _latest(conversation.said), **asked}


def sent_again(conversation: Conversation) -> Json:
    """Send all that was said before."""
    return WIRES["chat"].body("fast/burst", conversation.said, False)  # noqa: FBT003
