"""Answers as Flask responses: JSON, or a stream that is kept alive and always closed."""

from collections.abc import Iterator
from time import monotonic
from typing import Any

from flask import Response

from airelays_app.framing.json_streams import Framing
from airelays_app.framing.jsontext import dumps
from airelays_app.services.parameters import disclosure
from airelays_app.services.record import Record
from airelays_app.services.relay import Answer, Rest

IGNORED_HEADER = "x-airelays-ignored-parameters"
_STREAM_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}


class ClientStream:
    """What the client of a stream gets, chunk by chunk.

    ``keep_alive`` is sent when nothing was for ``keepalive_seconds``, whether the upstream was
    silent or said what this dialect does not show; ``framing`` writes the events otherwise than as
    server-sent ones. Closing it closes the upstream.
    """

    def __init__(
        self,
        first: bytes,
        rest: Rest,
        record: Record,
        *,
        keep_alive: bytes,
        keepalive_seconds: float,
        framing: Framing | None = None,
    ) -> None:
        self._framing = framing
        self._first = first or keep_alive
        self._rest = rest
        self._record = record
        self._keep_alive = keep_alive
        self._keepalive_seconds = keepalive_seconds
        self._sent_at = monotonic()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = self._next_piece()
        self._sent_at = monotonic()
        self._record.sent(len(piece))
        return piece

    def close(self) -> None:
        """Close the upstream, whether the stream is at its end or the client has left."""
        self._rest.close()
        self._record.usage = self._rest.usage
        self._record.outcome = self._rest.outcome

    def _next_piece(self) -> bytes:
        if self._framing is None:
            return self._next_events()
        try:
            while not (written := self._framing.feed(self._next_events())):
                continue
        except StopIteration:
            end, self._framing = self._framing.close(), None
            if not end:
                raise
            return end
        return written

    def _next_events(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        for piece in self._rest:
            if piece:
                return piece
            if self._keep_alive and monotonic() - self._sent_at >= self._keepalive_seconds:
                return self._keep_alive
        raise StopIteration


def empty_response() -> Response:
    """Return a 204, which has no content and so no type of it."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def json_response(value: Any, status: int = 200) -> Response:
    """Return ``value`` as JSON."""
    return raw_json_response(dumps(value), status)


def raw_json_response(data: bytes, status: int = 200) -> Response:
    """Return bytes that are JSON already."""
    return Response(data, status, {"Content-Type": "application/json"})


def answer_response(
    answer: Answer,
    record: Record,
    *,
    keep_alive: bytes,
    keepalive_seconds: float,
    framing: Framing | None = None,
) -> Response:
    """Return the answer to a request for a reply, with what was ignored disclosed."""
    if answer.rest is None:
        record.sent(len(answer.first))
        response = raw_json_response(answer.first)
    else:
        stream = ClientStream(
            answer.first,
            answer.rest,
            record,
            keep_alive=keep_alive,
            keepalive_seconds=keepalive_seconds,
            framing=framing,
        )
        response = Response(stream, 200, _STREAM_HEADERS)
        if framing:
            response.headers["Content-Type"] = framing.content_type
        response.call_on_close(stream.close)
    response.headers.extend(answer.headers)
    return disclosed(response, answer.ignored)


def disclosed(response: Response, ignored: tuple[str, ...]) -> Response:
    """Return the response, which says what was left out of the request."""
    if ignored:
        response.headers[IGNORED_HEADER] = disclosure(ignored)
    return response
