"""Batches: read and checked, run one request after the other, their results written to files."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import chain
from typing import Any, BinaryIO

from airelays_app.dialects import DIALECTS
from airelays_app.dialects.base import Dialect
from airelays_app.errors import RelayError, TooLarge, Unprocessable
from airelays_app.framing.jsontext import JsonTextError, dumps, loads
from airelays_app.ids import fresh_id
from airelays_app.neutral.failure import failure_of
from airelays_app.services.chores import Keep
from airelays_app.services.creation import Asked, Creation
from airelays_app.services.record import Record
from airelays_app.services.routing import Router
from airelays_app.store.batches import Batch, BatchRequest, BatchResult, BatchStore
from airelays_app.store.files import FileStore

Json = dict[str, Any]

ENDPOINTS: Mapping[str, str] = {
    "/v1/responses": "responses",
    "/v1/chat/completions": "chat",
    "/v1/completions": "completions",
    "/v1/messages": "messages",
}
"""What a batch may ask, and in which dialect."""

WINDOW_SECONDS = 24 * 3600
_MOST_REQUESTS = 50_000
_KEEP_SECONDS = 5.0
_PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
_PAUSES = (1.0, 5.0, 20.0, 60.0)
_LONGEST_PAUSE = 300.0
_MOST_OUTAGES = 6


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one request went; ``pause`` seconds are to pass before it is asked again, if set."""

    status: int
    body: Json
    pause: float | None = None


_log = logging.getLogger("airelays.batches")
_requests = logging.getLogger("airelays.requests")

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
            outcome = _refused(dialect, error, record)
        except Exception:
            _log.exception("request %s crashed", record.request_id)
            crash = RelayError("AIRelays failed; its log tells more.", code="internal_error")
            outcome = Outcome(crash.status, dialect.error_body(failure_of(crash), ""))
        record.status = outcome.status
        _requests.info("request", extra={"fields": record.fields()})
        return outcome

    return perform


def _refused(dialect: Dialect, error: RelayError, record: Record) -> Outcome:
    record.outcome = error.code or error.type
    told = dialect.error_body(failure_of(error), record.request_id)
    return Outcome(error.status, told, pause=_pause_of(error))


def _pause_of(error: RelayError) -> float | None:
    if error.status not in _PASSING_STATUSES:
        return None
    asked = error.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_PAUSE) if asked.isdecimal() else 0.0


def read_requests(lines: BinaryIO, endpoint: str) -> list[BatchRequest]:
    """Return the requests of a JSONL file; raises Unprocessable that names the line."""
    found = (line for line in lines if line.strip())
    return _checked((_object(line, number) for number, line in enumerate(found, 1)), endpoint)


def inline_requests(given: Sequence[Any], endpoint: str) -> list[BatchRequest]:
    """Return requests that came in the body itself; raises Unprocessable."""
    return _checked(((f"requests[{i}]", each) for i, each in enumerate(given)), endpoint)


def _object(line: bytes, number: int) -> tuple[str, Any]:
    try:
        return f"line {number}", loads(line)
    except JsonTextError as error:
        raise _wrong(f"line {number} is not JSON: {error}") from error


def _checked(entries: Iterator[tuple[str, Any]], endpoint: str) -> list[BatchRequest]:
    requests: list[BatchRequest] = []
    seen: set[str] = set()
    for where, entry in entries:
        request = _request(where, entry, endpoint, position=len(requests))
        if request.custom_id in seen:
            raise _wrong(f"{where} repeats the custom_id {request.custom_id[:64]!r}")
        seen.add(request.custom_id)
        requests.append(request)
        if len(requests) > _MOST_REQUESTS:
            raise _wrong(f"a batch has at most {_MOST_REQUESTS} requests")
    if not requests:
        raise _wrong("there are no requests")
    return requests


def _request(where: str, entry: Any, endpoint: str, *, position: int) -> BatchRequest:
    if not isinstance(entry, dict):
        raise _wrong(f"{where} must be an object")
    custom_id = entry.get("custom_id", f"request-{position + 1}")
    body = entry.get("body")
    if not isinstance(custom_id, str) or not custom_id:
        raise _wrong(f"{where}.custom_id must be a string")
    if entry.get("method", "POST") != "POST":
        raise _wrong(f"{where}.method must be POST")
    if entry.get("url", endpoint) != endpoint:
        raise _wrong(f"{where}.url must be {endpoint}, the endpoint of the batch")
    if not isinstance(body, dict):
        raise _wrong(f"{where}.body must be an object")
    if body.get("stream") is True:
        raise _wrong(f"{where}.body.stream cannot be true in a batch")
    return BatchRequest(position, custom_id, body)


def _wrong(what: str) -> Unprocessable:
    return Unprocessable(f"The batch cannot be run: {what}.", param="requests")


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
        """Move a batch on that has nothing left to run."""
        state = self._store.get(batch.id, batch.owner)
        over = time.time() >= state.expires_at
        if state.status == "in_progress" and (over or not self._store.pending(batch.id, limit=1)):
            self._store.settle(batch.id, status="finalizing")
            self._finalize(batch.id, "expired" if over else "completed")
        elif state.status == "finalizing":
            self._finalize(batch.id, "completed")
        elif state.status == "cancelling":
            self._finalize(batch.id, "cancelled")

    def _finalize(self, batch_id: str, end: Any) -> None:
        self._store.add_files(
            batch_id,
            output_file_id=self._written(batch_id, "output", lambda status: status < 300),
            error_file_id=self._written(batch_id, "error", lambda status: status >= 300),
        )
        self._store.settle(batch_id, status=end)

    def _written(self, batch_id: str, kind: str, belongs: Callable[[int], bool]) -> str | None:
        """Write a file of results; None where there are none, or no room for it."""
        lines = (line(each) for each in self._store.results(batch_id) if belongs(each.status))
        first = next(lines, None)
        if first is None:
            return None
        try:
            stored = self._files.create(
                LineStream(chain([first], lines)),
                filename=f"{batch_id}_{kind}.jsonl",
                purpose="batch_output",
                content_type="application/jsonl",
            )
        except TooLarge:
            return None  # the results route still has them
        return stored.id


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
