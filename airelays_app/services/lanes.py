"""How the bytes of a reply cross from upstream to client.

* **bytes** and **patched**: the dialects are the same; a tap of the dialect reads along and, if
  the provider's stream needs it, completes what is missing.
* **translated**: decoded, filtered, encoded.

A lane is fed SSE blocks and gives bytes, or a whole reply at the end.
"""

from collections.abc import Iterable, Sequence

from airelays_app.dialects.base import Decoder, Encoder, Tap
from airelays_app.errors import UpstreamError
from airelays_app.framing.sse import Runs
from airelays_app.neutral.events import Event, Failed, Finished, PartOpened, UsageSeen
from airelays_app.neutral.failure import Failure
from airelays_app.neutral.fold import Fold, Reply
from airelays_app.neutral.usage import Usage
from airelays_app.providers.base import EventFilter

_NONSENSE = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What reading a stream raises when it is not what the dialect says."""


def _malformed() -> UpstreamError:
    return UpstreamError("The upstream's stream is malformed.")


class TappedLane:
    """Same dialect on both sides."""

    def __init__(self, tap: Tap) -> None:
        self.tap = tap

    @property
    def runs(self) -> Runs | None:
        """What the splitter of the stream may leave together."""
        return self.tap.runs

    @property
    def usage(self) -> Usage | None:
        """The token counts so far."""
        return self.tap.usage

    @property
    def has_content(self) -> bool:
        """Whether anything beyond the opening has come."""
        return self.tap.has_content

    @property
    def ended(self) -> bool:
        """Whether the terminal event has come."""
        return self.tap.ended

    @property
    def failure(self) -> Failure | None:
        """The failure that ended the stream."""
        return self.tap.failure

    def feed(self, blocks: Sequence[bytes]) -> bytes:
        """Return what the client gets for these blocks; raises UpstreamError for nonsense."""
        try:
            return self.tap.feed(blocks)
        except _NONSENSE as error:
            raise _malformed() from error

    def end_of_input(self) -> bytes:
        """Let the tap decide whether that was the end."""
        self.tap.end_of_input()
        return b""

    def break_off(self, failure: Failure) -> bytes:
        """Return the dialect's in-band error."""
        return self.tap.break_off(failure)


class TranslatedLane:
    """Another dialect on each side.

    ``encoder`` is None when the client gets a whole reply; ``collects`` keeps the reply's parts
    for that, or for a conversation.
    """

    runs = None

    def __init__(
        self,
        decoder: Decoder,
        *,
        filters: Sequence[EventFilter] = (),
        encoder: Encoder | None,
        collects: bool,
    ) -> None:
        self._decoder = decoder
        self._filters = filters
        self.encoder = encoder
        self._fold = Fold() if collects else None
        self.usage: Usage | None = None
        self.has_content = False
        self.ended = False
        self.failure: Failure | None = None

    def feed(self, blocks: Sequence[bytes]) -> bytes:
        """Return what the client gets for these blocks; raises UpstreamError for nonsense."""
        try:
            events = self._decoder.feed(blocks)
        except _NONSENSE as error:
            raise _malformed() from error
        return self._pass(events)

    def read(self, events: Iterable[Event]) -> Reply:
        """Return the reply that a whole upstream reply's events make."""
        self._pass(list(events))
        return self.reply()

    def reply(self) -> Reply:
        """Return the reply so far."""
        assert self._fold is not None
        return self._fold.reply()

    def end_of_input(self) -> bytes:
        """Return the terminal event that the decoder still owes."""
        return self._pass(self._decoder.close())

    def break_off(self, failure: Failure) -> bytes:
        """Return the dialect's in-band error."""
        return self._pass_on([Failed(failure)])

    def _pass(self, events: list[Event]) -> bytes:
        for filter_ in self._filters:
            events = filter_.feed(events)
        return self._pass_on(events) if events else b""

    def _pass_on(self, events: list[Event]) -> bytes:
        self._watch(events)
        if self._fold:
            self._fold.feed(events)
        return self.encoder.feed(events) if self.encoder else b""

    def _watch(self, events: list[Event]) -> None:
        for event in events:
            kind = event.__class__
            if kind is UsageSeen:
                self.usage = event.usage  # type: ignore[union-attr]
            elif kind is PartOpened:
                self.has_content = True
        last = events[-1]
        if isinstance(last, Finished | Failed):
            self.ended = self.has_content = True
            self.failure = last.failure if isinstance(last, Failed) else None
