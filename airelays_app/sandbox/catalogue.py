"""What the account has: its models and its quota, as the ChatGPT backend reports them."""

import time
from dataclasses import dataclass
from typing import Any

from airelays_app.sandbox.credentials import Owner
from airelays_app.sandbox.settings import Settings

_EFFORTS = ("low", "medium", "high", "xhigh")


@dataclass(frozen=True, slots=True)
class Model:
    """One model; ``since`` is the oldest client version that is shown it."""

    slug: str
    name: str
    since: tuple[int, ...] = (0, 0, 0)
    visibility: str = "list"


MODELS = (
    Model("gpt-5.5", "GPT-5.5"),
    Model("gpt-5.5-mini", "GPT-5.5 mini"),
    Model("gpt-5.4", "GPT-5.4"),
    Model("gpt-5.6-sol", "GPT-5.6 Sol", since=(0, 140, 0)),
    Model("gpt-6-luna", "GPT-6 Luna", since=(0, 150, 0)),
    Model("codex-auto-review", "Codex auto review", visibility="hide"),
)
"""A catalogue like the real one; too old a client misses the newest (seen 2026-11-22)."""

MODEL_NAMES = frozenset(model.slug for model in MODELS)


def models_for(client_version: str) -> dict[str, Any]:
    """Return the models payload for a client of that version (``0.153.4``)."""
    numbers = tuple(int(part) for part in client_version.split(".") if part.isdigit())
    return {"models": [_described(model) for model in MODELS if model.since <= numbers]}


def usage_of(owner: Owner, settings: Settings) -> dict[str, Any]:
    """Return the ``wham/usage`` payload."""
    primary = window(settings.used_percent, 5 * 3600)
    weekly = window(settings.weekly_used_percent, 7 * 24 * 3600)
    exhausted = max(settings.used_percent, settings.weekly_used_percent) >= 100
    limit = {
        "allowed": not exhausted,
        "limit_reached": exhausted,
        "primary_window": primary,
        "secondary_window": weekly,
    }
    return {
        "user_id": f"user-{owner.account_id[:8]}",
        "account_id": owner.account_id,
        "email": owner.email,
        "plan_type": owner.plan,
        "rate_limit": limit,
        "code_review_rate_limit": None,
        "additional_rate_limits": [
            {"limit_name": "Fast", "metered_feature": "codex_fast", "rate_limit": limit}
        ],
        "credits": {
            "has_credits": False,
            "unlimited": False,
            "overage_limit_reached": False,
            "balance": "0",
            "approx_local_messages": [0, 0],
            "approx_cloud_messages": [0, 0],
        },
        "spend_control": {"reached": False},
        "rate_limit_reached_type": "usage_limit_reached" if exhausted else None,
        "rate_limit_reset_credits": {"available_count": 0, "applicable_available_count": 0},
    }


def window(used_percent: float, seconds: int) -> dict[str, Any]:
    """Return one quota window, halfway through its ``seconds``."""
    left = seconds // 2
    return {
        "used_percent": used_percent,
        "limit_window_seconds": seconds,
        "reset_after_seconds": left,
        "reset_at": int(time.time()) + left,
    }


def limit_headers(owner: Owner, settings: Settings) -> tuple[tuple[str, str], ...]:
    """Return the ``x-codex-*`` headers that every inference answer carries."""
    primary = window(settings.used_percent, 5 * 3600)
    weekly = window(settings.weekly_used_percent, 7 * 24 * 3600)
    fields = {"plan-type": owner.plan, "active-limit": "codex"}
    for slot, quota in (("primary", primary), ("secondary", weekly)):
        fields[f"{slot}-used-percent"] = f"{quota['used_percent']:g}"
        fields[f"{slot}-window-minutes"] = str(quota["limit_window_seconds"] // 60)
        fields[f"{slot}-reset-after-seconds"] = str(quota["reset_after_seconds"])
        fields[f"{slot}-reset-at"] = str(quota["reset_at"])
    return tuple((f"x-codex-{name}", value) for name, value in fields.items())


def limit_event(owner: Owner, settings: Settings) -> dict[str, Any]:
    """Return the ``codex.rate_limits`` event that is mixed into a stream."""
    return {
        "type": "codex.rate_limits",
        "plan_type": owner.plan,
        "rate_limits": {
            "allowed": True,
            "limit_reached": False,
            "primary": _event_window(window(settings.used_percent, 5 * 3600)),
            "secondary": _event_window(window(settings.weekly_used_percent, 7 * 24 * 3600)),
        },
        "code_review_rate_limits": None,
        "credits": None,
        "promo": None,
    }


def _event_window(quota: dict[str, Any]) -> dict[str, Any]:
    return {
        "used_percent": quota["used_percent"],
        "window_minutes": quota["limit_window_seconds"] // 60,
        "reset_at": quota["reset_at"],
    }


def _described(model: Model) -> dict[str, Any]:
    """Return an entry with all that Codex CLI 0.169 cannot do without (tried 2026-11-25)."""
    return {
        "slug": model.slug,
        "display_name": model.name,
        "description": f"{model.name}, played by the sandbox.",
        "visibility": model.visibility,
        "supported_in_api": True,
        "default_reasoning_level": "medium",
        "supported_reasoning_levels": [
            {"effort": effort, "description": f"{effort} effort"} for effort in _EFFORTS
        ],
        "context_window": 272_000,
        "shell_type": "unified_exec",
        "priority": MODELS.index(model),
        "base_instructions": "You are a coding agent, played by the sandbox.",
        "support_verbosity": True,
        "apply_patch_tool_type": "freeform",
        "truncation_policy": {"mode": "tokens", "limit": 10_000},
        "experimental_supported_tools": [],
        "minimal_client_version": list(model.since),
    }
