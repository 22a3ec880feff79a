"""Reading along a Messages stream on its way to a Messages client; no byte is changed."""

import re
from collections.abc import Iterable

from airelays_app.dialects.base import Classify, Json, ReplyContext
from airelays_app.dialects.event_data import read_object
from airelays_app.dialects.messages.errors import error_body
from airelays_app.dialects.messages.usage import read_usage
from airelays_app.framing.jsontext import dumps
from airelays_app.framing.sse import event_block, parse_block, runs_of
from airelays_app.neutral.failure import Failure
from airelays_app.neutral.usage import Usage

_is_delta = re.compile(rb"event: content_block_delta\r?\n").match
_CONTENT = frozenset(
    {"content_block_start", "content_block_delta", "message_delta", "message_stop", "error"}
)


class MessagesTap:
    """Reads along; see :class:`airelays_app.dialects.base.Tap`."""

    runs = runs_of(rb"event: content_block_delta\r?\ndata: .*\r?\n\r?\n")

    def __init__(self, classify: Classify, context: ReplyContext) -> None:
        self._classify = classify
        self._request_id = context.request_id
        self._counts: Json = {}
        self.usage: Usage | None = None
        self.has_content = False
        self.ended = False
        self.failure: Failure | None = None
        self.response: Json = {}

    def feed(self, blocks: Iterable[bytes]) -> bytes:
        """Return what the client is to get for these blocks; raises JsonTextError for nonsense."""
        passed: list[bytes] = []
        for block in blocks:
            passed.append(block)
            if _is_delta(block):
                self.has_content = True
            else:
                self._look(block)
            if self.ended:
                break
        return b"".join(passed)

    def break_off(self, failure: Failure) -> bytes:
        """Return the ``error`` event."""
        self.ended = True
        self.failure = failure
        return event_block(b"error", dumps(error_body(failure, self._request_id)))

    def end_of_input(self) -> None:
        """Only ``message_stop`` ends a message."""

    def _look(self, block: bytes) -> None:
        name, data = parse_block(block)
        if data is None:
            return
        event = read_object(data)
        kind = str(event.get("type") or name.decode("ascii", "replace"))
        self.has_content = self.has_content or kind in _CONTENT
        self._count(event)
        if kind == "error":
            self.failure = self._classify(event)
        self.ended = kind in ("message_stop", "error")

    def _count(self, event: Json) -> None:
        message = event.get("message")
        for holder in (message, event):
            usage = holder.get("usage") if isinstance(holder, dict) else None
            if isinstance(usage, dict):
                self._counts |= {name: n for name, n in usage.items() if n is not None}
                self.usage = read_usage(self._counts)
