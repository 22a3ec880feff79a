"""What the subscription backend says about the quota, in one steady shape.

Source of every raw key: AIRelays 0.22.0 sources and answers of ``/backend-api/wham/usage``, seen
2026-11-22. Plans differ: some have a weekly window only, in the primary slot, so the slot does not
tell the horizon; ``window_label`` does. Nothing is invented: a value that is missing or of the
wrong type is ``None``, and a window that says nothing is no window.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from airelays_app.dialects.base import Json

USAGE_PATH: Final = "/backend-api/wham/usage"

_WEEK_SECONDS: Final = 604_800
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def normalise_usage(payload: Mapping[str, Any], *, captured_at: float) -> Json:
    """Return the ``subscription_status`` object for an answer received ``captured_at`` (Unix).

    Times are Unix seconds beside RFC 3339 in UTC with ``Z``; durations are seconds.
    """
    return {
        "object": "subscription_status",
        "captured_at": _iso(captured_at),
        "source": {"kind": "chatgpt_subscription", "upstream_path": USAGE_PATH},
        "account": {
            name: _text(payload.get(name))
            for name in ("user_id", "account_id", "email", "plan_type")
        },
        "rate_limits": {
            "default": _limit(payload.get("rate_limit")),
            "code_review": _limit(payload.get("code_review_rate_limit")),
            "additional": _additional(payload.get("additional_rate_limits")),
        },
        "credits": _credits(payload.get("credits")),
        "model_usage": _structure(payload.get("model_usage")),
        "spend_control": _object(payload.get("spend_control")),
        "rate_limit_reached_type": _text(payload.get("rate_limit_reached_type")),
        "rate_limit_reset_credits": _object(payload.get("rate_limit_reset_credits")),
    }


def window_label(seconds: int) -> str:
    """Return ``weekly``, ``5h``, ``3d``, ``15m``, ``90s``: the largest unit that divides it."""
    if seconds == _WEEK_SECONDS:
        return "weekly"
    return next(f"{seconds // unit}{name}" for unit, name in _UNITS if seconds % unit == 0)


def _additional(value: object) -> list[Json]:
    entries = value if isinstance(value, list) else []
    return [
        {
            "limit_name": _text(entry.get("limit_name")),
            "metered_feature": _text(entry.get("metered_feature")),
            "rate_limit": _limit(entry.get("rate_limit")),
        }
        for entry in entries
        if isinstance(entry, dict)
    ]


def _limit(value: object) -> Json | None:
    if not isinstance(value, dict):
        return None
    return {
        "allowed": _flag(value.get("allowed")),
        "limit_reached": _flag(value.get("limit_reached")),
        "primary_window": _window(value.get("primary_window")),
        "secondary_window": _window(value.get("secondary_window")),
    }


def _window(value: object) -> Json | None:
    if not isinstance(value, dict):
        return None
    used = _number(value.get("used_percent"))
    seconds = _whole(value.get("limit_window_seconds"))
    length = seconds if seconds and seconds > 0 else None
    after = _whole(value.get("reset_after_seconds"))
    at = _whole(value.get("reset_at"))
    if used is length is after is at is None:
        return None
    return {
        "used_percent": used,
        "remaining_percent": None if used is None else _remaining(used),
        "window_seconds": length,
        "window_minutes": None if length is None else -(-length // 60),
        "window_label": None if length is None else window_label(length),
        "reset_after_seconds": after,
        "reset_at": at,
        "reset_at_iso": None if at is None else _iso(at),
    }


def _credits(value: object) -> Json | None:
    if not isinstance(value, dict):
        return None
    flags = ("has_credits", "unlimited", "overage_limit_reached")
    return {
        **{name: _flag(value.get(name)) for name in flags},
        "balance": _text(value.get("balance")),
        "approx_local_messages": _numbers(value.get("approx_local_messages")),
        "approx_cloud_messages": _numbers(value.get("approx_cloud_messages")),
    }


def _remaining(used: float) -> float:
    return round(min(100.0, max(0.0, 100.0 - used)), 2)


def _iso(moment: float) -> str | None:
    try:
        stamp = datetime.fromtimestamp(moment, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return stamp.isoformat(timespec="seconds").replace("+00:00", "Z")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _numbers(value: object) -> list[Any] | None:
    if not isinstance(value, list) or any(_number(entry) is None for entry in value):
        return None
    return value


def _object(value: object) -> Json | None:
    return value if isinstance(value, dict) else None


def _structure(value: object) -> Json | list[Any] | None:
    return value if isinstance(value, dict | list) else None
