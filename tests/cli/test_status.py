"""``airelays status`` shows how things stand, running or not, without calling an upstream.

No token and no part of the login is ever shown.
"""

import pytest

from airelays_app.services.steps import INIT_STEP, PROBLEM_STEPS
from airelays_app.version import VERSION
from tests.cli.conftest import settings_of
from tests.conftest import write_login

KEYS = {"app_name", "version", "running", "relay", "auth", "providers", "client", "next_steps"}


@pytest.fixture
def status(command, relay):
    def run(**settings):
        return command.json("status", **settings_of(relay, **settings))

    return run


def test_a_running_relay_is_found_with_its_process(status, relay):
    told = status()
    assert told.keys() == KEYS
    assert told["version"] == VERSION
    assert told["running"] == {"answers": True, "process": relay.process.pid, "url": relay.url}
    assert told["providers"]["codex"]["ready"]
    assert told["client"]["base_url"] == relay.base_url
    assert told["next_steps"] == []


def test_the_page_has_the_same_for_people(command, relay):
    page = command.run("status", **settings_of(relay)).stdout
    assert f"running, process {relay.process.pid}" in page
    assert relay.base_url in page
    assert "Next Steps" not in page


def test_no_upstream_is_called(status, relay):
    status()
    assert len(relay.sandbox.requests) == 0


def test_no_secret_is_shown(command, relay):
    login = relay.sandbox.login()
    secrets = [relay.token, *(login[name] for name in ("id_token", "access_token"))]
    write_login(relay.data_dir, login)
    for words in (["status"], ["status", "--json"]):
        output = command.run(*words, **settings_of(relay)).output
        assert not [secret for secret in secrets if secret in output]


def test_a_relay_at_another_address_runs_but_does_not_answer(status, command, relay):
    running = status(PORT="1")["running"]
    assert running["process"] == relay.process.pid
    assert not running["answers"]
    page = command.run("status", **settings_of(relay, PORT="1")).stdout
    assert f"running, process {relay.process.pid}, at another address" in page


def test_somebody_elses_relay_at_that_address_is_not_taken_for_this_one(status, command, relay):
    elsewhere = {"DATA_DIR": str(relay.home / "elsewhere")}
    told = status(**elsewhere)
    assert (told["running"]["answers"], told["running"]["process"]) == (True, None)
    assert told["next_steps"][-1].endswith("airelays doctor")
    page = command.run("status", **settings_of(relay, **elsewhere)).stdout
    assert "not running; another AIRelays answers there" in page


def test_a_new_home_is_told_everything_that_is_to_be_done(command):
    told = command.json("status", AIRELAYS_PORT="1")
    assert told["running"]["answers"] is False
    assert told["auth"]["authenticated"] is False
    assert told["relay"]["config_exists"] is False
    assert told["next_steps"] == [
        INIT_STEP,
        PROBLEM_STEPS["missing"],
        "Start the relay: airelays serve",
    ]
    page = command.run("status", AIRELAYS_PORT="1").stdout
    for number, step in enumerate(told["next_steps"], 1):
        assert f"  {number}. {step}\n" in page
    assert "not ready: nobody is logged in" in page
    assert "none yet: airelays init" in page
    assert "airelays token show" not in page


def test_nothing_is_made_by_looking(command):
    command.run("status")
    assert list(command.home.iterdir()) == []
