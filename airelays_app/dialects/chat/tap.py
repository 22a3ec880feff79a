"""Reading along a Chat Completions stream on its way to a Chat Completions client.

Only the few chunks that may say something beside text are parsed; no byte is changed.
"""

import re
from collections.abc import Iterable
from typing import Any

from airelays_app.dialects.base import Classify, Json, ReplyContext
from airelays_app.dialects.completion_family import read_usage
from airelays_app.dialects.event_data import read_object
from airelays_app.dialects.openai_error import error_body
from airelays_app.framing.jsontext import dumps
from airelays_app.framing.sse import data_block, parse_block
from airelays_app.neutral.failure import Failure
from airelays_app.neutral.usage import Usage

# Each begins with one literal quote: the search for it skips the rest five times as fast as it
# tries alternatives.
_says_more = re.compile(rb'"(?:usage"\s*:\s*\{|finish_reason"\s*:\s*"|error")').search
_has_content = re.compile(
    rb'"(?:content|reasoning_content|reasoning|text|arguments|name)"\s*:\s*"[^"]'
).search
_OBJECT_ENDS = b"}\n\n", b"}\r\n\r\n"
_DONE = b"[DONE]"


class ChatTap:
    """Reads along; see :class:`airelays_app.dialects.base.Tap`."""

    runs = None

    def __init__(self, classify: Classify, context: ReplyContext) -> None:  # noqa: ARG002
        self._classify = classify
        self._finished = False
        self.usage: Usage | None = None
        self.has_content = False
        self.ended = False
        self.failure: Failure | None = None
        self.response: Json = {}

    def feed(self, blocks: Iterable[bytes]) -> bytes:
        """Return what the client is to get for these blocks; raises ValueError for nonsense."""
        blocks = list(blocks)
        for block in blocks:
            if not self.has_content:
                self.has_content = bool(_has_content(block))
            if _says_more(block) or not block.endswith(_OBJECT_ENDS):
                self._look(block)
        return b"".join(blocks)

    def break_off(self, failure: Failure) -> bytes:
        """Return the error chunk."""
        self.ended = True
        self.failure = failure
        return data_block(dumps(error_body(failure)))

    def end_of_input(self) -> None:
        """A reply that has a finish reason is whole, with or without ``[DONE]``."""
        self.ended = self.ended or self._finished

    def _look(self, block: bytes) -> None:
        data = parse_block(block).data
        if data is None:
            return
        if data.strip() == _DONE:
            self.ended = self._finished
            return
        chunk = read_object(data)
        if chunk.get("error"):
            self.failure = self._classify(chunk)
            self.ended = self.has_content = True
            return
        self._look_for_end(chunk.get("choices"))
        self.usage = read_usage(chunk.get("usage")) or self.usage

    def _look_for_end(self, choices: Any) -> None:
        if isinstance(choices, list) and any(
            isinstance(choice, dict) and choice.get("finish_reason") for choice in choices
        ):
            self._finished = self.has_content = True
