"""Numbers, times, codes and other people's words, as a terminal may show them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

PROBLEMS: Mapping[str, str] = MappingProxyType(
    {
        "missing": "nobody is logged in",
        "incomplete": "the login lacks tokens",
        "expired": "the login has expired",
        "refresh_failed": "the login was not renewed",
        "account_mismatch": "the login is another account's",
        "not_installed": "not installed",
        "no_model_file": "there is no file where local.model_path says",
        "no_key": "there is no key for it",
    }
)
"""What the problems mean that a provider's status may name."""


def readiness(state: Mapping[str, Any]) -> str:
    """Return whether a provider of that status is ready, or why not."""
    if state["ready"]:
        return "ready"
    return f"not ready: {PROBLEMS.get(state['problem'], state['problem'])}"


def printable(text: str) -> str:
    """Return ``text`` without the control characters that could drive the terminal.

    What upstreams and models say is printed; line ends and tabs are kept.
    """
    return "".join([letter for letter in text if letter in "\n\t" or not _drives(letter)])


def _drives(letter: str) -> bool:
    return letter < " " or "\x7f" <= letter <= "\x9f"


def day_of(unix_seconds: int | None) -> str:
    """Return the UTC day, ``2026-11-22``, or ``unknown``."""
    if unix_seconds is None:
        return "unknown"
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%d")


def duration(seconds: float) -> str:
    """Return a duration for people: ``45 s``, ``15 min``, ``2 h 5 min``, ``3 d 4 h``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
