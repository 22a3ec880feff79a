"""Running requests per address, over all workers.

* The cap is never exceeded, by threads or by processes; a released place is free at once.
* A worker killed -9 loses its places; a live one keeps them whatever others do.
* Neither a full disk nor a damaged file stops the relay.
"""

import os
import signal
import stat
import subprocess
import sys
import threading

import pytest

from airelays_app.errors import Unavailable
from airelays_app.store import slots as slots_module
from airelays_app.store.slots import Slots

HOLDER = """
import sys
from pathlib import Path
from airelays_app.store.slots import Slots
slots = Slots(Path(sys.argv[1]))
held = [slots.acquire("a", limit=int(sys.argv[3])) for _ in range(int(sys.argv[2]))]
print(sum(slot is not None for slot in held), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "slots"


@pytest.fixture
def slots(path):
    slots = Slots(path)
    yield slots
    slots.close()


class Holder:
    """Another process that takes places and keeps them until it is ended."""

    def __init__(self, path, wanted, limit):
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(path), str(wanted), str(limit)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def admitted(self):
        return int(self.process.stdout.readline())

    def end(self, number=signal.SIGKILL, *, reap=True):
        self.process.send_signal(number)
        if not reap:
            os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
            return
        self.process.wait(60)
        self.process.stdin.close()
        self.process.stdout.close()


def test_the_cap_holds_and_a_released_place_is_free(slots):
    held = [slots.acquire("a", limit=3) for _ in range(3)]
    assert slots.acquire("a", limit=3) is None
    assert slots.acquire("b", limit=3) is not None
    assert (slots.count("a"), slots.active_addresses()) == (3, 2)
    slots.release(held[1])
    assert slots.count("a") == 2
    assert slots.acquire("a", limit=3) is not None


def test_threads_never_exceed_the_cap(slots):
    running, most, lock = [0], [0], threading.Lock()

    def work():
        for _ in range(200):
            slot = slots.acquire("a", limit=5)
            if slot is None:
                continue
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            with lock:
                running[0] -= 1
            slots.release(slot)

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert 1 <= most[0] <= 5
    assert (slots.count("a"), slots.active_addresses()) == (0, 0)


def test_processes_share_one_cap_and_a_killed_one_frees_its_places(slots, path):
    held = [slots.acquire("a", limit=50) for _ in range(30)]
    other = Holder(path, 40, 50)
    assert other.admitted() == 20
    assert slots.count("a") == 50
    assert slots.acquire("a", limit=50) is None
    other.end()
    assert slots.acquire("a", limit=50) is not None
    assert slots.count("a") == 31
    assert len(held) == 30


def test_processes_that_reach_at_once_never_exceed_the_cap(slots, path):
    others = [Holder(path, 30, 40) for _ in range(3)]
    total = sum(other.admitted() for other in others)
    assert total <= 40
    assert slots.count("a") == total
    for other in others:
        other.end()
    assert slots.count("a") == 0


def test_a_killed_worker_that_nobody_has_reaped_counts_as_dead(slots, path):
    other = Holder(path, 5, 5)
    assert other.admitted() == 5
    other.end(reap=False)
    assert slots.acquire("a", limit=5) is not None
    other.end()


def test_a_process_id_that_is_used_again_does_not_inherit(slots, path, monkeypatch):
    other = Holder(path, 5, 50)
    assert other.admitted() == 5
    real = slots_module._start_time
    ghost = other.process.pid
    monkeypatch.setattr(
        slots_module, "_start_time", lambda pid: real(pid) + 1 if pid == ghost else real(pid)
    )
    assert slots.count("a") == 0
    other.end()


def test_a_fork_gets_places_of_its_own(slots):
    before = slots.acquire("a", limit=50)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        slots.release(before)
        slots.acquire("a", limit=50)
        os.write(writing, b"x")
        os.close(writing)
        signal.pause()
    os.close(writing)
    assert os.read(reading, 1) == b"x"
    os.close(reading)
    assert slots.count("a") == 2
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert slots.count("a") == 1


def test_places_of_an_earlier_boot_are_forgotten(slots, path, monkeypatch):
    slots.acquire("a", limit=50)
    monkeypatch.setattr(slots_module, "boot_id", lambda: "another boot")
    later = Slots(path)
    assert later.count("a") == 0
    later.close()


def test_a_damaged_file_is_started_anew(path):
    path.write_bytes(os.urandom(5000))
    slots = Slots(path)
    assert slots.count("a") == 0
    assert slots.acquire("a", limit=1) is not None
    assert slots.acquire("a", limit=1) is None
    slots.close()


def test_the_file_is_private(slots, path):
    slots.acquire("a", limit=1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_in_the_place_of_the_file_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "slots").symlink_to(victim)
    slots = Slots(tmp_path / "slots")
    assert slots.acquire("a", limit=1) is not None
    assert slots.acquire("a", limit=1) is None
    assert victim.read_text() == "precious"
    slots.close()


def test_a_full_disk_leaves_each_worker_its_own_count(path, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    slots = Slots(path)
    assert slots.acquire("a", limit=1) is not None
    assert slots.acquire("a", limit=1) is None
    slots.close()


def test_a_worker_without_a_place_says_so_and_recovers(slots):
    held = [slots.acquire("a", limit=5000) for _ in range(2048)]
    with pytest.raises(Unavailable):
        slots.acquire("a", limit=5000)
    slots.release(held.pop())
    assert slots.acquire("a", limit=5000) is not None
