"""Replies that are made while nobody waits: ``background: true``.

Each has a thread of this process. Its state is in the store, where every process can read it and
end it; a watchman holds what is made here for another while, and stops what somebody has ended.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from time import monotonic

from airelays_app.dialects.base import Json, ReplyContext
from airelays_app.dialects.responses.reply import response_object
from airelays_app.errors import TooManyRequests, Unavailable
from airelays_app.framing.jsontext import dumps
from airelays_app.ids import fresh_id
from airelays_app.services.background_run import BackgroundRun
from airelays_app.services.generation import Call, prepare
from airelays_app.services.keeping import Keepers
from airelays_app.services.record import Record
from airelays_app.services.relay import Answer, Relay
from airelays_app.services.responses import KeptRequest, Responses
from airelays_app.services.run_events import opening
from airelays_app.store.response_runs import ResponseRuns

_LOOK_SECONDS = 0.5
"""How soon a run notices that it was ended by another process."""

_RENEW_SECONDS = 5.0
_RETRY_SECONDS = 5


class Background:
    """The runs of this process, at most ``most`` at once."""

    def __init__(
        self, relay: Relay, runs: ResponseRuns, responses: Responses, *, most: int
    ) -> None:
        self._relay = relay
        self._runs = runs
        self._responses = responses
        self._most = most
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(most)
        self._running: dict[int, BackgroundRun] = {}
        self._watchman: threading.Thread | None = None

    def answer(self, call: Call, keepers: Keepers, kept: KeptRequest, record: Record) -> Answer:
        """Begin to make a reply; return it as it waits, or its stream as it comes.

        Raises TooManyRequests, Unavailable, and what is wrong with the request itself.
        """
        try:
            prepare(call)
            self._take_place()
            try:
                return self._begun(call, keepers, kept, record)
            except BaseException:
                self._places.release()
                raise
        except BaseException:
            keepers.release()
            raise

    def is_busy(self) -> bool:
        """Tell whether a reply is being made."""
        return bool(self._running)

    def abandon(self) -> None:
        """Give up what is being made, and say so: the process is about to end."""
        for run in self._all():
            run.abandon()

    def _begun(self, call: Call, keepers: Keepers, kept: KeptRequest, record: Record) -> Answer:
        waiting = _waiting(call)
        events = opening(waiting) if call.streams else ()
        number = self._runs.begin(kept.new(waiting), events)
        run = BackgroundRun(number, dumps(waiting), runs=self._runs, streams=call.streams)
        self._start(run, _as_stream(call, waiting), keepers, _record(record))
        if not call.streams:
            return Answer(dumps(waiting))
        follower = self._responses.follower(number, after=len(events) - 1, watch=call.watch)
        return Answer(b"".join(event.data for event in events), follower)

    def _take_place(self) -> None:
        if not self._places.acquire(blocking=False):
            raise TooManyRequests(
                f"Too many background responses are being made (limit {self._most}).",
                code="too_many_background_responses",
                retry_after=_RETRY_SECONDS,
            )

    def _start(self, run: BackgroundRun, call: Call, keepers: Keepers, record: Record) -> None:
        def make() -> None:
            try:
                run.make(self._relay, call, keepers, record)
            finally:
                with self._lock:
                    del self._running[run.number]
                self._places.release()

        try:
            with self._lock:
                if self._watchman is None:
                    self._watchman = _started(self._watch, name="watchman")
                _started(make, name="background")
                self._running[run.number] = run
        except RuntimeError as error:  # the system lets this process have no further thread
            run.never_begin()
            raise Unavailable("The relay has no thread left to make the response with.") from error

    def _watch(self) -> None:
        """Hold the runs while there are some, and stop those that are not held any more."""
        renew_at = monotonic() + _RENEW_SECONDS
        while self._is_wanted():
            time.sleep(_LOOK_SECONDS)
            with suppress(Unavailable):  # others see the lease end if this goes on for long
                self._stop_ended()
                if monotonic() >= renew_at:
                    self._runs.renew()
                    renew_at = monotonic() + _RENEW_SECONDS

    def _is_wanted(self) -> bool:
        with self._lock:
            if not self._running:
                self._watchman = None
            return bool(self._running)

    def _stop_ended(self) -> None:
        running = self._all()
        held = self._runs.held()
        for run in running:
            if run.number not in held:
                run.stop()

    def _all(self) -> list[BackgroundRun]:
        with self._lock:
            return list(self._running.values())


def _started(target: Callable[[], None], *, name: str) -> threading.Thread:
    thread = threading.Thread(target=target, name=name, daemon=True)
    thread.start()
    return thread


def _waiting(call: Call) -> Json:
    """Return the response as it waits to be made."""
    context = ReplyContext(
        id=fresh_id("resp"),
        created=int(time.time()),
        model=call.route.model,
        fresh_id=fresh_id,
        echo={**call.dialect.echo(call.body), **call.overrides, "background": True, "store": True},
    )
    return response_object(context, status="queued", output=[])


def _as_stream(call: Call, waiting: Json) -> Call:
    """Return the call that makes the reply: always a stream, under the id that is known."""
    ours = {name: waiting[name] for name in ("id", "created_at", "background", "store")}
    return replace(
        call,
        body={**call.body, "stream": True},
        streams=True,
        untouched=False,
        overrides={**call.overrides, **ours},
    )


def _record(asked: Record) -> Record:
    """Return the record of the run, which has the id of the request that asked for it."""
    return Record(
        asked.request_id,
        method="BACKGROUND",
        path=asked.path,
        credential=asked.credential,
        dialect=asked.dialect,
    )
