"""Making one reply while nobody waits for it: a thread's work from its first event to its end."""

import logging
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from socket import socketpair

from airelays_app.errors import ClientGone, RelayError, Unavailable, UpstreamCut
from airelays_app.neutral.failure import Failure, failure_of
from airelays_app.services.generation import Call
from airelays_app.services.keeping import Keepers
from airelays_app.services.record import Record
from airelays_app.services.relay import Answer, Relay
from airelays_app.services.run_events import LOST, EventLog, failing, finished
from airelays_app.store.batch_writer import Pending
from airelays_app.store.response_runs import Ended, ResponseRuns

_log = logging.getLogger("airelays.background")

_FINISH_TRIES = 15
_FINISH_PAUSE_SECONDS = 2.0
_UNEXPECTED = Failure(
    kind="other",
    status=500,
    type="server_error",
    code="internal_error",
    message="The relay made a mistake; its log says more.",
)


class BackgroundRun:
    """One reply, under its ``number`` in the store.

    ``response_json`` is the response as it waits to be made; ``streams`` says that its events are
    kept. A socket of its own stands for the client that has left: as soon as the other end is
    closed, whatever waits for the upstream gives up.
    """

    def __init__(
        self,
        number: int,
        response_json: bytes,
        *,
        runs: ResponseRuns,
        streams: bool,
    ) -> None:
        self.number = number
        self._response_json = response_json
        self._runs = runs
        self._streams = streams
        self._events = EventLog()
        self._noted: Pending | None = None
        self._is_stopped = False
        self._watch, self._lifeline = socketpair()

    def make(self, relay: Relay, call: Call, keepers: Keepers, record: Record) -> None:
        """Make the reply and write down how it ended; raises nothing."""
        with closing(self._watch), closing(self._lifeline):
            try:
                self._note(b"")
                answer = relay.answer(replace(call, watch=self._watch), record, keepers)
                self._write_down(answer, record)
            except ClientGone:
                record.outcome = "cancelled"
            except RelayError as error:
                self._fail(failure_of(error), record)
            except Exception:
                _log.exception("a background response failed")
                self._fail(_UNEXPECTED, record)
        _log.info("background response", extra={"fields": record.fields()})

    def stop(self) -> None:
        """Let the upstream go: somebody has ended the run."""
        self._is_stopped = True
        self._lifeline.close()

    def abandon(self) -> None:
        """Say that nobody makes the reply any more: this process is about to end."""
        self.stop()
        lost = failing(LOST)(self._response_json, self._events.next_sequence)
        with suppress(Unavailable):  # whoever looks will find out
            self._runs.finish(self.number, lost).wait()

    def never_begin(self) -> None:
        """Say that nobody makes the reply: there is no thread for it."""
        self._watch.close()
        self.abandon()

    def _write_down(self, answer: Answer, record: Record) -> None:
        for piece in _pieces(answer):
            self._note(piece)
        if self._events.response is None:
            raise ClientGone if self._is_stopped else UpstreamCut("The reply has no end.")
        record.outcome = str(self._events.response.get("status"))
        if answer.rest is not None:
            record.usage = answer.rest.usage

    def _note(self, piece: bytes) -> None:
        """Write down what came; raises Unavailable once something could not be written."""
        events = self._events.feed(piece)
        if events and self._events.response is not None:
            self._finish(finished(self._events.response, events))
            return
        if self._noted is not None:
            self._noted.check()
        if events or self._noted is None:
            self._noted = self._runs.note(self.number, events if self._streams else ())

    def _fail(self, failure: Failure, record: Record) -> None:
        record.outcome = failure.code or failure.type
        with suppress(Unavailable):  # the run will be found to be lost
            self._finish(failing(failure)(self._response_json, self._events.next_sequence))

    def _finish(self, ended: Ended) -> None:
        """Write the end down, as soon as storage takes it; raises Unavailable if it never does."""
        for _ in range(_FINISH_TRIES):
            with suppress(Unavailable):
                self._runs.finish(self.number, ended).wait()
                return
            time.sleep(_FINISH_PAUSE_SECONDS)
        self._runs.finish(self.number, ended).wait()


def _pieces(answer: Answer) -> Iterator[bytes]:
    """Yield all of the answer and close it."""
    yield answer.first
    if answer.rest is not None:
        with closing(answer.rest) as rest:
            yield from rest
