"""Pumping a reply from the upstream through its lane, before and after the commit point."""

from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from math import inf
from time import monotonic

from airelays_app.errors import ClientGone, RelayError, UpstreamCut, UpstreamError
from airelays_app.framing.sse import BlockTooLargeError, SseSplitter
from airelays_app.neutral.failure import error_of, failure_of
from airelays_app.neutral.usage import Usage
from airelays_app.services.generation import Prepared
from airelays_app.services.keeping import NOBODY, Keepers
from airelays_app.services.lanes import TappedLane, TranslatedLane
from airelays_app.upstream.response import UpstreamResponse
from airelays_app.upstream.waiting import TICK_SECONDS, nothing

COMMIT_SECONDS = 1.0
"""How long after the upstream's own 200 the client's is held back for a first event."""


class Pump:
    """One upstream stream on its way through a lane.

    :meth:`begin` returns at the commit point and raises what went wrong before it; iterating
    gives the remainder, ``b""`` for each second of silence, with failures as in-band errors.
    ``keepers`` hear of the end before it is handed on; ``on_close`` runs once.
    """

    def __init__(
        self, response: UpstreamResponse, prepared: Prepared, keepers: Keepers = NOBODY
    ) -> None:
        self._response = response
        self._prepared = prepared
        self._lane: TappedLane | TranslatedLane = prepared.lane
        self._cutter = prepared.cutter
        self._keepers = keepers
        self._left = inf
        self.on_close: Callable[[], None] = nothing
        self._outputs = self._run()

    @property
    def usage(self) -> Usage | None:
        """The token counts so far."""
        return self._lane.usage

    @property
    def outcome(self) -> str:
        """How it ended: ``complete``, the failure's code, or ``client_gone``."""
        if self._lane.failure:
            return self._lane.failure.code or self._lane.failure.type
        return "complete" if self._lane.ended else "client_gone"

    def begin(self) -> bytes:
        """Return the bytes up to the commit point; raises RelayError, ClientGone."""
        deadline = monotonic() + COMMIT_SECONDS
        first: list[bytes] = []
        try:
            for output in self._outputs:
                first.append(output)
                if self._lane.has_content or monotonic() >= deadline:
                    break
            if self._lane.failure:
                raise error_of(self._lane.failure)
        except BaseException:
            self.close()
            raise
        return b"".join(first)

    def __iter__(self) -> "Pump":
        return self

    def __next__(self) -> bytes:
        try:
            output = next(self._outputs)
            if self._lane.failure:
                self._keepers.fail(self._prepared)
            return output
        except RelayError as error:
            output = self._lane.break_off(failure_of(error))
            self._keepers.fail(self._prepared)
            self.close()
            return output
        except ClientGone:
            self.close()
            raise StopIteration from None
        except BaseException:
            self.close()
            raise

    def whole(self, *, most_bytes: float) -> None:
        """Pump everything for a client that gets one whole reply; raises RelayError.

        ``most_bytes`` is what the upstream may send for it, because it is collected in memory.
        """
        self._left = most_bytes
        try:
            for _ in self._outputs:
                continue
            if self._lane.failure:
                raise error_of(self._lane.failure)
        finally:
            self.close()

    def close(self) -> None:
        """Close the upstream and run ``on_close``; idempotent."""
        self._outputs.close()
        self._response.close()
        on_close, self.on_close = self.on_close, nothing
        on_close()

    def _run(self) -> Generator[bytes]:
        splitter = SseSplitter(self._lane.runs)
        pieces = self._response.pieces(tick=TICK_SECONDS)
        for piece in pieces:
            self._keepers.heartbeat()
            yield self._passed(splitter, piece) if piece else b""
            if self._cutter and self._cutter.hit:
                return
            if self._lane.ended:
                _read_on(pieces)
                return
        yield self._end_of_input(splitter.close())

    def _end_of_input(self, rest: bytes) -> bytes:
        output = self._last_words(rest) if rest else b""
        output += self._lane.end_of_input()
        if not self._lane.ended:
            raise UpstreamCut("The upstream's stream ended before the reply was complete.")
        self._succeed()
        return output

    def _last_words(self, rest: bytes) -> bytes:
        """Pass what came without its blank line; an event that is cut short says nothing."""
        try:
            return self._lane.feed([rest])
        except UpstreamError:
            return b""

    def _passed(self, splitter: SseSplitter, piece: bytes) -> bytes:
        self._left -= len(piece)
        if self._left < 0:
            raise UpstreamError("The upstream sent more than upstream.max_reply_bytes allows.")
        try:
            blocks = splitter.feed(piece)
        except BlockTooLargeError as error:
            raise UpstreamError("The upstream sent an event that is too large.") from error
        output = self._lane.feed(blocks) if blocks else b""
        if self._lane.ended:
            self._succeed()
        return output

    def _succeed(self) -> None:
        if not self._lane.failure:
            self._keepers.keep(self._prepared)


def _read_on(pieces: Iterator[bytes]) -> None:
    """Read to the body's own end, so that the connection can be used again, if it is near.

    What goes wrong now is no failure: the reply is whole.
    """
    deadline = monotonic() + TICK_SECONDS
    with suppress(UpstreamError):
        for piece in pieces:
            if not piece or monotonic() >= deadline:
                return
