"""A token for this request, now: fresh without a lock, renewed once, honest when it cannot be."""

import json
import os
import threading
import time

import pytest

from airelays_app.errors import UpstreamLoginError, UpstreamUnreachable
from airelays_app.providers.codex.constants import Issuer
from airelays_app.providers.codex.credentials import CredentialFile
from airelays_app.providers.codex.session import CodexSession
from tests.providers.codex.rotating_issuer import InPerson, document, token

UPPER = 30.0


class Clock:
    """The wall clock, moved by ``offset`` seconds."""

    def __init__(self):
        self.offset = 0.0

    def __call__(self):
        return time.time() + self.offset


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def session(login_file, issuer, clock):
    courier = InPerson(Issuer(issuer.url), clock=clock)
    return CodexSession(login_file, courier=courier, clock=clock)


def store(file: CredentialFile, **changes) -> None:
    file.path.write_text(json.dumps(document(**changes)))


def eventually(condition) -> None:
    deadline = time.monotonic() + UPPER
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def problem_of(call) -> str:
    with pytest.raises(UpstreamLoginError) as raised:
        call()
    return raised.value.problem


def test_a_fresh_token_is_used_without_asking_or_locking(session, issuer, login_file):
    fresh = token(lives=3600)
    store(login_file, access=fresh)
    with login_file.locked(wait_seconds=1):
        access = session.access()
    assert (access.token, access.account_id) == (fresh, "acc-1")
    assert issuer.requests == []


def test_a_dead_token_is_renewed_and_stored(session, issuer, login_file):
    access = session.access()
    stored = login_file.load()
    assert access.token == stored.access_token
    assert stored.refresh_token == "refresh-1"
    assert time.time() - stored.last_refresh < UPPER
    assert not login_file.pending_path.exists()
    assert session.access() == access
    assert issuer.commits == 1


def test_an_aging_token_is_used_while_it_is_renewed_behind_the_request(session, issuer, login_file):
    aging = token(lives=200)
    store(login_file, access=aging)
    issuer.release.clear()
    assert session.access().token == aging
    assert issuer.committed.wait(UPPER)
    assert session.access().token == aging
    issuer.release.set()
    eventually(lambda: session.access().token != aging)
    assert issuer.commits == 1


def test_an_aging_token_outlives_an_issuer_that_is_down(session, issuer, login_file):
    aging = token(lives=200)
    store(login_file, access=aging)
    issuer.answers = [(503, b"busy")]
    for _ in range(20):
        assert session.access().token == aging
    eventually(lambda: len(issuer.requests) == 1)
    assert not login_file.path.with_name("auth.json.tmp").exists()


def test_without_a_thread_to_renew_it_a_token_is_used_while_it_lives(
    session, issuer, login_file, clock, monkeypatch
):
    def fail(_):
        raise RuntimeError("can't start new thread")

    aging = token(lives=200)
    store(login_file, access=aging)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", fail)
        assert session.access().token == aging
        clock.offset = 300
        with pytest.raises(UpstreamUnreachable, match="thread"):
            session.access()
    assert issuer.requests == []
    assert session.access().token != aging


def test_a_dead_token_and_an_issuer_that_is_down_is_passing(session, issuer, clock):
    issuer.answers = [(503, b"busy")]
    with pytest.raises(UpstreamUnreachable):
        session.access()
    with pytest.raises(UpstreamUnreachable):
        session.access()
    assert len(issuer.requests) == 1
    clock.offset = 6
    assert session.access().token
    assert issuer.commits == 1


def test_a_clock_that_jumps_back_does_not_prolong_the_pause(session, issuer, clock):
    issuer.answers = [(503, b"busy")]
    with pytest.raises(UpstreamUnreachable):
        session.access()
    clock.offset = -30
    assert session.access().token


def test_an_unreachable_issuer_is_passing_and_leaves_nothing_behind(login_file):
    session = CodexSession(login_file, courier=InPerson(Issuer("http://127.0.0.1:9")))
    with pytest.raises(UpstreamUnreachable):
        session.access()
    assert not login_file.pending_path.exists()


def test_a_refusal_is_remembered_by_every_process_until_the_file_changes(
    session, issuer, login_file
):
    issuer.revoked = True
    assert problem_of(session.access) == "refresh_failed"
    assert problem_of(session.access) == "refresh_failed"
    other = CodexSession(login_file, courier=InPerson(Issuer(issuer.url)))
    assert other.status()["problem"] == "refresh_failed"
    assert problem_of(other.access) == "refresh_failed"
    assert len(issuer.requests) == 1
    issuer.revoked, issuer.current = False, "refresh-new"
    store(login_file, refresh="refresh-new")
    assert session.access().token
    assert len(issuer.requests) == 2


def test_a_refused_login_is_used_as_long_as_its_token_lives(session, issuer, login_file):
    issuer.revoked = True
    aging = token(lives=200)
    store(login_file, access=aging)
    for _ in range(5):
        assert session.access().token == aging
        eventually(lambda: session._flight is None)
    assert len(issuer.requests) == 1
    assert session.status()["ready_for_requests"] is True
    assert session.status()["renewable"] is False
    assert session.is_ready()


def test_a_login_is_ready_while_its_token_lives_or_can_be_renewed(session, issuer, login_file):
    assert session.is_ready(), "an expired token with a refresh token"
    issuer.revoked = True
    assert problem_of(session.access) == "refresh_failed"
    assert not session.is_ready()
    store(login_file, access=token(lives=3600))
    assert session.is_ready()
    login_file.delete()
    assert not session.is_ready()


def test_a_rejected_token_is_renewed_once_for_all_threads(session, issuer, login_file):
    rejected = token(lives=3600, name="rejected")
    store(login_file, access=rejected)
    got = []
    threads = [
        threading.Thread(target=lambda: got.append(session.renew(rejected).token)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(UPPER)
    assert len(set(got)) == 1
    assert len(got) == 8
    assert issuer.commits == 1


def test_a_token_that_another_process_has_rotated_is_reused(session, issuer, login_file):
    other = CodexSession(login_file, courier=InPerson(Issuer(issuer.url)))
    rejected = session.access().token
    assert other.renew(rejected).token == session.renew(rejected).token
    assert issuer.commits == 2


def test_a_rejection_of_the_renewed_token_is_not_answered_by_another_renewal(
    session, issuer, clock
):
    first = session.access().token
    second = session.renew(first).token
    assert problem_of(lambda: session.renew(second)) == "rejected"
    assert issuer.commits == 2
    clock.offset = 61
    assert session.renew(second).token != second


def test_no_file_is_missing(tmp_path, issuer):
    session = CodexSession(
        CredentialFile(tmp_path / "auth.json"), courier=InPerson(Issuer(issuer.url))
    )
    assert problem_of(session.access) == "missing"
    assert problem_of(lambda: session.renew("x")) == "missing"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"OPENAI_API_KEY": "sk-1", "tokens": null}',
        '{"tokens": {"id_token": "x"}}',
    ],
)
def test_a_file_without_tokens_is_incomplete(session, login_file, issuer, content):
    login_file.path.write_text(content)
    assert problem_of(session.access) == "incomplete"
    assert problem_of(session.access) == "incomplete"
    assert session.status()["ready_for_requests"] is False
    assert issuer.requests == []


def test_a_dead_token_without_a_refresh_token_is_incomplete(session, login_file, issuer):
    store(login_file, refresh=None)
    assert problem_of(session.access) == "incomplete"
    assert issuer.requests == []


def test_a_refresh_token_alone_is_enough(session, login_file):
    known = document()
    del known["tokens"]["access_token"]
    login_file.path.write_text(json.dumps(known))
    assert session.access().token


def test_tokens_of_another_account_are_not_used(session, login_file, issuer):
    known = {
        **document(access=token(account="acc-2"), account="acc-2"),
        "bound_account_id": "acc-1",
    }
    login_file.path.write_text(json.dumps(known))
    assert problem_of(session.access) == "account_mismatch"
    assert session.status()["ready_for_requests"] is False
    assert issuer.requests == []


def test_a_renewal_that_changes_the_account_is_stored_and_refused(session, login_file, issuer):
    issuer.account = "acc-2"
    assert problem_of(session.access) == "account_mismatch"
    assert login_file.load().refresh_token == "refresh-1"


def test_a_new_login_is_seen_by_the_next_request(session, login_file):
    store(login_file, access=token(name="one"))
    first = session.access().token
    store(login_file, access=token(name="two-two"))
    assert session.access().token != first
    login_file.delete()
    assert problem_of(session.access) == "missing"


def test_an_answer_that_leaves_fields_out_keeps_the_old_values(session, login_file, issuer):
    issuer.answers = [(200, json.dumps({"access_token": token(name="only")}).encode())]
    session.access()
    stored = login_file.load()
    assert stored.refresh_token == "refresh-0"
    assert stored.account_id == "acc-1"


def test_a_rotated_refresh_token_without_an_access_token_is_stored(session, login_file, issuer):
    issuer.answers = [(200, b'{"refresh_token": "refresh-0"}')]
    assert session.access().token
    assert len(issuer.requests) == 2


def test_a_full_disk_before_the_request_means_that_nothing_is_sent(
    session, issuer, login_file, monkeypatch
):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UpstreamUnreachable):
        session.access()
    assert issuer.requests == []


def test_a_disk_that_fills_up_during_the_renewal_loses_nothing(
    session, issuer, login_file, monkeypatch
):
    def full(self, credentials):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(CredentialFile, "save", full)
        renewed = session.access().token
        assert session.access().token == renewed
        other = CodexSession(login_file, courier=InPerson(Issuer(issuer.url)))
        assert other.access().token == renewed
    assert login_file.load().refresh_token == "refresh-0"
    later = CodexSession(login_file, courier=InPerson(Issuer(issuer.url)))
    assert later.access().token == renewed
    assert login_file.load().refresh_token == "refresh-1"
    assert issuer.commits == 1


def test_the_wait_for_another_process_is_bounded(login_file, issuer):
    session = CodexSession(login_file, courier=InPerson(Issuer(issuer.url)), lock_wait_seconds=0.05)
    with login_file.locked(wait_seconds=1), pytest.raises(UpstreamUnreachable, match="another"):
        session.access()
    assert issuer.requests == []


def test_a_caller_that_is_interrupted_does_not_abort_the_renewal(session, issuer, login_file):
    issuer.release.clear()

    def caller() -> None:
        session._fly(rejected=None)

    thread = threading.Thread(target=caller)
    thread.start()
    assert issuer.committed.wait(UPPER)
    thread.join(UPPER)
    issuer.release.set()
    eventually(lambda: login_file.load().refresh_token == "refresh-1")


def test_status_shows_the_login_and_no_secret(session, login_file):
    store(login_file, access=token(lives=3600, name="secret"))
    status = session.status()
    assert status["authenticated"] is True
    assert status["credentials_present"] is True
    assert status["account_bound"] is True
    assert status["ready_for_requests"] is True
    assert status["problem"] is None
    assert status["email"] == "owner@example.org"
    assert status["plan_type"] == "plus"
    assert status["account_id"] == status["bound_account_id"] == "acc-1"
    assert status["last_refresh"].startswith("2026-11-01T10:00:00")
    assert status["expires_at"].startswith("20")
    shown = json.dumps(status)
    assert login_file.load().access_token not in shown
    assert "refresh-0" not in shown


def test_an_expired_login_is_not_shown_as_ready(session, issuer):
    status = session.status()
    assert status["ready_for_requests"] is False
    assert status["problem"] == "expired"
    assert status["renewable"] is True
    assert issuer.requests == []


def test_status_without_a_file(tmp_path, issuer):
    file = CredentialFile(tmp_path / "auth.json")
    status = CodexSession(file, courier=InPerson(Issuer(issuer.url))).status()
    assert status["problem"] == "missing"
    assert status["credentials_present"] is False
    assert list(tmp_path.iterdir()) == []


def test_a_clock_far_ahead_does_not_make_every_request_renew(session, issuer, clock):
    clock.offset = 40 * 86_400
    first = session.access().token
    assert session.access().token == first
    assert issuer.commits == 1
