"""Reading along a Responses stream on its way to a Responses client.

:class:`ResponsesTap` completes what clients need and servers leave out, all of it in the terminal
event; every other event keeps its bytes, and so does a terminal event that is whole. Only a
stream whose events have no numbers is told anew (:mod:`airelays_app.dialects.responses.retold`).
Without usage opencode 1.18 asks again forever, without ``output`` the stream helpers of the SDKs
return nothing, and without a nested ``error`` a failure ends their loops as if all were well (seen
2026-11-22). :class:`ResponsesCompleter` drops the foreign events of the ChatGPT backend too.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from airelays_app.dialects.base import Classify, Json, ReplyContext
from airelays_app.dialects.event_data import read_object
from airelays_app.dialects.responses.reply import failed_object
from airelays_app.dialects.responses.retold import Retold, begins_unnumbered
from airelays_app.dialects.responses.stream_out import error_fields
from airelays_app.dialects.responses.usage import read_usage, write_usage
from airelays_app.framing.jsontext import JsonTextError, dumps
from airelays_app.framing.sse import KEEP_ALIVE, event_block, parse_block, runs_of
from airelays_app.neutral.failure import Failure
from airelays_app.neutral.usage import Usage

_WITHIN_ITEM = rb"event: response\.(?!output_item\.done\r?\n)[a-z_]+\.[a-z_.]+\r?\n"
"""The names of events that tell nothing a whole item does not tell again, deltas above all."""
_is_within_item = re.compile(_WITHIN_ITEM).match
_BEFORE_CONTENT = frozenset(
    {"response.created", "response.in_progress", "response.queued", "keepalive"}
)
_SUCCESS = frozenset({"response.completed", "response.incomplete"})


class ResponsesTap:
    """Reads along; see :class:`airelays_app.dialects.base.Tap`.

    ``response`` is the last whole response object that went by, ``items`` the finished output
    items by their index. What follows the terminal event is not for the client.
    """

    runs = runs_of(_WITHIN_ITEM + rb"data: .*\r?\n\r?\n")

    def __init__(self, classify: Classify, context: ReplyContext) -> None:
        self._classify = classify
        self._context = context
        self._overrides = context.overrides
        self._last_unread = b""
        self._next_number = 0
        self._retold: Retold | None = None
        self.usage: Usage | None = None
        self.has_content = False
        self.ended = False
        self.failure: Failure | None = None
        self.response: Json = {}
        self.items: dict[int, Json] = {}

    def feed(self, blocks: Iterable[bytes]) -> bytes:
        """Return what the client is to get for these blocks; raises ValueError for nonsense."""
        out: list[bytes] = []
        for block in self._as_told(list(blocks)):
            if _is_within_item(block):
                self._last_unread = block
                out.append(block)
            else:
                out.append(self._see(block))
                if self.ended:
                    break
        self.has_content = self.has_content or bool(self._last_unread)
        return b"".join(out)

    def break_off(self, failure: Failure) -> bytes:
        """Return an ``error`` and a ``response.failed`` event."""
        return self._error(failure) + self._failed(failure)

    def end_of_input(self) -> None:
        """Only a terminal event ends a response."""

    def output(self) -> list[Json]:
        """Return the finished output items in their order."""
        return [self.items[index] for index in sorted(self.items)]

    def _as_told(self, blocks: Sequence[bytes]) -> Sequence[bytes]:
        """Return the blocks, or what takes their place."""
        if not self.has_content and begins_unnumbered(blocks):
            self._retold = Retold(self._classify, self._context)
        return self._retold.feed(blocks) if self._retold else blocks

    def _error(self, failure: Failure) -> bytes:
        event = {"type": "error", **error_fields(failure), "sequence_number": self._take_number()}
        return event_block(b"error", dumps(event))

    def _failed(self, failure: Failure) -> bytes:
        self.ended = True
        self.failure = failure
        ours = failed_object(self._context, output=self.output(), failure=failure)
        final = {name: ours[name] for name in ("status", "error", "output")}
        self.response = {**ours, **self.response, **final}
        event = {
            "type": "response.failed",
            "response": self.response,
            "sequence_number": self._take_number(),
        }
        return event_block(b"response.failed", dumps(event))

    def _take_number(self) -> int:
        """Return the next sequence number; unread events are looked at only now."""
        if self._last_unread:
            last = self._last_unread[self._last_unread.rfind(b"\nevent: ") + 1 :]
            self._see_number(_event_in(parse_block(last).data or b""))
            self._last_unread = b""
        self._next_number += 1
        return self._next_number - 1

    def _see_number(self, event: Json) -> None:
        number = event.get("sequence_number")
        if isinstance(number, int):
            self._next_number = number + 1

    def _see(self, block: bytes) -> bytes:
        frame = parse_block(block)
        if frame.data is None:
            return block
        event = read_object(frame.data)
        name = frame.event.decode("ascii", "replace") or str(event.get("type", ""))
        if name.startswith(("response.", "error")) and name not in _BEFORE_CONTENT:
            self.has_content = True
        if not event:
            return block
        self._see_number(event)
        self._last_unread = b""
        block = self._overridden(name, event, block)
        self._take(name, event)
        return self._pass(name, event, block)

    def _overridden(self, name: str, event: Json, block: bytes) -> bytes:
        """Say in the event, too, what the reply has whatever the upstream says."""
        response = event.get("response")
        if not self._overrides or not isinstance(response, dict):
            return block
        response.update(self._overrides)
        return event_block(name.encode(), dumps(event))

    def _take(self, name: str, event: Json) -> None:
        response = event.get("response")
        if isinstance(response, dict):
            self.response = {**self.response, **response}
            self.usage = read_usage(response.get("usage")) or self.usage
        if name == "response.output_item.done":
            self._take_item(event.get("output_index"), event.get("item"))
        elif name in ("response.failed", "error"):
            self.failure = self._classify(event)
        if name in _SUCCESS or name == "response.failed":
            self.ended = True

    def _take_item(self, index: Any, item: Any) -> None:
        if isinstance(item, dict):
            self.items[index if isinstance(index, int) else len(self.items)] = item

    def _pass(self, name: str, event: Json, block: bytes) -> bytes:
        if name in _SUCCESS:
            return self._completed(name, event, block)
        if name == "response.failed":
            return self._announced(event)
        return self._with_failure(event, block) if name == "error" else block

    def _completed(self, name: str, event: Json, block: bytes) -> bytes:
        """Return the final event with its output and usage filled in."""
        given = event.get("response")
        response = dict(given) if isinstance(given, dict) else {}
        if not response.get("output"):
            response["output"] = self.output()
        if not response.get("usage"):
            response["usage"] = write_usage(self.usage or Usage())
        self.response = {**self.response, **response}
        if response == given:
            return block
        return event_block(name.encode(), dumps({**event, "response": response}))

    def _announced(self, event: Json) -> bytes:
        """Return the ``error`` that is owed before a ``response.failed``, and that."""
        assert self.failure is not None
        number = event.get("sequence_number")
        if isinstance(number, int):
            self._next_number = number
        error = self._error(self.failure)
        failed = {**event, "sequence_number": self._take_number()}
        return error + event_block(b"response.failed", dumps(failed))

    def _with_failure(self, event: Json, block: bytes) -> bytes:
        """Return the error, nested as well as flat, and the ``response.failed`` that is owed."""
        assert self.failure is not None
        if not isinstance(event.get("error"), dict):
            nested = error_fields(self.failure)["error"]
            block = event_block(b"error", dumps({**event, "error": nested}))
        return block + self._failed(self.failure)


class ResponsesCompleter(ResponsesTap):
    """Drops the events that only the backend's own clients know, and repeats ``metadata``.

    One of the events breaks the stream helper of openai-node 6.49 (seen 2026-11-22). The backend
    takes no metadata, so that it can repeat none.
    """

    def __init__(self, classify: Classify, context: ReplyContext) -> None:
        super().__init__(classify, context)
        if metadata := context.echo.get("metadata"):
            self._overrides = {**context.overrides, "metadata": metadata}

    def _pass(self, name: str, event: Json, block: bytes) -> bytes:
        if name == "error" or name.startswith("response."):
            return super()._pass(name, event, block)
        return KEEP_ALIVE if name == "keepalive" else b""


def _event_in(data: bytes) -> Json:
    """Return the event of a delta that has gone by; empty for what cannot be read."""
    try:
        return read_object(data)
    except JsonTextError:
        return {}
