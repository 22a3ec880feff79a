"""The login file: the reference's exact shape, private, replaced whole, never a traceback."""

import json
import os
import stat
import threading

import pytest

from airelays_app.providers.codex.credentials import (
    CredentialFile,
    Credentials,
    CredentialsBusyError,
    UnreadableCredentialsError,
    fingerprint,
    parse_credentials,
)
from tests.providers.codex.rotating_issuer import document, token


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_login_is_written_in_the_reference_shape(tmp_path):
    tokens = {"id_token": token(name="i"), "access_token": token(), "refresh_token": "r"}
    file = CredentialFile(tmp_path / "new" / "auth.json")
    with file.locked(wait_seconds=1):
        file.save(Credentials().with_tokens(tokens, at=1_790_000_000.0).bound())
    assert json.loads(file.path.read_text()) == {
        "tokens": {**tokens, "account_id": "acc-1"},
        "last_refresh": "2026-09-21T14:13:20+00:00",
        "bound_account_id": "acc-1",
    }


def test_file_lock_and_directory_are_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        file = CredentialFile(tmp_path / "new" / "auth.json")
        with file.locked(wait_seconds=1):
            file.save(parse_credentials(json.dumps(document())))
    finally:
        os.umask(before)
    assert mode(file.path) == 0o600
    assert mode(file.path.with_name("auth.json.lock")) == 0o600
    assert mode(file.path.parent) == 0o700
    assert not file.path.with_name("auth.json.tmp").exists()


def test_an_open_file_is_made_private_when_it_is_replaced(login_file):
    login_file.path.chmod(0o644)
    login_file.save(parse_credentials(json.dumps(document())))
    assert mode(login_file.path) == 0o600


def test_unknown_keys_survive_a_renewal():
    known = {**document(), "mode": "chatgpt", "OPENAI_API_KEY": None}
    known["tokens"]["extra"] = [1]
    renewed = parse_credentials(json.dumps(known)).with_tokens({"access_token": "new"}, at=0.0)
    assert renewed.document["mode"] == "chatgpt"
    assert renewed.document["tokens"]["extra"] == [1]
    assert renewed.refresh_token == "refresh-0"
    assert renewed.access_token == "new"


def test_the_shape_of_codex_is_read():
    login = parse_credentials(
        json.dumps(
            {
                "OPENAI_API_KEY": None,
                "tokens": {
                    "id_token": {"raw_jwt": token(account="acc-2")},
                    "access_token": "a",
                    "refresh_token": "r",
                },
                "last_refresh": "2026-11-01T10:00:00.123456789Z",
            }
        )
    )
    assert (login.account_id, login.access_token, login.refresh_token) == ("acc-2", "a", "r")
    assert login.last_refresh == pytest.approx(1_793_527_200.123456)


def test_an_api_key_alone_is_no_login():
    login = parse_credentials('{"OPENAI_API_KEY": "sk-x", "tokens": null}')
    assert login.access_token is None
    assert login.refresh_token is None


@pytest.mark.parametrize(
    "raw", ["", "{", "null", "[]", "\x00\x00", '{"tokens": {"acc', "[" * 50_000]
)
def test_a_torn_file_is_an_honest_error(login_file, raw):
    login_file.path.write_text(raw)
    with pytest.raises(UnreadableCredentialsError):
        login_file.load()


def test_no_file_is_no_login(tmp_path):
    assert CredentialFile(tmp_path / "auth.json").load() is None
    assert CredentialFile(tmp_path / "auth.json").stamp() is None


@pytest.mark.parametrize(
    "tokens", [None, 3, [], {"access_token": 3, "id_token": [], "refresh_token": ""}]
)
def test_values_of_a_wrong_type_count_as_absent(tokens):
    login = parse_credentials(
        json.dumps({"tokens": tokens, "last_refresh": 7, "bound_account_id": []})
    )
    assert login == Credentials(document=login.document)


def test_no_token_is_in_the_representation():
    shown = repr(parse_credentials(json.dumps(document(access="secret-access"))))
    assert "secret-access" not in shown
    assert "refresh-0" not in shown


def test_a_link_is_followed(tmp_path):
    real = tmp_path / "real.json"
    real.write_text("{}")
    link = tmp_path / "auth.json"
    link.symlink_to(real)
    CredentialFile(link).save(parse_credentials('{"tokens": {"access_token": "a"}}'))
    assert link.is_symlink()
    assert "access_token" in real.read_text()


def test_a_link_in_the_place_of_the_temporary_file_is_refused(login_file, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    login_file.path.with_name("auth.json.tmp").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic link"):
        login_file.save(parse_credentials("{}"))
    assert victim.read_text() == "precious"


def test_delete_removes_the_login_and_what_stands_beside_it(login_file):
    login_file.pending_path.write_text("x")
    login_file.path.with_name("auth.json.tmp").write_text("x")
    assert login_file.delete() is True
    assert [path.name for path in login_file.path.parent.iterdir()] == []
    assert login_file.delete() is False


def test_the_lock_keeps_other_threads_out_for_a_bounded_time(login_file):
    refused = threading.Event()

    def compete() -> None:
        try:
            with login_file.locked(wait_seconds=0.05):
                pass
        except CredentialsBusyError:
            refused.set()

    with login_file.locked(wait_seconds=1):
        thread = threading.Thread(target=compete)
        thread.start()
        thread.join()
    assert refused.is_set()


def test_a_fingerprint_tells_tokens_apart_and_gives_none_away():
    assert fingerprint("a") != fingerprint("b")
    assert "secret" not in fingerprint("secret")
    assert fingerprint("\ud800")
