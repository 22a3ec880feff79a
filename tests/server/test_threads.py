"""Rules of a worker's threads: as many as there is work for, at most so many, none ever lost."""

import subprocess
import sys
import threading
import weakref
from queue import SimpleQueue

import pytest

from airelays_app.server.threads import Threads

PATIENCE = 20.0
IMPORT = "from airelays_app.server.threads import Threads"


class Work:
    """Jobs that say who does them and then wait until they are let go."""

    def __init__(self):
        self.begun = SimpleQueue()
        self.go = threading.Semaphore(0)

    def __call__(self, job):
        self.begun.put((job, threading.current_thread()))
        assert self.go.acquire(timeout=PATIENCE)
        if job == "bad":
            raise SystemExit

    def next(self):
        return self.begun.get(timeout=PATIENCE)


@pytest.fixture
def work():
    return Work()


@pytest.fixture
def threads(work):
    threads = Threads(work, most=2)
    yield threads
    threads.end()
    for _ in range(10):
        work.go.release()


def test_a_thread_is_started_only_when_all_others_have_work(threads, work):
    threads.run("one", running=1)
    _, first = work.next()
    work.go.release()
    threads.run("two", running=1)
    assert work.next() == ("two", first)
    threads.run("three", running=2)
    job, second = work.next()
    assert job == "three"
    assert second is not first


def test_beyond_all_threads_a_job_waits_for_its_turn(threads, work):
    for running, job in enumerate(("one", "two", "three"), start=1):
        threads.run(job, running=running)
    doers = {work.next()[1], work.next()[1]}
    assert work.begun.empty()
    work.go.release()
    job, thread = work.next()
    assert job == "three"
    assert thread in doers


def test_a_thread_survives_its_job_and_the_failure_is_logged(threads, work, caplog):
    threads.run("bad", running=1)
    _, thread = work.next()
    work.go.release()
    threads.run("good", running=1)
    assert work.next() == ("good", thread)
    assert "a thread's work failed" in caplog.text
    assert "SystemExit" in str(caplog.records[0].fields)


def test_a_thread_ends_when_told_and_has_nothing_more_to_do(tools):
    done = SimpleQueue()
    threads = Threads(done.put, most=1)
    threads.run("one", running=1)
    threads.run("two", running=2)
    threads.end()
    used = weakref.ref(threads)
    del threads
    assert [done.get(timeout=PATIENCE) for _ in range(2)] == ["one", "two"]
    tools.wait_until(lambda: used() is None, "the thread's end")


def test_a_thread_with_work_does_not_keep_the_process_from_ending():
    program = "Threads(threading.Event().wait, most=1).run(60.0, running=1)"
    subprocess.run(
        [sys.executable, "-c", f"import threading; {IMPORT}; {program}"],
        timeout=PATIENCE,
        check=True,
    )
