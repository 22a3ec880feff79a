"""Neutral events, written as a Gemini stream: ``data: {json}`` and a blank line, nothing else.

Comments, ``event:`` lines and ``[DONE]`` break Google's clients (measured 2026-11-22). Calls come
whole, and the last event has an empty text, the counts and the reason to stop.
"""

from collections.abc import Callable, Iterable
from typing import Any

from airelays_app.dialects.base import Json, ReplyContext
from airelays_app.dialects.gemini.endings import reason_out
from airelays_app.dialects.gemini.errors import error_body
from airelays_app.dialects.gemini.grounding import grounding_out
from airelays_app.dialects.gemini.reply import (
    CALLS,
    TEXTS,
    THOUGHTS,
    content,
    is_shown,
    makes_part,
    response_object,
    written_part,
)
from airelays_app.dialects.gemini.seals import Signing
from airelays_app.framing.jsontext import dumps
from airelays_app.framing.sse import data_block
from airelays_app.neutral.events import (
    Event,
    Failed,
    Finished,
    Noted,
    PartClosed,
    PartDelta,
    PartOpened,
    PartSealed,
    Started,
    UsageSeen,
)
from airelays_app.neutral.fold import ReplyPart, part_of
from airelays_app.neutral.seals import Seal
from airelays_app.neutral.sequence import OneAtATime
from airelays_app.neutral.usage import Usage


class GeminiEncoder:
    """Writes one stream.

    The events of one part differ in their text only, so what surrounds it is written once.
    """

    def __init__(self, context: ReplyContext) -> None:
        self._context = context
        self._sequence = OneAtATime()
        self._out: list[bytes] = []
        self._part: ReplyPart | None = None
        self._texts: list[str] = []
        self._wire = b"", b""
        self._shown = 0
        self._seal_of_part: Seal | None = None
        self._signing = Signing(provider=context.provider)
        self._sources: list[tuple[int, str, Json]] = []
        self._refused = False
        self._usage: Usage | None = None

    def feed(self, events: Iterable[Event]) -> bytes:
        """Return the next events as bytes, in one piece."""
        self._out = []
        for event in self._sequence.feed(events):
            if event.__class__ is PartDelta:
                self._delta(event.text)
            else:
                _HANDLERS[event.__class__](self, event)
        return b"".join(self._out)

    def _delta(self, text: str) -> None:
        part = self._part
        if part is None:
            return
        self._texts.append(text)
        if part.kind not in TEXTS:
            return
        if self._signing.has_waiting and part.kind not in THOUGHTS:
            self._send([{"text": text, **self._signing.beside()}])
            return
        before, after = self._wire
        self._out.append(b"%b%b%b" % (before, dumps(text), after))

    def _send(self, parts: list[Json]) -> None:
        response = response_object(self._context, content(parts), None)
        self._out.append(data_block(dumps(response)))

    def _start(self, event: Started) -> None:
        """Nothing is said before the first part."""

    def _open(self, event: PartOpened) -> None:
        self._refused = self._refused or event.kind == "refusal"
        part = part_of(event)
        self._texts = []
        self._part = part if is_shown(part, self._context) else None
        if self._part and part.kind in TEXTS:
            self._wire = self._surroundings(part)

    def _surroundings(self, part: ReplyPart) -> tuple[bytes, bytes]:
        """Return what stands before and behind the text in each event of a part."""
        example = dumps(response_object(self._context, content([written_part(part)]), None))
        before, _, after = example.partition(b'""')
        return b"data: " + before, after + b"\n\n"

    def _seal(self, event: PartSealed) -> None:
        self._seal_of_part = event.seal

    def _note(self, event: Noted) -> None:
        if self._part is not None:
            self._part.annotations.append(event.native)

    def _close(self, event: PartClosed) -> None:
        """Send a call, which comes whole or, if the stream broke off within it, not at all."""
        part, self._part = self._part, None
        if self._seal_of_part is not None:
            self._signing.take(self._seal_of_part)
            self._seal_of_part = None
        if part is None or event.part in self._sequence.given_up:
            return
        part.text = "".join(self._texts)
        part.native = event.native or part.native
        if not makes_part(part, self._context):
            return
        self._sources += [(self._shown, part.text, note) for note in part.annotations]
        self._shown += 1
        if part.kind not in TEXTS:
            signature = self._signing.beside(is_call=part.kind in CALLS)
            self._send([{**written_part(part), **signature}])

    def _take_usage(self, event: UsageSeen) -> None:
        self._usage = event.usage

    def _finish(self, event: Finished) -> None:
        candidate = {
            **content([{"text": "", **self._signing.beside()}]),
            **grounding_out(self._sources),
            "finishReason": reason_out(event.reason, refused=self._refused),
        }
        response = response_object(self._context, candidate, self._usage or Usage())
        self._out.append(data_block(dumps(response)))

    def _fail(self, event: Failed) -> None:
        self._out.append(data_block(dumps(error_body(event.failure))))


_HANDLERS: dict[type, Callable[[GeminiEncoder, Any], None]] = {
    Started: GeminiEncoder._start,
    PartOpened: GeminiEncoder._open,
    PartSealed: GeminiEncoder._seal,
    PartClosed: GeminiEncoder._close,
    Noted: GeminiEncoder._note,
    UsageSeen: GeminiEncoder._take_usage,
    Finished: GeminiEncoder._finish,
    Failed: GeminiEncoder._fail,
}
