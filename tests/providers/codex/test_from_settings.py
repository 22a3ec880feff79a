"""What the settings say is what the login uses, earlier versions' places included."""

import hashlib
import json

import pytest

from airelays_app.config import load_settings
from airelays_app.providers.codex import from_settings
from airelays_app.providers.codex.from_settings import (
    further_accounts,
    login_parts,
    open_session,
)
from airelays_app.sandbox import Sandbox
from tests.providers.codex.rotating_issuer import document, token


class FakeKeyring:
    def __init__(self):
        self.secrets = {}

    def get_password(self, service_name, username):
        return self.secrets.get((service_name, username))

    def delete_password(self, service_name, username):
        del self.secrets[(service_name, username)]


def settings_for(environ):
    return load_settings(environ=environ)


def test_parts_follow_the_settings(tmp_path):
    environ = {
        "HOME": str(tmp_path),
        "AIRELAYS_ISSUER_BASE_URL": "https://issuer.example",
        "AIRELAYS_CLIENT_ID": "another",
        "AIRELAYS_LOGIN_CALLBACK_PORT": "4711",
    }
    parts = login_parts(settings_for(environ), environ=environ)
    assert parts.file.path == tmp_path / ".airelays" / "auth.json"
    assert parts.issuer.base_url == "https://issuer.example"
    assert parts.issuer.client_id == "another"
    assert list(parts.callback_ports) == [4711]
    usual = login_parts(settings_for({"HOME": str(tmp_path)}), environ={})
    assert list(usual.callback_ports) == [1455, 1457]


def test_a_folder_that_no_account_can_be_called_after_is_none(tmp_path):
    for name in ("work", "copy of work", ".hidden", "me@home.example"):
        folder = tmp_path / ".airelays" / "accounts" / name
        folder.mkdir(parents=True)
        (folder / "auth.json").touch()
    settings = settings_for({"HOME": str(tmp_path)})
    assert further_accounts(settings) == ["me@home.example", "work"]


def test_a_login_in_the_earlier_directory_is_used(tmp_path):
    earlier = tmp_path / ".airelay"
    earlier.mkdir()
    (earlier / "auth.json").write_text(json.dumps(document(access=token())))
    environ = {"HOME": str(tmp_path)}
    session = open_session(settings_for(environ), environ=environ)
    assert session.access().account_id == "acc-1"


@pytest.mark.parametrize(
    ("storage", "service", "directory", "found"),
    [
        ("auto", "AIRelays Auth", ".airelays", True),
        ("auto", "AIRelay Auth", ".airelay", True),
        ("keyring", "AIRelay Auth", ".airelays", True),
        ("file", "AIRelays Auth", ".airelays", False),
    ],
)
def test_a_login_in_the_keyring_is_moved_where_that_is_allowed(
    tmp_path, monkeypatch, storage, service, directory, found
):
    keyring = FakeKeyring()
    digest = hashlib.sha256(str((tmp_path / directory).resolve()).encode()).hexdigest()
    keyring.secrets[(service, f"cli|{digest[:16]}")] = json.dumps(document(access=token()))
    monkeypatch.setattr(from_settings, "INSTALLED_KEYRING", keyring)
    environ = {"HOME": str(tmp_path), "AIRELAYS_AUTH_STORAGE": storage}
    status = open_session(settings_for(environ), environ=environ).status()
    assert status["ready_for_requests"] is found
    assert (keyring.secrets == {}) is found


def test_a_session_opened_from_settings_renews_at_the_issuer(tmp_path):
    with Sandbox() as sandbox:
        environ = {"HOME": str(tmp_path), "AIRELAYS_ISSUER_BASE_URL": sandbox.issuer_url}
        settings = settings_for(environ)
        login = sandbox.login()
        path = tmp_path / ".airelays" / "auth.json"
        path.parent.mkdir()
        account = login.pop("account_id")
        path.write_text(json.dumps({"bound_account_id": account, "tokens": login}))
        session = open_session(settings, environ=environ)
        assert session.renew(session.access().token).account_id == account
        assert len(sandbox.requests.to("/oauth/token")) == 1
