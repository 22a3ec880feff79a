"""Reading a JSON request body: bounded, inflated, parsed."""

import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import zstandard
from flask import request

from airelays_app.errors import BadRequest, TooLarge, UnsupportedMediaType
from airelays_app.framing.jsontext import JsonTextError, loads
from airelays_app.web.context import record, services
from airelays_app.web.credentials import scrub_query

_ZSTD_WINDOW_LIMIT = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class JsonBody:
    """``raw`` is the body without its content encoding, ``value`` the same, parsed."""

    raw: bytes
    value: dict[str, Any]


@contextmanager
def json_body() -> Iterator[JsonBody]:
    """Give the request's JSON object; an empty body is an empty object.

    Its bytes count as in flight until the block ends. Raises UnsupportedMediaType, TooLarge,
    BadRequest, RequestTimeout, ClientGone, Unavailable.
    """
    _require_json()
    limit = services().settings.server.max_body_bytes
    with services().inflight.held(_announced(limit)):
        raw = _inflated(_received(limit), limit)
        record().bytes_in = len(raw)
        _note_traffic(raw)
        yield JsonBody(raw, _parsed(raw))


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
    """Return how many bytes will come at most; raises TooLarge before any is read."""
    length = request.content_length
    if length is None:
        return limit if "Transfer-Encoding" in request.headers else 0
    if length > limit:
        raise _too_large(limit)
    return length


def _received(limit: int) -> bytes:
    stream = request.environ["wsgi.input"]
    length = request.content_length
    if length is not None:
        return _exactly(stream, length)
    if "Transfer-Encoding" not in request.headers:
        return b""
    data: bytes = stream.read(limit + 1)
    if len(data) > limit:
        raise _too_large(limit)
    return data


def _exactly(stream: Any, length: int) -> bytes:
    data: bytes = stream.read(length)
    if len(data) < length:
        raise BadRequest("The body is shorter than its Content-Length says.")
    return data


def _inflated(data: bytes, limit: int) -> bytes:
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    inflate = _INFLATERS.get(encoding)
    if inflate is None:
        known = ", ".join(_INFLATERS)
        raise UnsupportedMediaType(f"Content-Encoding must be one of {known}.")
    inflated = inflate(data, limit) if data else data
    if len(inflated) > limit:
        raise _too_large(limit)
    return inflated


def _as_it_is(data: bytes, limit: int) -> bytes:  # noqa: ARG001
    return data


def _inflated_zlib(data: bytes, limit: int) -> bytes:
    return _inflate(zlib.decompressobj(wbits=47), data, limit)


def _inflated_deflate(data: bytes, limit: int) -> bytes:
    """Deflate comes with zlib's header, and from some clients without it."""
    has_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
    return _inflate(zlib.decompressobj(wbits=15 if has_header else -15), data, limit)


def _inflate(decompressor: Any, data: bytes, limit: int) -> bytes:
    try:
        inflated: bytes = decompressor.decompress(data, limit + 1)
    except zlib.error as error:
        raise _broken_encoding() from error
    if len(inflated) <= limit and not decompressor.eof:
        raise _broken_encoding()
    return inflated


def _inflated_zstd(data: bytes, limit: int) -> bytes:
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_LIMIT)
    try:
        with decompressor.stream_reader(data, read_across_frames=True) as reader:
            return reader.read(limit + 1)
    except zstandard.ZstdError as error:
        raise _broken_encoding() from error


_INFLATERS: Mapping[str, Callable[[bytes, int], bytes]] = MappingProxyType(
    {
        "identity": _as_it_is,
        "gzip": _inflated_zlib,
        "deflate": _inflated_deflate,
        "zstd": _inflated_zstd,
    }
)


def _broken_encoding() -> BadRequest:
    return BadRequest("The body is not what its Content-Encoding says, or it is cut short.")


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body has more than {limit} bytes, the limit server.max_body_bytes.")


def _parsed(raw: bytes) -> dict[str, Any]:
    if not raw.strip():
        return {}
    try:
        value = loads(raw)
    except JsonTextError as error:
        raise BadRequest(f"The body is not valid JSON: {error}.") from error
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.")
    return value
