"""The threads that serve: as many as there has been work for, each taking one job at a time.

The standard library's executor makes a future with its condition variable for each job and counts
idle threads with a semaphore, which costs more than handing the job over (measured 2026-11-25).
Here nobody waits for a result, and the caller knows how many jobs are under way.
"""

import _thread
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

from airelays_app.server.logs import note_failure

_Job = TypeVar("_Job")


class Threads(Generic[_Job]):
    """Runs ``work`` with each job in one of up to ``most`` threads.

    What ``work`` raises is logged; the thread goes on. The threads do not keep the process from
    ending.
    """

    def __init__(self, work: Callable[[_Job], None], *, most: int) -> None:
        self._work = work
        self._most = most
        self._started = 0
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()

    def run(self, job: _Job, *, running: int) -> None:
        """Let a thread take ``job``; ``running`` counts the jobs that are not done, this included.

        Only one thread may call this. Raises RuntimeError when another thread is needed and the
        system has none left; the job is queued nevertheless.
        """
        self._jobs.put(job)
        if self._started < min(running, self._most):
            # Thread.start() would wait until the new thread has had a turn, and the caller's
            # main loop with it: on a busy machine longest when most threads are needed.
            _thread.start_new_thread(self._serve, ())
            self._started += 1

    def end(self) -> None:
        """Let each thread end when it has nothing more to do; does not wait."""
        for _ in range(self._started):
            self._jobs.put(None)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self._work(job)
            except BaseException as error:
                note_failure("a thread's work failed", error)
