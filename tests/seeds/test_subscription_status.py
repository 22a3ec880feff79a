"""``GET /v1/subscription/status`` and its other name: how much of the subscription is used.

Account, primary and secondary window, further named limits, credits and spend control, each in
one form whatever the upstream sends, from the usage endpoint that the vendor's own client asks.
"""

import re

import pytest

STATUS = "/v1/subscription/status"
ALIAS = "/v1/account/rate_limits"
USAGE = "/backend-api/wham/usage"


@pytest.fixture
def status(relay):
    answer = relay.get(STATUS)
    assert answer.status_code == 200
    return answer.json()


def test_usage_comes_from_the_usage_endpoint_with_the_login(start_relay):
    relay = start_relay()

    status = relay.get(STATUS).json()

    (asked,) = relay.sandbox.requests
    assert (asked.method, asked.path) == ("GET", USAGE)
    assert asked.headers["authorization"].startswith("Bearer ey")
    assert status["source"] == {"kind": "chatgpt_subscription", "upstream_path": USAGE}


def test_the_account_is_summed_up(relay, status):
    account = status["account"]

    assert account["email"] == relay.sandbox.settings.email
    assert account["plan_type"] == relay.sandbox.settings.plan
    assert account.keys() == {"user_id", "account_id", "email", "plan_type"}
    assert status["object"] == "subscription_status"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", status["captured_at"])


@pytest.mark.parametrize(
    ("name", "used", "seconds", "label"),
    [("primary_window", 12.0, 18_000, "5h"), ("secondary_window", 34.0, 604_800, "weekly")],
)
def test_both_windows_have_one_form(status, name, used, seconds, label):
    limits = status["rate_limits"]["default"]
    window = limits[name]

    assert (limits["allowed"], limits["limit_reached"]) == (True, False)
    assert window["used_percent"] == used
    assert window["remaining_percent"] == 100 - used
    assert window["window_seconds"] == seconds
    assert window["window_minutes"] == seconds // 60
    assert window["window_label"] == label
    assert window["reset_at"] > 1_700_000_000
    assert window["reset_at_iso"].endswith("Z")


def test_further_named_limits_are_there_when_the_upstream_has_them(status):
    (extra,) = status["rate_limits"]["additional"]

    assert extra["limit_name"] == "Fast"
    assert extra["rate_limit"]["primary_window"]["window_label"] == "5h"


def test_credits_and_spend_control_are_told(status):
    assert status["credits"]["balance"] == "0"
    assert status["credits"]["has_credits"] is False
    assert status["spend_control"] == {"reached": False}


def test_the_upstreams_own_payload_comes_only_when_asked_for(relay, status):
    raw = relay.get(f"{STATUS}?raw=true").json()

    assert "raw" not in status
    assert "raw" not in relay.get(f"{STATUS}?raw=false").json()
    assert raw["raw"]["rate_limit"]["primary_window"]["limit_window_seconds"] == 18_000
    assert {name: value for name, value in raw.items() if name != "raw"}.keys() == status.keys()


def test_the_other_name_says_the_same(relay, status):
    alias = relay.get(ALIAS).json()

    assert alias["rate_limits"].keys() == status["rate_limits"].keys()
    assert alias["account"] == status["account"]
    assert "raw" in relay.get(f"{ALIAS}?raw=true").json()


def test_polling_does_not_reach_the_upstream_each_time(relay):
    for _ in range(10):
        assert relay.get(STATUS).status_code == 200

    assert len(relay.sandbox.requests.to("/wham/usage")) <= 2, "at most once for each worker"


@pytest.mark.parametrize("path", [STATUS, ALIAS])
def test_it_needs_the_relay_token(relay, path):
    assert relay.get(path, token=None).status_code == 401


@pytest.mark.parametrize("path", [STATUS, ALIAS])
def test_without_a_login_it_is_a_503_that_says_so(start_relay, path):
    answer = start_relay(login=False).get(path)

    assert answer.status_code == 503
    assert answer.headers["x-airelays-upstream-auth"] == "missing"
    assert answer.json()["error"]["type"] == "authentication_error"
