"""One renewal for all processes, and no rotated token lost, whatever is killed when."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from airelays_app.providers.codex.credentials import CredentialsBusyError
from tests.providers.codex.rotating_issuer import token

_PROCESS = "tests.providers.codex.renewing_process"
_ROOT = Path(__file__).parents[3]
_UPPER = 60


def start(login_file, issuer, point="none") -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", _PROCESS, str(login_file.path), issuer.url, point],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
    )


def let_the_token_die(login_file) -> None:
    dead = login_file.load().with_tokens({"access_token": token(lives=-60)}, at=0.0)
    with login_file.locked(wait_seconds=_UPPER):
        login_file.save(dead)


def finish(process) -> list[str]:
    out, err = process.communicate(timeout=_UPPER)
    assert process.returncode == 0, err
    return [line for line in out.split("\n") if line not in ("", "ready")]


def test_four_processes_of_four_threads_renew_once(login_file, issuer):
    issuer.release.clear()
    processes = [start(login_file, issuer, "4") for _ in range(4)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    assert issuer.committed.wait(_UPPER)
    issuer.release.set()
    lines = [line for process in processes for line in finish(process)]
    assert len(lines) == 16
    assert set(lines) == {login_file.load().access_token}
    assert issuer.commits == 1
    assert len(issuer.requests) == 1
    assert not issuer.revoked


@pytest.mark.parametrize(
    "point",
    ["before-errand", "after-errand", "before-rename", "after-rename", "before-forget"],
)
def test_a_process_killed_at_any_point_loses_nothing(login_file, issuer, point):
    killed = start(login_file, issuer, point)
    killed.communicate(timeout=_UPPER)
    assert killed.returncode == -signal.SIGKILL
    (line,) = finish(start(login_file, issuer))
    assert line == login_file.load().access_token
    assert login_file.load().refresh_token == issuer.current == "refresh-1"
    assert issuer.commits == 1
    let_the_token_die(login_file)
    (line,) = finish(start(login_file, issuer))
    assert line == login_file.load().access_token
    assert login_file.load().refresh_token == issuer.current == "refresh-2"
    assert not issuer.revoked
    assert not login_file.pending_path.exists()


def test_a_process_killed_while_the_issuer_decides_loses_nothing(login_file, issuer):
    """The messenger brings the answer home; until then nobody else may send the token."""
    issuer.release.clear()
    killed = start(login_file, issuer)
    assert issuer.committed.wait(_UPPER)
    killed.kill()
    killed.communicate(timeout=_UPPER)
    follower = start(login_file, issuer)
    assert follower.stdout.readline() == "ready\n"
    with pytest.raises(CredentialsBusyError), login_file.locked(wait_seconds=0.2):
        pytest.fail("the messenger does not hold the lock")
    issuer.release.set()
    (line,) = finish(follower)
    assert line == login_file.load().access_token
    assert login_file.load().refresh_token == issuer.current == "refresh-1"
    assert len(issuer.requests) == 1


@pytest.mark.parametrize("point", ["before-send", "after-keep"])
def test_a_messenger_killed_before_it_is_sent_or_after_it_is_back_loses_nothing(
    login_file, issuer, point
):
    finish(start(login_file, issuer, point))
    (line,) = finish(start(login_file, issuer))
    assert line == login_file.load().access_token
    assert login_file.load().refresh_token == issuer.current == "refresh-1"
    assert issuer.commits == 1


def test_the_gap_that_cannot_be_closed_says_what_happened_and_what_to_do(login_file, issuer):
    """The messenger itself is killed between the issuer's decision and the first byte of it."""
    (line,) = finish(start(login_file, issuer, "after-send"))
    assert line.startswith("problem: upstream")
    assert issuer.commits == 1
    for _ in range(2):
        (line,) = finish(start(login_file, issuer))
        assert line.startswith("problem: upstream_auth_refresh_failed")
        assert "airelays login" in line
        assert "cut off" in line
    assert len(issuer.requests) == 2
