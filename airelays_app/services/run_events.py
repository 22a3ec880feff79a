"""The events of a reply that is made while nobody waits, and how it may end.

They are numbered by the relay, without a gap, so that a stream can be taken up anywhere.
"""

from collections.abc import Iterable

from airelays_app.dialects.base import Json
from airelays_app.dialects.event_data import read_object
from airelays_app.dialects.responses.reply import response_error
from airelays_app.dialects.responses.stream_out import error_fields
from airelays_app.framing.jsontext import dumps, loads
from airelays_app.framing.sse import SseSplitter, event_block, parse_block
from airelays_app.neutral.failure import Failure
from airelays_app.store.item_ids import own_id
from airelays_app.store.response_runs import End, Ended, LoggedEvent

_OPENING = ("response.created", "response.queued")
_TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed"})

LOST = Failure(
    kind="other",
    status=500,
    type="server_error",
    code="worker_lost",
    message="The relay's process that made this reply has ended. Ask again.",
)


_DELETED = Failure(
    kind="other",
    status=404,
    type="invalid_request_error",
    code="response_deleted",
    message="The response was deleted while its stream was read.",
)


def opening(response: Json) -> tuple[LoggedEvent, ...]:
    """Return the events with which the stream of a reply begins that waits to be made."""
    return _events(0, [(name, {"response": response}) for name in _OPENING])


class EventLog:
    """Numbers the events of a stream anew, behind those of its opening, and reads along.

    ``response`` is that of the terminal event; what follows that is left out.
    """

    def __init__(self) -> None:
        self._splitter = SseSplitter()
        self.next_sequence = len(_OPENING)
        self.response: Json | None = None

    def feed(self, data: bytes) -> tuple[LoggedEvent, ...]:
        """Return the events in the next bytes of the stream."""
        blocks = self._splitter.feed(data) if self.response is None else ()
        said = [each for block in blocks if (each := _event_in(block))]
        for name, event in said:
            if name in _TERMINAL:
                self.response = event["response"]
        events = _events(self.next_sequence, said)
        self.next_sequence += len(events)
        return events


def finished(response: Json, events: Iterable[LoggedEvent]) -> Ended:
    """Return the end that the stream itself has told."""
    output = [item for item in response.get("output") or () if isinstance(item, dict)]
    return Ended(
        status=str(response.get("status")),
        response_json=dumps(response),
        events=tuple(events),
        item_ids=tuple(filter(None, map(own_id, output))),
    )


def failing(failure: Failure) -> End:
    """Return what ends a run with a failure.

    The codes of ``response.error`` are a closed list (openai-python 3.54, seen 2026-11-25), to
    which ``worker_lost`` is added.
    """
    code = {"code": failure.code} if failure is LOST else {}
    error = {**response_error(failure), **code}

    def end(response_json: bytes, next_sequence: int) -> Ended:
        response = {**loads(response_json), "status": "failed", "error": error}
        said = [("error", error_fields(failure)), ("response.failed", {"response": response})]
        return Ended("failed", dumps(response), _events(next_sequence, said))

    return end


def cancelled(response_json: bytes, next_sequence: int) -> Ended:
    """End a run because its owner does not want it any more.

    The API has no event of this name; an incomplete response ends a stream without an error.
    """
    response = {**loads(response_json), "status": "cancelled"}
    said = [("response.incomplete", {"response": response})]
    return Ended("cancelled", dumps(response), _events(next_sequence, said))


def deleted(next_sequence: int) -> bytes:
    """Return the last event for whoever follows a reply that is not kept any more."""
    return _events(next_sequence, [("error", error_fields(_DELETED))])[0].data


def _event_in(block: bytes) -> tuple[str, Json] | None:
    frame = parse_block(block)
    event = read_object(frame.data) if frame.data is not None else {}
    name = str(event.pop("type", ""))
    return None if not name or name in _OPENING else (name, event)


def _events(first: int, said: Iterable[tuple[str, Json]]) -> tuple[LoggedEvent, ...]:
    return tuple(
        LoggedEvent(
            sequence,
            event_block(name.encode(), dumps({"type": name, **event, "sequence_number": sequence})),
        )
        for sequence, (name, event) in enumerate(said, first)
    )
