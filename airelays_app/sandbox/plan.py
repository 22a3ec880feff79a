"""How one request shall be answered: everything a behaviour can change, as plain data."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from airelays_app.sandbox.exchange import Answer, Exchange
from airelays_app.sandbox.replies import Reply

Family = Literal["codex", "compatible", "anthropic", "gemini", "issuer"]
FrameKind = Literal["delta", "other", "terminal"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One SSE block, ready to send, lines ending in LF."""

    kind: FrameKind
    data: bytes


@dataclass(frozen=True, slots=True)
class Halt:
    """Break a stream off with ``act`` before the frame after ``deltas`` deltas, at the latest
    before the first terminal frame; ``deltas`` of -1 means before anything is sent."""

    deltas: int
    act: Callable[[Exchange, Frame], None]


@dataclass(slots=True)
class Plan:
    """What behaviours made of one request; the default is an untroubled answer.

    late: seconds of silence before anything is sent. raw: bytes sent instead of HTTP. reset: RST
    instead of an answer. instead: the answer sent in place of the real one. marks: names that
    an endpoint of the issuer looks for. edits: changes of the reply. The rest is how the bytes go:
    pause: seconds before each delta. halt: where the stream breaks. rewrite: changes of a
    frame's bytes. line_end: how lines end. one_byte: a chunk per byte. chunked: false for a body
    that ends with the connection. gzip: compress a buffered body. plain: a buffered answer to a
    streaming request.
    """

    family: Family
    late: float = 0.0
    raw: bytes | None = None
    reset: bool = False
    instead: Answer | None = None
    marks: set[str] = field(default_factory=set)
    edits: list[Callable[[Reply], Reply]] = field(default_factory=list)
    pause: float = 0.0
    halt: Halt | None = None
    rewrite: list[Callable[[bytes], bytes]] = field(default_factory=list)
    line_end: bytes = b"\n"
    one_byte: bool = False
    chunked: bool = True
    gzip: bool = False
    plain: bool = False

    def edited(self, reply: Reply) -> Reply:
        """Return the reply as the behaviours changed it."""
        for edit in self.edits:
            reply = edit(reply)
        return reply
