"""A relay without tokens listens on loopback only, unless the owner has confirmed the exposure."""

import pytest

from airelays_app.config import load_settings
from airelays_app.config.exposure import is_loopback_host, open_relay_problem


def settings(tmp_path, **flags):
    return load_settings({"paths.data_dir": tmp_path, **flags}, environ={})


OPEN = {"security.require_bearer_auth": False}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST."])
def test_loopback(tmp_path, host):
    assert is_loopback_host(host)
    assert open_relay_problem(settings(tmp_path, **OPEN, **{"server.host": host})) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.10", "fd00::1", "nas.lan"])
def test_an_open_relay_on_a_network_is_a_problem(tmp_path, host):
    exposed = settings(tmp_path, **OPEN, **{"server.host": host})
    assert host in open_relay_problem(exposed)
    assert "--i-understand-open-relay" in open_relay_problem(exposed)


def test_it_is_none_with_tokens_or_with_the_confirmation(tmp_path):
    anywhere = {"server.host": "0.0.0.0"}
    assert open_relay_problem(settings(tmp_path, **anywhere)) is None
    confirmed = {**OPEN, **anywhere, "security.allow_open_relay": True}
    assert open_relay_problem(settings(tmp_path, **confirmed)) is None


def test_the_addresses_that_are_really_listened_on_count(tmp_path):
    found = settings(tmp_path, **OPEN)
    assert open_relay_problem(found, hosts=["127.0.0.1", "::1"]) is None
    assert "10.0.0.2" in open_relay_problem(found, hosts=["127.0.0.1", "10.0.0.2"])
