"""Reading along a Responses stream on its way to a Responses client.

:class:`ResponsesTap` leaves every byte alone. :class:`ResponsesCompleter` is for a backend whose
stream is not the whole sequence (foreign events, an empty final ``output``, no usage; seen at the
ChatGPT backend, 2026-11-22): it drops and completes, and every other event keeps its bytes.
"""

from collections.abc import Iterable

from airelays_app.dialects.base import Classify, Json, ReplyContext
from airelays_app.dialects.responses.reply import failed_object
from airelays_app.dialects.responses.stream_in import parse_event
from airelays_app.dialects.responses.stream_out import error_fields
from airelays_app.dialects.responses.usage import read_usage, write_usage
from airelays_app.framing.jsontext import dumps
from airelays_app.framing.sse import event_block, parse_block
from airelays_app.neutral.failure import Failure
from airelays_app.neutral.usage import Usage

_HOT = b"event: response.output_text.delta\n"
_BEFORE_CONTENT = frozenset({"response.created", "response.in_progress", "response.queued"})
_SUCCESS = frozenset({"response.completed", "response.incomplete"})
_FAILURE = frozenset({"response.failed", "error"})


class ResponsesTap:
    """Reads along; see :class:`airelays_app.dialects.base.Tap`.

    ``response`` is the last whole response object that went by, ``items`` the finished output
    items by their index.
    """

    def __init__(self, classify: Classify, context: ReplyContext) -> None:
        self._classify = classify
        self._context = context
        self._sequence = 0
        self.usage: Usage | None = None
        self.has_content = False
        self.ended = False
        self.failure: Failure | None = None
        self.response: Json = {}
        self.items: dict[int, Json] = {}

    def feed(self, blocks: Iterable[bytes]) -> bytes:
        """Return what the client is to get for these blocks, in one piece."""
        out: list[bytes] = []
        for block in blocks:
            if block.startswith(_HOT):
                self.has_content = True
                self._sequence += 1
                out.append(block)
            else:
                out.append(self._see(block))
        return b"".join(out)

    def break_off(self, failure: Failure) -> bytes:
        """Return an ``error`` and a ``response.failed`` event."""
        self.ended = True
        self.failure = failure
        error = {"type": "error", **error_fields(failure), "sequence_number": self._sequence}
        ours = failed_object(self._context, output=self.output(), failure=failure)
        final = {name: ours[name] for name in ("status", "error", "output")}
        failed = {
            "type": "response.failed",
            "response": {**ours, **self.response, **final},
            "sequence_number": self._sequence + 1,
        }
        return event_block(b"error", dumps(error)) + event_block(b"response.failed", dumps(failed))

    def end_of_input(self) -> None:
        """Only a terminal event ends a response."""

    def output(self) -> list[Json]:
        """Return the finished output items in their order."""
        return [self.items[index] for index in sorted(self.items)]

    def _see(self, block: bytes) -> bytes:
        frame = parse_block(block)
        if frame.data is None:
            return block
        name = frame.event.decode("ascii", "replace")
        event = {} if name.endswith(".delta") else parse_event(frame.data)
        name = name or str(event.get("type", ""))
        self.has_content = self.has_content or self._is_content(name)
        self._sequence += 1
        if not event:
            return block
        self._take(name, event)
        return self._pass(name, event, block)

    def _is_content(self, name: str) -> bool:
        return name.startswith(("response.", "error")) and name not in _BEFORE_CONTENT

    def _take(self, name: str, event: Json) -> None:
        response = event.get("response")
        if isinstance(response, dict):
            self.response = {**self.response, **response}
            self.usage = read_usage(response.get("usage")) or self.usage
        if name == "response.output_item.done" and isinstance(event.get("item"), dict):
            self.items[int(event.get("output_index") or 0)] = event["item"]
        if name in _FAILURE:
            self.failure = self._classify(event)
        if name in _FAILURE or name in _SUCCESS:
            self.ended = True

    def _pass(self, name: str, event: Json, block: bytes) -> bytes:  # noqa: ARG002
        return block


class ResponsesCompleter(ResponsesTap):
    """Completes the stream of a backend that leaves things out."""

    def _pass(self, name: str, event: Json, block: bytes) -> bytes:
        if not name.startswith(("response.", "error", "keepalive")):
            return b""
        if name in _SUCCESS:
            return event_block(name.encode(), dumps(self._completed(event)))
        return block

    def _completed(self, event: Json) -> Json:
        """Return the final event with its output and usage filled in."""
        response = dict(event.get("response") or {})
        if not response.get("output"):
            response["output"] = self.output()
        if not response.get("usage"):
            response["usage"] = write_usage(self.usage or Usage())
        self.response = {**self.response, **response}
        return {**event, "response": response}
