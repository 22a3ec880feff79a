"""``airelays usage`` shows what is left of the subscription and when it resets."""

import json

import pytest

from airelays_app.sandbox import Sandbox
from tests.conftest import write_login


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def usage(command, sandbox):
    (command.home / ".airelays").mkdir(mode=0o700)
    write_login(command.home / ".airelays", sandbox.login())
    environ = {"AIRELAYS_UPSTREAM_BASE_URL": sandbox.codex_url}
    return lambda *words, **more: command.run("usage", *words, **{**environ, **more})


def test_each_window_is_shown_with_its_reset(usage):
    page = usage().stdout
    assert "owner@example.org" in page
    assert "5h:               12 % used, 88 % left, resets in 2 h 30 min" in page
    assert "weekly:           34 % used, 66 % left, resets in 3 d 12 h" in page


def test_a_limit_that_is_reached_is_said_in_words(usage, sandbox):
    sandbox.settings.used_percent = 100.0
    page = usage().stdout
    assert "100 % used, 0 % left" in page
    assert "The limit is reached." in page


def test_programs_get_what_the_relays_own_route_answers(usage):
    told = json.loads(usage("--json").stdout)
    assert told["object"] == "subscription_status"
    assert told["rate_limits"]["default"]["primary_window"]["used_percent"] == 12.0
    assert "raw" not in told


def test_the_upstreams_own_words_come_only_when_asked_for(usage):
    assert "rate_limit" in json.loads(usage("--json", "--raw").stdout)["raw"]
    assert usage("--raw").exit_code == 2


@pytest.mark.parametrize(
    ("behaviour", "said"), [("forbidden", "may not use this"), ("status", "told to fail")]
)
def test_what_the_upstream_says_against_it_is_passed_on(usage, sandbox, behaviour, said):
    sandbox.script(behaviour, times=9, path="/wham/usage")
    result = usage()
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stdout == ""


def test_without_a_login_it_is_said_how_to_get_one(command):
    result = command.run("usage")
    assert result.exit_code == 1
    assert "airelays login" in result.stderr


def test_without_the_subscription_there_is_nothing_to_show(usage):
    result = usage(AIRELAYS_PROVIDERS_CODEX_ENABLED="false")
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert result.stderr.startswith("Error: ")
