"""The pending record: an answer is found again whole or not at all, and space is taken first."""

import errno
import os
import stat

import pytest

from airelays_app.providers.codex.journal import Journal
from airelays_app.providers.codex.oauth import IssuerAnswer


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "auth.json.pending")


def test_no_record(journal):
    assert journal.read() is None
    journal.forget()


def test_a_record_without_an_answer(journal):
    journal.begin("f", cut_off=True).__exit__(None, None, None)
    renewal = journal.read()
    assert (renewal.fingerprint, renewal.cut_off, renewal.answer) == ("f", True, None)


@pytest.mark.parametrize("raw", [b"", b"{}", b'{\n "a": 1\n}\n', b"x" * 200_000])
def test_an_answer_comes_back_as_it_was(journal, raw):
    with journal.begin("f", cut_off=False) as pending:
        pending.keep(IssuerAnswer(200, raw), at=5.5)
    renewal = journal.read()
    assert renewal.answer == IssuerAnswer(200, raw)
    assert renewal.answered_at == 5.5


def test_every_torn_record_reads_as_unanswered(journal, tmp_path):
    path = tmp_path / "auth.json.pending"
    with journal.begin("f", cut_off=False) as pending:
        pending.keep(IssuerAnswer(200, b'{"refresh_token": "new"}'), at=1.0)
    whole = path.read_bytes().rstrip(b"\0")
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        renewal = journal.read()
        assert renewal is None or renewal.answer is None
    path.write_bytes(whole.replace(b"new", b"\0\0\0"))
    assert journal.read().answer is None


def test_the_record_is_private(journal, tmp_path):
    journal.begin("f", cut_off=False).__exit__(None, None, None)
    assert stat.S_IMODE((tmp_path / "auth.json.pending").stat().st_mode) == 0o600


def test_a_full_disk_is_noticed_before_anything_is_sent(journal, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        journal.begin("f", cut_off=False)
