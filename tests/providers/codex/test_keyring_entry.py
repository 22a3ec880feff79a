"""A login in the keyring is moved into the file once; a keyring that is unwell is no login."""

import hashlib
import json
import threading
from pathlib import Path

import pytest

from airelays_app.providers.codex.credentials import CredentialFile
from airelays_app.providers.codex.keyring_entry import KeyringEntries, adopt_keyring_login
from tests.providers.codex.rotating_issuer import document


class FakeKeyring:
    def __init__(self):
        self.secrets = {}

    def get_password(self, service_name, username):
        return self.secrets.get((service_name, username))

    def delete_password(self, service_name, username):
        del self.secrets[(service_name, username)]


class HangingKeyring:
    """Waits for a desktop that does not exist."""

    def __init__(self):
        self.release = threading.Event()

    def get_password(self, service_name, username):
        self.release.wait(30)

    delete_password = get_password


class BrokenKeyring:
    def get_password(self, service_name, username):
        raise RuntimeError("No recommended backend was available")

    delete_password = get_password


def username(directory: Path) -> str:
    return "cli|" + hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:16]


@pytest.fixture
def file(tmp_path):
    return CredentialFile(tmp_path / "auth.json")


@pytest.mark.parametrize("mode", ["auto", "keyring"])
@pytest.mark.parametrize("service", ["AIRelays Auth", "AIRelay Auth"])
def test_a_login_is_moved(tmp_path, file, mode, service):
    keyring = FakeKeyring()
    keyring.secrets[(service, username(tmp_path))] = json.dumps(document())
    keyring.secrets[("Other", "x")] = "kept"
    assert adopt_keyring_login(file, KeyringEntries(keyring, [tmp_path]), mode=mode) is True
    assert file.load().refresh_token == "refresh-0"
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert keyring.secrets == {("Other", "x"): "kept"}


def test_the_file_mode_does_not_look_at_the_keyring(tmp_path, file):
    entries = KeyringEntries(BrokenKeyring(), [tmp_path])
    assert adopt_keyring_login(file, entries, mode="file") is False


def test_an_existing_file_wins(tmp_path, login_file):
    keyring = FakeKeyring()
    keyring.secrets[("AIRelays Auth", username(tmp_path))] = json.dumps(document(refresh="old"))
    assert (
        adopt_keyring_login(login_file, KeyringEntries(keyring, [tmp_path]), mode="auto") is False
    )
    assert login_file.load().refresh_token == "refresh-0"
    assert keyring.secrets


def test_an_entry_of_an_earlier_data_directory_is_found(tmp_path, file):
    keyring = FakeKeyring()
    earlier = tmp_path / "earlier"
    keyring.secrets[("AIRelay Auth", username(earlier))] = json.dumps(document())
    entries = KeyringEntries(keyring, [tmp_path, earlier])
    assert adopt_keyring_login(file, entries, mode="auto") is True


@pytest.mark.parametrize("secret", ["", "not json", "{}", '{"tokens": null}'])
def test_an_entry_that_is_no_login_is_left_alone(tmp_path, file, secret):
    keyring = FakeKeyring()
    keyring.secrets[("AIRelays Auth", username(tmp_path))] = secret
    assert adopt_keyring_login(file, KeyringEntries(keyring, [tmp_path]), mode="auto") is False
    assert file.stamp() is None
    assert keyring.secrets


@pytest.mark.parametrize("keyring", [None, BrokenKeyring()])
def test_a_missing_or_broken_keyring_is_no_login(tmp_path, file, keyring):
    entries = KeyringEntries(keyring, [tmp_path])
    assert adopt_keyring_login(file, entries, mode="keyring") is False
    assert entries.delete() is False


def test_a_hanging_keyring_holds_nobody_up(tmp_path, file):
    keyring = HangingKeyring()
    entries = KeyringEntries(keyring, [tmp_path], wait_seconds=0.05)
    try:
        assert adopt_keyring_login(file, entries, mode="auto") is False
        assert entries.delete() is False
    finally:
        keyring.release.set()


def test_delete_says_whether_there_was_an_entry(tmp_path):
    keyring = FakeKeyring()
    keyring.secrets[("AIRelays Auth", username(tmp_path))] = "x"
    entries = KeyringEntries(keyring, [tmp_path])
    assert entries.delete() is True
    assert entries.delete() is False
