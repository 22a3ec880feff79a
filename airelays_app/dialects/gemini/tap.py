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
from airelays_app.framing.sse import data_block, parse_block
from airelays_app.neutral.failure import Failure
from airelays_app.neutral.usage import Usage

# Begins with one literal quote: the search for it skips the rest five times as fast as it tries
# alternatives.
_says_more = re.compile(rb'"(?:finishReason|promptFeedback|error)"').search
_has_content = re.compile(
    rb'"(?:text"\s*:\s*"[^"]|functionCall"|executableCode"|inlineData")'
).search
_COUNTS = b'"%b"' % FIELD.encode()


class GeminiTap:
    """Reads along; see :class:`airelays_app.dialects.base.Tap`."""

    runs = None

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
        return read_usage(_object_in(self._counted).get(FIELD)) if self._counted else None

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
        if not block.startswith(b"data: {"):
            data = parse_block(block).data
            if data is None or not read_object(data):
                return b""
            block = data_block(data.replace(b"\n", b" "))
        if not self.has_content:
            self.has_content = bool(_has_content(block))
        if _COUNTS in block:
            self._counted = block
        if _says_more(block) or not block.endswith((b"}\n\n", b"}\r\n\r\n")):
            self._look(read_object(parse_block(block).data or b""))
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


def _object_in(block: bytes) -> Json:
    """Return the event that has gone by; empty for what cannot be read."""
    try:
        return read_object(parse_block(block).data or b"")
    except JsonTextError:
        return {}
