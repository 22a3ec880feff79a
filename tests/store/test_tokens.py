"""The owner's device tokens.

* The main token is shown again and again; a named one is seen once and kept as a digest only.
* A change made by any process holds for the next request of every other one.
* Whatever bytes are offered, the answer is a credential or None, never an error.
* A weak or damaged file opens nothing. Files are 0600 and whole at every instant.
"""

import hashlib
import hmac
import json
import multiprocessing
import os
import stat
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.errors import ConfigError
from airelays_app.store import private_file
from airelays_app.store.tokens import MAIN, DeviceTokens, TokenNameError, fingerprint


def tokens_in(directory, environment_token=None):
    return DeviceTokens(
        main_path=directory / "relay-token",
        named_path=directory / "tokens.json",
        environment_token=environment_token,
    )


@pytest.fixture
def tokens(tmp_path):
    return tokens_in(tmp_path)


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_ensure_makes_one_main_token_and_then_leaves_it(tokens, tmp_path):
    assert tokens.show() is None
    assert tokens.ensure()
    first = tokens.show()
    assert not tokens.ensure()
    assert tokens.show() == first
    assert len(first) == 43
    assert (tmp_path / "relay-token").read_text() == f"{first}\n"
    assert mode_of(tmp_path / "relay-token") == 0o600


def test_the_main_token_is_identified_by_name_and_fingerprint(tokens):
    tokens.ensure()
    credential = tokens.identify(tokens.show().encode())
    assert credential.name == MAIN
    assert credential.fingerprint == hashlib.sha256(tokens.show().encode()).hexdigest()[:12]


@pytest.mark.parametrize("offered", [b"", b"x", "t\u00f6ken".encode("latin-1"), b"\xff" * 10_000])
def test_every_known_token_is_compared_in_full_whatever_is_offered(tokens, monkeypatch, offered):
    """The digests have one length, so not even that of a token can be measured."""
    tokens.ensure()
    secret = tokens.add("phone")
    compared, in_constant_time = [], hmac.compare_digest

    def compare(known, digest):
        compared.append((len(known), len(digest)))
        return in_constant_time(known, digest)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    for each in (offered, secret.encode()):
        compared.clear()
        tokens.identify(each)
        assert compared == [(32, 32)] * 2


def test_a_token_file_of_an_earlier_release_is_read_with_its_newline(tmp_path):
    (tmp_path / "relay-token").write_text("legacy-token-0123456789\n")
    tokens = tokens_in(tmp_path)
    assert tokens.identify(b"legacy-token-0123456789").name == MAIN
    assert tokens.identify(b"legacy-token-0123456789\n") is None


def test_a_named_token_is_kept_as_a_digest_only(tokens, tmp_path):
    secret = tokens.add("laptop")
    assert tokens.identify(secret.encode()).name == "laptop"
    kept = (tmp_path / "tokens.json").read_text()
    assert secret not in kept
    assert json.loads(kept)["tokens"][0]["name"] == "laptop"
    assert mode_of(tmp_path / "tokens.json") == 0o600


def test_rotation_and_revocation_hold_at_once_in_another_instance(tokens, tmp_path):
    serving = tokens_in(tmp_path)
    tokens.ensure()
    for _ in range(30):
        old = tokens.show()
        assert serving.identify(old.encode()).name == MAIN
        new = tokens.rotate()
        assert serving.identify(old.encode()) is None
        assert serving.identify(new.encode()).name == MAIN
    secret = tokens.add("phone")
    assert serving.identify(secret.encode()).name == "phone"
    tokens.revoke("phone")
    assert serving.identify(secret.encode()) is None


def test_a_file_rewritten_in_place_within_one_clock_tick_is_noticed(tmp_path):
    path = tmp_path / "relay-token"
    tokens = tokens_in(tmp_path)
    for number in range(200):
        path.write_text(f"token-number-{number:08d}\n")
        assert tokens.identify(f"token-number-{number:08d}".encode())


def test_rotating_a_named_token_keeps_the_others(tokens):
    phone, laptop = tokens.add("phone"), tokens.add("laptop")
    new = tokens.rotate("phone")
    assert tokens.identify(phone.encode()) is None
    assert tokens.identify(new.encode()).name == "phone"
    assert tokens.identify(laptop.encode()).name == "laptop"


def test_the_main_token_can_be_revoked(tokens):
    tokens.ensure()
    secret = tokens.show()
    tokens.revoke(MAIN)
    assert tokens.identify(secret.encode()) is None
    assert not tokens.any_exists()


def test_the_environment_wins_over_the_file_and_cannot_be_changed_here(tmp_path):
    tokens_in(tmp_path).ensure()
    in_file = tokens_in(tmp_path).show()
    tokens = tokens_in(tmp_path, environment_token="chosen-by-the-owner-1")
    assert (tokens.show(), tokens.source()) == ("chosen-by-the-owner-1", "env")
    assert tokens.identify(b"chosen-by-the-owner-1").name == MAIN
    assert tokens.identify(in_file.encode()) is None
    assert not tokens.ensure()
    for change in (tokens.rotate, lambda: tokens.revoke(MAIN)):
        with pytest.raises(ConfigError, match="AIRELAYS_BEARER_TOKEN"):
            change()


@pytest.mark.parametrize("weak", ["short", "fifteen-chars-x", "with a space inside", "ümläut" * 4])
def test_a_weak_token_is_refused_wherever_it_comes_from(tmp_path, weak):
    with pytest.raises(ConfigError, match="AIRELAYS_BEARER_TOKEN"):
        tokens_in(tmp_path, environment_token=weak)
    tokens = tokens_in(tmp_path)
    (tmp_path / "relay-token").write_text(f"{weak}\n")
    with pytest.raises(ConfigError, match="relay-token"):
        tokens.check()
    assert tokens.identify(weak.encode()) is None


def test_sixteen_characters_are_enough(tokens, tmp_path):
    (tmp_path / "relay-token").write_text("sixteen-chars-xy\n")
    assert tokens.identify(b"sixteen-chars-xy").name == MAIN


@pytest.mark.parametrize("content", ["", "{", "[]", '{"tokens": [{"name": 1}]}', "[" * 100_000])
def test_a_damaged_list_of_tokens_opens_nothing_and_spares_the_main_one(tokens, tmp_path, content):
    tokens.ensure()
    (tmp_path / "tokens.json").write_text(content)
    with pytest.raises(ConfigError, match=r"tokens\.json"):
        tokens.check()
    assert tokens.identify(tokens.show().encode()).name == MAIN
    assert tokens.identify(b"") is None


@pytest.mark.parametrize("name", ["", " laptop", "x" * 65, "new\nline", MAIN, "taken"])
def test_a_name_is_short_printable_and_free(tokens, name):
    tokens.add("taken")
    with pytest.raises(TokenNameError):
        tokens.add(name)


@pytest.mark.parametrize("act", ["revoke", "rotate"])
def test_an_unknown_name_is_an_error_that_names_it(tokens, act):
    with pytest.raises(TokenNameError, match="nobody"):
        getattr(tokens, act)("nobody")


def test_the_list_shows_fingerprints_and_no_secret(tokens):
    tokens.ensure()
    secret = tokens.add("laptop")
    listed = tokens.list()
    assert [entry.name for entry in listed] == [MAIN, "laptop"]
    assert listed[1].fingerprint == fingerprint(secret)
    assert secret not in repr(listed)
    assert tokens.show() not in repr(listed)


@given(st.binary(max_size=200))
def test_any_bytes_are_answered(tmp_path_factory, offered):
    tokens = tokens_in(tmp_path_factory.getbasetemp(), environment_token="a-constant-main-token")
    assert tokens.identify(offered) is None


def _add_many(directory, prefix, count):
    tokens = tokens_in(directory)
    for number in range(count):
        tokens.add(f"{prefix}-{number}")


def test_two_processes_that_add_tokens_lose_none(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    workers = [
        spawn.Process(target=_add_many, args=(tmp_path, prefix, 10)) for prefix in ("a", "b")
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert len(tokens_in(tmp_path).list()) == 20


def test_readers_meet_a_whole_file_while_it_is_replaced(tokens, tmp_path):
    tokens.ensure()
    stop = threading.Event()
    seen = set()

    def look():
        while not stop.is_set():
            seen.add(len((tmp_path / "relay-token").read_text()))

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(50):
        tokens.rotate()
    stop.set()
    reader.join(10)
    assert seen == {44}


def test_a_failed_replacement_keeps_the_old_file_and_leaves_nothing(tmp_path, monkeypatch):
    path = tmp_path / "relay-token"
    private_file.replace_file(path, b"old")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        private_file.replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["relay-token"]


def test_a_symbolic_link_survives_the_replacement(tmp_path):
    (tmp_path / "real").mkdir()
    link = tmp_path / "relay-token"
    link.symlink_to(tmp_path / "real" / "token")
    private_file.replace_file(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "real" / "token").read_bytes() == b"new"
