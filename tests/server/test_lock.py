"""Rules of the data directory's lock: one holder, known by name, gone with its process.

A forked child does not hold it: children that outlive a killed master do not keep it locked.
A directory in which others can write, and a link in the lock's place, are refused.
"""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from airelays_app.errors import ConfigError
from airelays_app.server.lock import (
    EX_TEMPFAIL,
    DirectoryInUse,
    DirectoryNotOurs,
    hold,
    pid_file,
)

HOLD = """
import os, sys, time
from pathlib import Path
from airelays_app.server.lock import hold
with hold(Path(sys.argv[1])):
    if os.fork() == 0:
        os.setsid()
        os.closerange(0, 3)
        time.sleep(600)
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_holder_is_refused_and_told_who_holds(tmp_path):
    refusal = pytest.raises(DirectoryInUse, match=f"process {os.getpid()}")
    with hold(tmp_path), refusal, hold(tmp_path):
        pytest.fail("two holders")
    with hold(tmp_path):
        assert (tmp_path / "relay.lock").read_text() == f"{os.getpid()}\n"


def test_the_refusal_is_a_configuration_error_without_a_path(tmp_path):
    with hold(tmp_path), pytest.raises(ConfigError) as refused, hold(tmp_path):
        pytest.fail("two holders")
    assert str(tmp_path) not in str(refused.value)
    assert EX_TEMPFAIL == 75


def test_directory_and_file_are_the_owners_alone(tmp_path):
    with hold(tmp_path / "data"):
        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "data" / "relay.lock").stat().st_mode) == 0o600


def test_an_existing_directory_of_ours_is_closed_to_others(tmp_path):
    tmp_path.chmod(0o777)
    with hold(tmp_path):
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_a_directory_that_everybody_shares_is_refused(tmp_path):
    tmp_path.chmod(0o1777)
    with pytest.raises(DirectoryNotOurs, match=r"paths\.data_dir"), hold(tmp_path):
        pytest.fail("held")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_another_account_is_refused_unless_it_is_roots(tmp_path, monkeypatch):
    theirs, roots = tmp_path / "theirs", tmp_path / "roots"
    for directory, owner in ((theirs, 4711), (roots, 0)):
        directory.mkdir()
        os.chown(directory, owner, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 4713)
    with pytest.raises(DirectoryNotOurs), hold(theirs):
        pytest.fail("held")
    with hold(roots):
        assert (roots / "relay.lock").exists()


def test_a_link_in_the_place_of_the_lock_is_refused(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (data / "relay.lock").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic link"), hold(data):
        pytest.fail("held")
    assert victim.read_text() == "precious"


def test_a_number_left_by_a_dead_server_means_nothing(tmp_path):
    (tmp_path / "relay.lock").write_text("1\n")
    with hold(tmp_path):
        assert (tmp_path / "relay.lock").read_text() == f"{os.getpid()}\n"


def test_a_child_of_a_killed_holder_does_not_keep_the_lock(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout.readline() == "held\n"
        children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text().split()
        with pytest.raises(DirectoryInUse), hold(tmp_path):
            pytest.fail("two holders")
        holder.kill()
    try:
        with hold(tmp_path):
            assert children
            assert all(Path(f"/proc/{pid}").exists() for pid in children)
    finally:
        for pid in children:
            os.kill(int(pid), 9)


def test_a_forked_child_that_unwinds_leaves_the_holders_lock_alone(tmp_path):
    with hold(tmp_path):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        with pytest.raises(DirectoryInUse), hold(tmp_path):
            pytest.fail("two holders")


def test_the_pid_file_lives_as_long_as_its_block(tmp_path):
    path = tmp_path / "relay.pid"
    path.write_text("1\n")
    with pid_file(path):
        assert path.read_text() == f"{os.getpid()}\n"
    assert not path.exists()


def test_a_pid_file_that_another_server_has_taken_over_stays(tmp_path):
    path = tmp_path / "relay.pid"
    with pid_file(path):
        path.write_text("1\n")
    assert path.read_text() == "1\n"


def test_no_pid_file_is_written_without_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pid_file(None):
        assert list(tmp_path.iterdir()) == []
