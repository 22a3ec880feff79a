"""What a check found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["pass", "warn", "fail", "skip"]

SET_UP = "Set up what is missing of the configuration file and the relay token: airelays init"
"""The step for whoever has just begun."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``message`` is one sentence without secrets; ``steps`` say what to do, with the command."""

    status: Status
    message: str
    steps: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


def passed(message: str, *steps: str, **data: Any) -> Verdict:
    """It is as it should be."""
    return Verdict("pass", message, steps, data)


def warned(message: str, *steps: str, **data: Any) -> Verdict:
    """It works, but the owner should know."""
    return Verdict("warn", message, steps, data)


def failed(message: str, *steps: str, **data: Any) -> Verdict:
    """Requests fail because of this, or will soon."""
    return Verdict("fail", message, steps, data)


def skipped(message: str, *steps: str, **data: Any) -> Verdict:
    """It was not looked at, for a reason."""
    return Verdict("skip", message, steps, data)
