"""Reading along a Gemini stream on its way to a Gemini client.

Only the events that may say something beside text are parsed, and the counts, which every event
repeats, only when somebody asks for them. What is no plain data of an event is left out, because
comments, ``event:`` lines and ``[DONE]`` break Google's clients (measured 2026-11-22); no byte of
the data is changed.
"""

import re
from collections.abc import Iterable
from typing import Any

from airelays_app.dialects.base import Classify, Json, ReplyContext
from airelays_app.dialects.event_data import read_object
from airelays_app.dialects.gemini.endings import block_in
from airelays_app.dialects.gemini.errors import error_body
from airelays_app.dialects.gemini.usage import FIELD, read_usage
from airelays_app.framing.jsontext import JsonTextError, dumps
from airelays_app.framing.sse import SseSplitter, data_block, parse_block, runs_of
from airelays_app.neutral.failure import Failure
from airelays_app.neutral.usage import Usage

_SAYS_MORE = (b'"finishReason"', b'"promptFeedback"', b'"error"')
_ENDS = b"}\n\n", b"}\r\n\r\n"
_has_content = re.compile(
    rb'"(?:text"\s*:\s*"[^"]|functionCall"|executableCode"|inlineData")'
).search
_COUNTS = b'"%b"' % FIELD.encode()


class GeminiTap:
    """Reads along; see :class:`airelays_app.dialects.base.Tap`."""

    runs = runs_of(rb"data: \{.*\}\r?\n\r?\n")

    def __init__(self, classify: Classify, context: ReplyContext) -> None:  # noqa: ARG002
        self._classify = classify
        self._finished = False
        self._counted = b""
        self.has_content = False
        self.ended = False
        self.failure: Failure | None = None
        self.response: Json = {}

    @property
    def usage(self) -> Usage | None:
        """The token counts so far."""
        return read_usage(_first_object(self._counted).get(FIELD)) if self._counted else None

    def feed(self, blocks: Iterable[bytes]) -> bytes:
        """Return what the client is to get for these blocks; raises ValueError for nonsense."""
        return b"".join(map(self._passed, blocks))

    def break_off(self, failure: Failure) -> bytes:
        """Return the error event."""
        self.ended = True
        self.failure = failure
        return data_block(dumps(error_body(failure)))

    def end_of_input(self) -> None:
        """A reply that has a reason to stop is whole."""
        self.ended = self.ended or self._finished

    def _passed(self, block: bytes) -> bytes:
        """Pass one event, or a run of usual ones."""
        if not block.startswith(b"data: {"):
            data = parse_block(block).data
            if data is None or not read_object(data):
                return b""
            block = data_block(data.replace(b"\n", b" "))
        self.has_content = self.has_content or bool(_has_content(block))
        counted = block.rfind(_COUNTS)
        if counted >= 0:
            self._counted = block[_beginning(block, counted) :]
        for event in _events(block[_unread_bytes(block) :]):
            self._look(read_object(parse_block(event).data or b""))
        return block

    def _look(self, response: Json) -> None:
        if response.get("error"):
            self.failure = self._classify(response)
            self.ended = self.has_content = True
            return
        blocked = block_in(response.get("promptFeedback") or {}) is not None
        if blocked or _stops(response.get("candidates")):
            self._finished = self.has_content = True


def _stops(candidates: Any) -> bool:
    return isinstance(candidates, list) and any(
        isinstance(candidate, dict) and candidate.get("finishReason") for candidate in candidates
    )


def _unread_bytes(block: bytes) -> int:
    """Return how much of a block comes before the first event that may say something else."""
    if not block.endswith(_ENDS):
        return 0
    said = [at for word in _SAYS_MORE if (at := block.find(word)) >= 0]
    return _beginning(block, min(said)) if said else len(block)


def _beginning(block: bytes, at: int) -> int:
    """Return where the event begins that ``at`` is in."""
    blank_lines = (b"\n\n", b"\r\n\r\n")
    found = ((block.rfind(blank, 0, at), len(blank)) for blank in blank_lines)
    return max(start + size if start >= 0 else 0 for start, size in found)


def _events(block: bytes) -> list[bytes]:
    """Return the events of a run one by one; the last one may lack its blank line."""
    splitter = SseSplitter()
    return [*splitter.feed(block), splitter.close()]


def _first_object(block: bytes) -> Json:
    """Return the first event of what has gone by; empty for what cannot be read."""
    try:
        return read_object(parse_block(_events(block)[0]).data or b"")
    except JsonTextError:
        return {}
