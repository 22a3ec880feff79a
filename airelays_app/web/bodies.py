"""Reading a JSON request body: bounded, inflated, parsed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import request

from airelays_app.errors import BadRequest, TooLarge, UnsupportedMediaType
from airelays_app.services.json_object import parsed_bytes, read_object
from airelays_app.web.context import record, services
from airelays_app.web.credentials import scrub_query
from airelays_app.web.inflating import inflater_of
from airelays_app.web.inflight import Hold

_PIECE_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class JsonBody:
    """``raw`` is the body without its content encoding, ``value`` the same, parsed."""

    raw: bytes
    value: dict[str, Any]


@contextmanager
def json_body() -> Iterator[JsonBody]:
    """Give the request's JSON object; an empty body is an empty object.

    Its bytes, and about those of the values in it, count as in flight until the block ends. Raises
    UnsupportedMediaType, TooLarge, BadRequest, RequestTimeout, ClientGone, Unavailable.
    """
    _require_json()
    limit = services().settings.server.max_body_bytes
    with services().inflight.held(_announced(limit)) as hold:
        raw = _inflated(_received(limit, hold), limit, hold)
        record().bytes_in = len(raw)
        hold.add(parsed_bytes(raw))
        _note_traffic(raw)
        yield JsonBody(raw, read_object(raw, what="body") if raw.strip() else {})


def _note_traffic(raw: bytes) -> None:
    traffic = services().traffic
    if traffic.is_on:
        target = scrub_query(request.full_path)
        traffic.inbound(record(), target=target, headers=request.headers.items(), body=raw)


def _require_json() -> None:
    kind = request.mimetype
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise UnsupportedMediaType("Send the body as JSON, with Content-Type: application/json.")


def _announced(limit: int) -> int:
    """Return how many bytes are said to come; raises TooLarge before any is read."""
    length = request.content_length or 0
    if length > limit:
        raise _too_large(limit)
    return length


def _received(limit: int, hold: Hold) -> bytes:
    """Return the body as it was sent; what was not announced is held as it comes."""
    stream = request.environ["wsgi.input"]
    if request.content_length is not None:
        return _exactly(stream, request.content_length)
    if "Transfer-Encoding" not in request.headers:
        return b""
    return _joined(_pieces(stream, limit + 1), limit, hold)


def _pieces(stream: Any, most: int) -> Iterator[bytes]:
    """A read waits until it has all that it asks for, so none asks for more than may come."""
    while most and (piece := stream.read(min(_PIECE_BYTES, most))):
        most -= len(piece)
        yield piece


def _exactly(stream: Any, length: int) -> bytes:
    data: bytes = stream.read(length)
    if len(data) < length:
        raise BadRequest("The body is shorter than its Content-Length says.")
    return data


def _inflated(data: bytes, limit: int, hold: Hold) -> bytes:
    inflate = inflater_of(request.headers.get("Content-Encoding", "identity"))
    return data if inflate is None else _joined(inflate(data), limit, hold)


def _joined(pieces: Iterator[bytes], limit: int, hold: Hold) -> bytes:
    parts: list[bytes] = []
    left = limit
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise _too_large(limit)
        hold.add(len(piece))
        parts.append(piece)
    return b"".join(parts)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body has more than {limit} bytes, the limit server.max_body_bytes.")
