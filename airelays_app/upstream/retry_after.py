"""When an upstream that refused may be asked again."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from math import ceil, isfinite
from typing import Any

_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
_LONGEST = 366 * 86_400
_MILLISECONDS_FROM = 10_000_000_000
"""Epoch values from here on are milliseconds: as seconds they would lie in the year 2286."""


def seconds_until_retry(
    headers: Mapping[str, str], error: Mapping[str, Any], *, now: Callable[[], float]
) -> int | None:
    """Return the whole seconds until a retry makes sense; None when the upstream does not say.

    Signals are the headers ``retry-after-ms`` and ``retry-after`` (seconds or a date) and, in the
    error object, ``resets_in_seconds``, ``resets_at`` (epoch seconds) and the ``retryDelay`` of
    a ``details`` entry ("34s"). The longest rules: an exhausted window may hide a longer one.
    """
    signals = (*_in_headers(headers, now), *_in_error(error, now))
    usable = [seconds for seconds in signals if isfinite(seconds) and seconds <= _LONGEST]
    return max(0, ceil(max(usable))) if usable else None


def _in_headers(headers: Mapping[str, str], now: Callable[[], float]) -> Iterator[float]:
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        yield milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None:
        yield seconds
    elif value:
        yield from _until_date(value, now)


def _until_date(value: str, now: Callable[[], float]) -> Iterator[float]:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return
    yield moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now()


def _in_error(error: Mapping[str, Any], now: Callable[[], float]) -> Iterator[float]:
    seconds = _number(error.get("resets_in_seconds"))
    if seconds is not None:
        yield seconds
    moment = _number(error.get("resets_at"))
    if moment is not None:
        yield (moment / 1000 if moment >= _MILLISECONDS_FROM else moment) - now()
    details = error.get("details")
    for entry in details if isinstance(details, list) else ():
        delay = entry.get("retryDelay") if isinstance(entry, Mapping) else None
        duration = _DURATION.fullmatch(delay) if isinstance(delay, str) else None
        if duration is not None:
            yield float(duration[1])


def _number(value: Any) -> float | None:
    """Return a number, or a string of one, as float."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
