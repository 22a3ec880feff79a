"""What ``airelays doctor`` says of a relay that is running."""

import json

import pytest

from airelays_app import version
from tests.cli.conftest import settings_of


@pytest.fixture
def finding(command, relay):
    def look(name, **settings):
        result = command.run("doctor", "--json", **settings_of(relay, **settings))
        report = json.loads(result.stdout)
        return next(check for check in report["checks"] if check["name"] == name)

    return look


def test_its_port_is_its_own_and_its_token_is_right(finding, relay):
    assert finding("port")["data"] == {"process": relay.process.pid}
    assert finding("relay")["status"] == "pass"


def test_a_token_that_it_refuses(finding):
    found = finding("relay", BEARER_TOKEN="this-is-not-the-right-token")
    assert found["status"] == "fail"
    assert "airelays token show" in found["next_steps"][0]


def test_a_relay_that_serves_at_another_address_than_the_settings_say(finding, relay):
    found = finding("port", PORT="1")
    assert found["status"] == "warn"
    assert str(relay.process.pid) in found["message"]
    assert "server.port" in found["next_steps"][0]


def test_a_relay_of_another_data_folder_has_the_port(finding, tmp_path):
    found = finding("port", DATA_DIR=str(tmp_path / "other"))
    assert found["status"] == "fail"
    assert "another AIRelays" in found["message"]


def test_a_relay_of_an_earlier_version(finding, monkeypatch):
    monkeypatch.setattr("airelays_app.cli.doctor_checks.listener.VERSION", "9.9.9")
    found = finding("relay")
    assert found["status"] == "warn"
    assert f"runs version {version.VERSION}, installed is 9.9.9" in found["message"]


def test_blocked_addresses_are_named_with_the_command_that_frees_them(finding, command, relay):
    for _ in range(8):
        relay.get("/v1/models", token="a-guess-of-somebody")
    found = finding("blocked")
    assert found["status"] == "warn"
    assert "127.0.0.1 for 15 min" in found["message"]
    assert "airelays unblock" in found["next_steps"][0]
    command.run("unblock", **settings_of(relay))
    assert finding("blocked")["status"] == "pass"
