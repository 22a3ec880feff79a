"""A process is told from a later one with the same pid, and from its own zombie."""

import os
import subprocess

import pytest

from airelays_app.providers.local.process import ProcessId, end, process_id


def test_this_process_is_alive_and_another_start_time_is_not():
    own = process_id(os.getpid())
    assert own.alive()
    assert not ProcessId(own.pid, own.started + 1).alive()


def test_a_zombie_counts_as_ended():
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process_id(child.pid) is None


@pytest.mark.parametrize("disposition", ["", "trap '' TERM; echo deaf; "])
def test_end_waits_until_it_is_gone_even_if_it_ignores_sigterm(disposition, monkeypatch):
    monkeypatch.setattr("airelays_app.providers.local.process._END_SECONDS", 0.2)
    command = ["sh", "-c", f"{disposition} echo ready; exec sleep 3600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        while child.stdout.readline() != b"ready\n":
            continue
        process = process_id(child.pid)
        end(process)
        end(process)
        assert not process.alive()
