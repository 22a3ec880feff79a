"""The requests of a batch, read and checked."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from airelays_app.errors import Unprocessable
from airelays_app.framing.jsontext import JsonTextError, is_unicode, loads
from airelays_app.store.batches import BatchRequest

ENDPOINTS: Mapping[str, str] = {
    "/v1/responses": "responses",
    "/v1/chat/completions": "chat",
    "/v1/completions": "completions",
    "/v1/messages": "messages",
}
"""What a batch may ask, and in which dialect."""

USUAL_WINDOW = "24h"
_MOST_REQUESTS = 50_000
_UNITS = {"h": 3600, "d": 86_400}
_WINDOW = re.compile(r"([1-9][0-9]{0,2})([hd])")
_LONGEST_WINDOW = 7 * 86_400


def window_seconds(window: str) -> int:
    """Return how long a batch may take: ``24h``, ``3d``; raises Unprocessable."""
    found = _WINDOW.fullmatch(window)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 < seconds <= _LONGEST_WINDOW:
        raise Unprocessable(
            "completion_window must be a time such as 24h or 3d, a week at most.",
            param="completion_window",
        )
    return seconds


def read_requests(lines: BinaryIO, endpoint: str) -> list[BatchRequest]:
    """Return the requests of a JSONL file; raises Unprocessable that names the line."""
    found = (line for line in lines if line.strip())
    return _checked((_object(line, number) for number, line in enumerate(found, 1)), endpoint)


def inline_requests(given: Sequence[Any], endpoint: str) -> list[BatchRequest]:
    """Return requests that came in the body itself; raises Unprocessable."""
    return _checked(((f"requests[{i}]", each) for i, each in enumerate(given)), endpoint)


def _object(line: bytes, number: int) -> tuple[str, Any]:
    try:
        return f"line {number}", loads(line)
    except JsonTextError as error:
        raise _wrong(f"line {number} is not JSON: {error}") from error


def _checked(entries: Iterator[tuple[str, Any]], endpoint: str) -> list[BatchRequest]:
    requests: list[BatchRequest] = []
    seen: set[str] = set()
    for where, entry in entries:
        request = _request(where, entry, endpoint, position=len(requests))
        if request.custom_id in seen:
            raise _wrong(f"{where} repeats the custom_id {request.custom_id[:64]!r}")
        seen.add(request.custom_id)
        requests.append(request)
        if len(requests) > _MOST_REQUESTS:
            raise _wrong(f"a batch has at most {_MOST_REQUESTS} requests")
    if not requests:
        raise _wrong("there are no requests")
    return requests


def _request(where: str, entry: Any, endpoint: str, *, position: int) -> BatchRequest:
    if not isinstance(entry, dict):
        raise _wrong(f"{where} must be an object")
    custom_id = entry.get("custom_id", f"request-{position + 1}")
    body = entry.get("body")
    if not isinstance(custom_id, str) or not custom_id:
        raise _wrong(f"{where}.custom_id must be a string")
    if entry.get("method", "POST") != "POST":
        raise _wrong(f"{where}.method must be POST")
    if entry.get("url", endpoint) != endpoint:
        raise _wrong(f"{where}.url must be {endpoint}, the endpoint of the batch")
    if not isinstance(body, dict):
        raise _wrong(f"{where}.body must be an object")
    if body.get("stream") is True:
        raise _wrong(f"{where}.body.stream cannot be true in a batch")
    for name, text in (("custom_id", custom_id), ("body.model", body.get("model"))):
        if isinstance(text, str) and not is_unicode(text):
            raise _wrong(f"{where}.{name} must be valid Unicode")
    return BatchRequest(position, custom_id, body)


def _wrong(what: str) -> Unprocessable:
    return Unprocessable(f"The batch cannot be run: {what}.", param="requests")
