"""Clients are given the address they can reach: the public URL, the LAN address, or loopback."""

import pytest

from airelays_app.cli.addresses import base_url, is_private_to_this_machine, lan_address, root_url
from airelays_app.config import load_settings


def settings(tmp_path, **server):
    flags = {f"server.{name}": value for name, value in server.items()}
    return load_settings({"paths.data_dir": tmp_path, **flags}, environ={})


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://192.168.1.10:8080"),
        ("::", "http://192.168.1.10:8080"),
        ("fd00::5", "http://[fd00::5]:8080"),
        ("nas.lan", "http://nas.lan:8080"),
    ],
)
def test_the_root_url_follows_the_listener(tmp_path, host, expected):
    found = root_url(settings(tmp_path, host=host), lan=lambda: "192.168.1.10")
    assert found == expected


def test_without_a_network_loopback_is_left(tmp_path):
    assert base_url(settings(tmp_path, host="0.0.0.0"), lan=lambda: None) == (
        "http://127.0.0.1:8080/v1"
    )


def test_the_public_url_wins(tmp_path):
    found = settings(tmp_path, host="127.0.0.1", public_url="https://relay.example/ai/")
    assert base_url(found) == "https://relay.example/ai/v1"
    assert not is_private_to_this_machine(found)


def test_loopback_is_private(tmp_path):
    assert is_private_to_this_machine(settings(tmp_path))
    assert not is_private_to_this_machine(settings(tmp_path, host="0.0.0.0"))


def test_the_lan_address_is_never_loopback():
    assert lan_address() is None or not lan_address().startswith(("127.", "0."))
