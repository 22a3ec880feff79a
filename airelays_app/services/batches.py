"""Batches that the relay runs: some requests at once, of all batches in turn."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

from airelays_app.dialects import DIALECTS
from airelays_app.dialects.base import Json
from airelays_app.errors import RelayError, Unavailable
from airelays_app.framing.jsontext import dumps, loads
from airelays_app.ids import fresh_id
from airelays_app.services.batch_ends import BatchEnds
from airelays_app.services.batch_outcomes import Outcome, crashed, log_outcome, refused
from airelays_app.services.batch_requests import ENDPOINTS
from airelays_app.services.chores import Keep
from airelays_app.services.creation import Asked, Creation
from airelays_app.services.record import Record
from airelays_app.services.routing import Router
from airelays_app.store.batch_work import BatchWork, OpenBatch
from airelays_app.store.batches import BatchRequest

_KEEP_SECONDS = 5.0
_PAUSES = (1.0, 5.0, 20.0, 60.0)
_MOST_OUTAGES = 6
_STUCK_SECONDS = 60.0

_log = logging.getLogger("airelays.batches")

Perform = Callable[[OpenBatch, Json], Outcome]


def performer(creation: Creation, router: Router) -> Perform:
    """Return what asks for one whole reply to a request of a batch."""

    def perform(batch: OpenBatch, body: Json) -> Outcome:
        dialect = DIALECTS[ENDPOINTS[batch.endpoint]]
        record = Record(fresh_id("req"), method="BATCH", path=batch.endpoint)
        try:
            model = body.get("model")
            route = router.route(model if isinstance(model, str) else "")
            asked = Asked(
                dialect=dialect,
                route=route,
                raw=dumps(body),
                body=body,
                owner=batch.owner,
                keeps=_keeps(body),
            )
            outcome = Outcome(200, loads(creation.answer(asked, record).first))
        except RelayError as error:
            outcome = refused(dialect, error, record)
        except Exception:
            outcome = crashed(dialect, record)
        log_outcome(outcome, record)
        return outcome

    return perform


def _keeps(body: Json) -> bool:
    """Tell whether a reply is kept as a response, too: if it continues one.

    Nothing is left to run on in the background.
    """
    return bool(body.get("previous_response_id")) and not body.get("background")


@dataclass(frozen=True, slots=True)
class _Task:
    """A request that is being run."""

    batch: OpenBatch
    request: BatchRequest


_Running = dict[Future[Outcome], _Task]


class BatchRunner:
    """A chore of one process.

    The batch with the fewest requests on their way goes on first, so that none waits for the whole
    of another. A model whose upstream asks to wait is paused; the others go on.
    """

    def __init__(
        self, work: BatchWork, ends: BatchEnds, perform: Perform, *, concurrency: int
    ) -> None:
        self._work = work
        self._ends = ends
        self._perform = perform
        self._concurrency = concurrency
        self._paused: dict[str, float] = {}
        self._stuck: dict[str, float] = {}
        self._outages: Counter[tuple[str, int]] = Counter()
        self._turns: dict[str, int] = {}
        self._turn = count(1)

    def is_due(self) -> bool:
        """Tell whether a batch has something to do that need not wait."""
        return any(self._ready(batch, set()) or self._ends.is_over(batch) for batch in self._open())

    def run(self, keep: Keep) -> None:
        """Run until nothing is left to do, every upstream asks to wait, or ``keep`` says no."""
        running: _Running = {}
        with ThreadPoolExecutor(self._concurrency, thread_name_prefix="batch") as workers:
            try:
                while keep():
                    self._begin(workers, running)
                    self._end_idle(running, keep)
                    if not running:
                        return
                    self._take(running)
            finally:
                self._take_rest(running, keep)

    def _begin(self, workers: ThreadPoolExecutor, running: _Running) -> None:
        """Begin as many requests as may run at once."""
        while len(running) < self._concurrency and (task := self._next(running)):
            future = workers.submit(self._perform, task.batch, task.request.body)
            running[future] = task
            self._turns[task.batch.id] = next(self._turn)

    def _next(self, running: _Running) -> _Task | None:
        """Return a request of the batch whose turn it is."""
        tasks = running.values()
        counts = Counter(task.batch.id for task in tasks)
        turns = sorted(
            self._open(), key=lambda batch: (counts[batch.id], self._turns.get(batch.id, 0))
        )
        for batch in turns:
            busy = {task.request.position for task in tasks if task.batch.id == batch.id}
            if request := self._ready(batch, busy):
                return _Task(batch, request)
        return None

    def _ready(self, batch: OpenBatch, busy: set[int]) -> BatchRequest | None:
        """Return the next request of a batch that can be run now."""
        if batch.status != "in_progress" or time.time() >= batch.expires_at:
            return None
        found = self._work.pending(
            batch.id, limit=len(busy) + 1, but_models=self._in_future(self._paused)
        )
        return next((request for request in found if request.position not in busy), None)

    def _open(self) -> list[OpenBatch]:
        stuck = self._in_future(self._stuck)
        return [batch for batch in self._work.running() if batch.id not in stuck]

    def _in_future(self, moments: dict[str, float]) -> set[str]:
        now = time.monotonic()
        return {name for name, moment in moments.items() if moment > now}

    def _take_rest(self, running: _Running, keep: Keep) -> None:
        while running:
            with suppress(Unavailable):  # their results may still be written
                keep()
            self._take(running)

    def _take(self, running: _Running) -> None:
        done, _ = wait(running, timeout=_KEEP_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            task = running.pop(future)
            try:
                self._note(task, future.result())
            except Unavailable as error:
                self._hold(task.batch, error)

    def _note(self, task: _Task, outcome: Outcome) -> None:
        batch, request = task.batch, task.request
        if outcome.pause is not None and self._shall_wait(task, outcome):
            return
        self._outages.pop((batch.id, request.position), None)
        self._work.finish_request(
            batch.id, request.position, status=outcome.status, response=outcome.body
        )

    def _shall_wait(self, task: _Task, outcome: Outcome) -> bool:
        """Pause the model, unless it has been out of reach too often."""
        key = (task.batch.id, task.request.position)
        self._outages[key] += 1
        times = self._outages[key]
        if not outcome.is_owed and times >= _MOST_OUTAGES:
            return False
        pause = outcome.pause or _PAUSES[min(times, len(_PAUSES)) - 1]
        model, until = task.request.model, time.monotonic() + pause
        self._paused[model] = max(until, self._paused.get(model, 0.0))
        return True

    def _end_idle(self, running: _Running, keep: Keep) -> None:
        """End the batches that are over and have nothing on its way."""
        busy = {task.batch.id for task in running.values()}
        for batch in self._open():
            if batch.id not in busy and self._ends.is_over(batch):
                self._end(batch, keep)

    def _end(self, batch: OpenBatch, keep: Keep) -> None:
        """End a batch; what keeps one from ending keeps no other."""
        try:
            self._ends.end(batch, keep)
            self._turns.pop(batch.id, None)
        except RelayError as error:
            self._hold(batch, error)
        except Exception:
            _log.exception("batch %s cannot end", batch.id)
            self._stuck[batch.id] = time.monotonic() + _STUCK_SECONDS

    def _hold(self, batch: OpenBatch, error: RelayError) -> None:
        """Leave a batch alone for a while."""
        _log.warning("batch %s waits: %s", batch.id, error.message)
        self._stuck[batch.id] = time.monotonic() + _STUCK_SECONDS
