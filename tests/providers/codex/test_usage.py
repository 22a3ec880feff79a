"""The quota as the backend tells it: steady names, wrong types as null, nothing invented."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.providers.codex.usage import normalise_usage, window_label

WEEK = 604_800
WINDOW = {
    "used_percent": 12.345,
    "limit_window_seconds": 18_000,
    "reset_after_seconds": 9_000,
    "reset_at": 1_795_341_600,
}
PAYLOAD = {
    "user_id": "user-1",
    "account_id": "acct-1",
    "email": "owner@example.org",
    "plan_type": "plus",
    "rate_limit": {
        "allowed": True,
        "limit_reached": False,
        "primary_window": WINDOW,
        "secondary_window": None,
    },
    "code_review_rate_limit": None,
    "additional_rate_limits": [
        {"limit_name": "Fast", "metered_feature": "codex_fast", "rate_limit": None},
        "not an object",
    ],
    "credits": {
        "has_credits": False,
        "unlimited": False,
        "overage_limit_reached": False,
        "balance": "0",
        "approx_local_messages": [1, 2],
        "approx_cloud_messages": "many",
    },
    "spend_control": {"reached": False},
    "rate_limit_reached_type": "",
    "rate_limit_reset_credits": {"available_count": 0},
    "model_usage": None,
}


def normalised(payload):
    return normalise_usage(payload, captured_at=1_795_327_200.5)


def window(**changes):
    payload = {"rate_limit": {"primary_window": {**WINDOW, **changes}}}
    return normalised(payload)["rate_limits"]["default"]["primary_window"]


def test_the_whole_shape():
    assert normalised(PAYLOAD) == {
        "object": "subscription_status",
        "captured_at": "2026-11-22T06:00:00Z",
        "source": {
            "kind": "chatgpt_subscription",
            "upstream_path": "/backend-api/wham/usage",
        },
        "account": {
            "user_id": "user-1",
            "account_id": "acct-1",
            "email": "owner@example.org",
            "plan_type": "plus",
        },
        "rate_limits": {
            "default": {
                "allowed": True,
                "limit_reached": False,
                "primary_window": {
                    "used_percent": 12.345,
                    "remaining_percent": 87.66,
                    "window_seconds": 18_000,
                    "window_minutes": 300,
                    "window_label": "5h",
                    "reset_after_seconds": 9_000,
                    "reset_at": 1_795_341_600,
                    "reset_at_iso": "2026-11-22T10:00:00Z",
                },
                "secondary_window": None,
            },
            "code_review": None,
            "additional": [
                {"limit_name": "Fast", "metered_feature": "codex_fast", "rate_limit": None}
            ],
        },
        "credits": {
            "has_credits": False,
            "unlimited": False,
            "overage_limit_reached": False,
            "balance": "0",
            "approx_local_messages": [1, 2],
            "approx_cloud_messages": None,
        },
        "model_usage": None,
        "spend_control": {"reached": False},
        "rate_limit_reached_type": None,
        "rate_limit_reset_credits": {"available_count": 0},
    }


@pytest.mark.parametrize(
    ("seconds", "label"),
    [(WEEK, "weekly"), (18_000, "5h"), (86_400, "1d"), (172_800, "2d"), (900, "15m"), (90, "90s")],
)
def test_a_window_is_labelled_by_its_length(seconds, label):
    assert window_label(seconds) == label


def test_minutes_are_rounded_up():
    assert window(limit_window_seconds=61)["window_minutes"] == 2


@pytest.mark.parametrize(("used", "left"), [(-5, 100.0), (250, 0.0), (33.333, 66.67)])
def test_what_remains_is_between_nothing_and_everything(used, left):
    assert window(used_percent=used)["remaining_percent"] == left


@pytest.mark.parametrize("wrong", [True, "12", None, [], {}, float("inf"), float("nan"), 10**400])
def test_a_wrong_type_is_null(wrong):
    found = window(used_percent=wrong, limit_window_seconds=wrong, reset_at=wrong)
    assert found["used_percent"] is found["remaining_percent"] is None
    assert found["window_seconds"] is found["window_minutes"] is found["window_label"] is None
    assert found["reset_at"] is found["reset_at_iso"] is None


def test_a_window_that_says_nothing_is_no_window():
    assert normalised({"rate_limit": {"primary_window": {}}})["rate_limits"]["default"] == {
        "allowed": None,
        "limit_reached": None,
        "primary_window": None,
        "secondary_window": None,
    }


def test_a_balance_that_is_a_number_is_not_passed_on():
    assert normalised({"credits": {"balance": 5}})["credits"]["balance"] is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(sorted(PAYLOAD)),
        JSON | st.dictionaries(st.sampled_from([*WINDOW, "primary_window", "balance"]), JSON),
    )
)
def test_no_payload_breaks_the_shape(payload):
    found = normalised(payload)
    json.dumps(found)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["captured_at"])
    assert set(found) == set(normalised(PAYLOAD))
