"""Batches: run one request after the other, their results written to files."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import chain
from typing import Any, Literal

from airelays_app.dialects import DIALECTS
from airelays_app.errors import RelayError, TooLarge, UpstreamTimeout
from airelays_app.framing.jsontext import dumps, loads
from airelays_app.ids import fresh_id
from airelays_app.neutral.failure import failure_of
from airelays_app.services.batch_outcomes import Outcome, crashed, log_outcome, refused
from airelays_app.services.batch_requests import ENDPOINTS
from airelays_app.services.chores import Keep
from airelays_app.services.creation import Asked, Creation
from airelays_app.services.record import Record
from airelays_app.services.routing import Router
from airelays_app.store.batches import Batch, BatchRequest, BatchResult, BatchStore
from airelays_app.store.files import FileStore

Json = dict[str, Any]

_KEEP_SECONDS = 5.0
_PAUSES = (1.0, 5.0, 20.0, 60.0)
_MOST_OUTAGES = 6

_OUT_OF_TIME = UpstreamTimeout(
    "The batch's time was over before this request was run.", code="batch_expired"
)

Perform = Callable[[str, Json], Outcome]


def performer(creation: Creation, router: Router) -> Perform:
    """Return what asks for one whole reply at an endpoint, in the owner's name."""

    def perform(endpoint: str, body: Json) -> Outcome:
        dialect = DIALECTS[ENDPOINTS[endpoint]]
        record = Record(fresh_id("req"), method="BATCH", path=endpoint)
        try:
            model = body.get("model")
            route = router.route(model if isinstance(model, str) else "")
            asked = Asked(dialect=dialect, route=route, raw=dumps(body), body=body)
            outcome = Outcome(200, loads(creation.answer(asked, record).first))
        except RelayError as error:
            outcome = refused(dialect, error, record)
        except Exception:
            outcome = crashed(dialect, record)
        log_outcome(outcome, record)
        return outcome

    return perform


class BatchRunner:
    """Runs batches in their order, some requests at once; a chore of one process."""

    def __init__(
        self, store: BatchStore, files: FileStore, perform: Perform, *, concurrency: int
    ) -> None:
        self._store = store
        self._files = files
        self._perform = perform
        self._concurrency = concurrency
        self._not_before = 0.0
        self._outages: dict[tuple[str, int], int] = {}

    def is_due(self) -> bool:
        """Tell whether a batch has something to do that need not wait."""
        return time.monotonic() >= self._not_before and bool(self._store.running())

    def run(self, keep: Keep) -> None:
        """Run until there is nothing left to do, an upstream asks to wait, or ``keep`` says no."""
        for batch in self._store.running():
            if batch.status == "in_progress":
                self._run_requests(batch, keep)
            if not keep():
                return
            self._settle(batch)
            if time.monotonic() < self._not_before:
                return

    def _run_requests(self, batch: Batch, keep: Keep) -> None:
        with ThreadPoolExecutor(self._concurrency, thread_name_prefix="batch") as workers:
            running: dict[Future[Outcome], BatchRequest] = {}
            while self._may_go_on(batch, keep):
                for request in self._next(batch, running.values()):
                    running[workers.submit(self._perform, batch.endpoint, request.body)] = request
                if not running:
                    break
                self._take(batch, running)
            while running:
                keep()
                self._take(batch, running)

    def _may_go_on(self, batch: Batch, keep: Keep) -> bool:
        if not keep() or time.monotonic() < self._not_before or time.time() >= batch.expires_at:
            return False
        return self._store.get(batch.id, batch.owner).status == "in_progress"

    def _next(self, batch: Batch, running: Iterator[BatchRequest] | Any) -> list[BatchRequest]:
        busy = {request.position for request in running}
        pending = self._store.pending(batch.id, limit=self._concurrency)
        free = self._concurrency - len(busy)
        return [each for each in pending if each.position not in busy][:free]

    def _take(self, batch: Batch, running: dict[Future[Outcome], BatchRequest]) -> None:
        done, _ = wait(running, timeout=_KEEP_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            self._note(batch, running.pop(future), future.result())

    def _note(self, batch: Batch, request: BatchRequest, outcome: Outcome) -> None:
        if outcome.pause is not None and self._shall_wait(batch, request, outcome):
            return
        self._outages.pop((batch.id, request.position), None)
        self._store.finish_request(
            batch.id, request.position, status=outcome.status, response=outcome.body
        )

    def _shall_wait(self, batch: Batch, request: BatchRequest, outcome: Outcome) -> bool:
        """A used-up quota is waited for as long as the batch may take, an outage some times."""
        key = (batch.id, request.position)
        count = self._outages[key] = self._outages.get(key, 0) + 1
        if outcome.status != 429 and count >= _MOST_OUTAGES:
            return False
        pause = outcome.pause or _PAUSES[min(count, len(_PAUSES)) - 1]
        self._not_before = max(self._not_before, time.monotonic() + pause)
        return True

    def _settle(self, batch: Batch) -> None:
        """Move a batch on that has nothing left to run, here or elsewhere."""
        if self._store.awaits_others(batch.id):
            return
        state = self._store.get(batch.id, batch.owner)
        over = time.time() >= state.expires_at
        if state.status == "in_progress" and (over or not self._store.pending(batch.id, limit=1)):
            self._store.settle(batch.id, status="finalizing")
            state = self._store.get(batch.id, batch.owner)
        if state.status in ("finalizing", "cancelling"):
            self._finalize(state)

    def _finalize(self, batch: Batch) -> None:
        end = _end_of(batch)
        if end == "expired":
            self._store.finish_rest(batch.id, status=_OUT_OF_TIME.status, response=_late(batch))
        self._store.add_files(
            batch.id,
            output_file_id=self._written(batch, "output", lambda status: status < 300),
            error_file_id=self._written(batch, "error", lambda status: status >= 300),
        )
        self._store.settle(batch.id, status=end)

    def _written(self, batch: Batch, kind: str, belongs: Callable[[int], bool]) -> str | None:
        """Write a file of results; None where there are none, or no room for it."""
        lines = (line(each) for each in self._store.results(batch.id) if belongs(each.status))
        first = next(lines, None)
        if first is None:
            return None
        try:
            stored = self._files.create(
                LineStream(chain([first], lines)),
                filename=f"{batch.id}_{kind}.jsonl",
                purpose="batch_output",
                content_type="application/jsonl",
                owner=batch.owner,
            )
        except TooLarge:
            return None  # the results route still has them
        return stored.id


def _end_of(batch: Batch) -> Literal["completed", "cancelled", "expired"]:
    if batch.status == "cancelling":
        return "cancelled"
    is_late = batch.finalizing_at is not None and batch.finalizing_at >= batch.expires_at
    return "expired" if is_late else "completed"


def _late(batch: Batch) -> Json:
    """Return what becomes of a request for which there was no time."""
    dialect = DIALECTS[ENDPOINTS[batch.endpoint]]
    return dialect.error_body(failure_of(_OUT_OF_TIME), "")


class LineStream:
    """Lines as a stream of bytes; each is made when it is read."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines

    def read(self, size: int, /) -> bytes:
        """Return the next lines, ``size`` bytes or a line more; none at the end."""
        gathered = bytearray()
        while len(gathered) < size and (found := next(self._lines, b"")):
            gathered += found
        return bytes(gathered)


def line(result: BatchResult) -> bytes:
    """Return a result as a line of an output or error file (OpenAI's form, seen 2026-11-22)."""
    response = {
        "status_code": result.status,
        "request_id": f"batch_req_{result.position}",
        "body": result.response,
    }
    whole = {
        "id": f"batch_req_{result.position}",
        "custom_id": result.custom_id,
        "response": response,
        "error": None,
    }
    return dumps(whole) + b"\n"
