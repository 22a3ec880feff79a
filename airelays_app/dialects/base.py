"""What a dialect is: how its requests, replies, streams and errors are read and written.

A dialect knows the neutral values and nothing of another dialect. Decoders and encoders are
separate objects without I/O, clock or randomness: ids and the time come in a ReplyContext.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

from airelays_app.framing.sse import Runs
from airelays_app.neutral.capabilities import Capabilities
from airelays_app.neutral.events import Event
from airelays_app.neutral.failure import Failure
from airelays_app.neutral.fold import Reply
from airelays_app.neutral.losses import Loss
from airelays_app.neutral.request import Request
from airelays_app.neutral.usage import Usage

_TOOL_NAMES = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)

Json = dict[str, Any]
Classify = Callable[[Mapping[str, Any]], Failure]
"""Turns the error object of a stream into a failure; the provider knows its vendor's words."""


@dataclass(frozen=True, slots=True)
class ReplyContext:
    """What an encoder needs to know beside the events.

    ``created`` is in unix seconds. ``echo`` holds the fields of the client's request that its
    dialect repeats in the reply, or that say what the reply may show; ``overrides`` are those that
    it has whatever the upstream says. ``fresh_id`` makes ids with a prefix. ``provider`` is the
    name of the provider that answers, ``request_id`` that of the client's request.
    """

    id: str
    created: int
    model: str
    fresh_id: Callable[[str], str]
    provider: str = ""
    request_id: str = ""
    include_usage: bool = False
    legacy_functions: bool = False
    echo: Mapping[str, Any] = field(default_factory=dict)
    overrides: Mapping[str, Any] = field(default_factory=dict)


class Decoder(Protocol):
    """Reads an upstream stream."""

    def feed(self, blocks: Iterable[bytes]) -> list[Event]:
        """Return what the next SSE blocks mean."""

    def close(self) -> list[Event]:
        """The upstream has ended: return the terminal event if it was still owed."""


class Encoder(Protocol):
    """Writes a client stream."""

    def feed(self, events: Iterable[Event]) -> bytes:
        """Return the next events as bytes, in one piece."""


class Tap(Protocol):
    """Reads along while a stream of its own dialect passes.

    ``has_content`` turns true with the first content or terminal event, ``ended`` with the
    terminal event, ``failure`` is set when that event is a failure. ``response`` is the whole
    reply as far as the dialect's stream carries it.
    """

    has_content: bool
    ended: bool
    failure: Failure | None
    response: Json

    @property
    def usage(self) -> Usage | None:
        """The token counts so far."""

    @property
    def runs(self) -> Runs | None:
        """What the splitter of the stream may leave together: the tap does not tell it apart."""

    def feed(self, blocks: Iterable[bytes]) -> bytes:
        """Return what the client is to get for these blocks, in one piece."""

    def end_of_input(self) -> None:
        """The upstream has ended cleanly; decide whether that was the end of the reply."""

    def break_off(self, failure: Failure) -> bytes:
        """Return the in-band error that ends the stream."""


@dataclass(frozen=True, slots=True)
class Counting:
    """How a dialect counts the input tokens of a request to which no reply is made.

    ``operation`` is what providers have it under, ``field`` is where its answer has the sum, beside
    ``constants``. ``asked`` makes of a request's body, and the upstream's name of the model, that
    of the count.
    """

    operation: str
    field: str
    asked: Callable[[Json, str], Json]
    constants: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """One wire format.

    ``decode_request`` raises Unprocessable where the body's types are wrong or it asks for what
    the neutral request cannot say. ``encode_request`` is None for a dialect that no upstream is
    spoken to in. ``canonical`` writes the fields' names of a request as they are read everywhere;
    it returns the same object if they are. ``names_model`` is false where the model, and whether
    to stream, stand in the path instead of the body. ``without_packed_seals`` takes out of a
    request body the reasoning whose seal is packed: it was made by an upstream of another dialect.
    ``cache_key`` returns what names requests that share an upstream's cache, if a body says so.

    ``unspeakable_stops`` returns the stop sequences that its requests cannot carry, so that the
    relay itself stops at them. ``has_custom_tools`` says that it has a word for free-text tools;
    otherwise they go as functions. ``tool_names`` matches the names that functions may have.

    ``is_plain`` tells whether an upstream of the same dialect understands a request as it is.
    ``replies_in`` names the dialect of the replies where it is another than that of the requests;
    ``obeyed_fields`` are then what a request says of its reply, whatever the upstream reads.

    ``reply_prefix`` is how the ids of its replies begin. ``stream_carries_reply`` says that a
    stream ends with the whole reply in one object. ``read_usage`` reads the counts that a reply
    has in its ``usage_field``. ``completed`` fills in what a whole reply of an upstream of the same
    dialect leaves out; it returns the same object if that is nothing. ``counting`` is None for a
    dialect without a count of tokens. ``own_names`` are its words for fields that encoders of
    requests call by OpenAI's.

    ``refuses_with`` is the status for what is understood but refused, ``client_headers`` are those
    that say something about the wire and go on to an upstream of the same dialect (in lower case),
    ``request_id_header`` is where its clients look for the id of their request, beside
    ``x-request-id``.
    """

    name: str
    decode_request: Callable[[Json], tuple[Request, tuple[Loss, ...]]]
    encode_reply: Callable[[Reply, ReplyContext], Json]
    encoder: Callable[[ReplyContext], Encoder]
    error_body: Callable[[Failure, str], Json]
    read_usage: Callable[[Any], Usage | None]
    keep_alive: bytes
    is_plain: Callable[[Json], bool] = lambda body: True  # noqa: ARG005
    replies_in: str = ""
    obeyed_fields: frozenset[str] = frozenset()
    reply_prefix: str = ""
    usage_field: str = "usage"
    names_model: bool = True
    canonical: Callable[[Json], Json] = lambda body: body
    cache_key: Callable[[Json], object] = lambda body: body.get("prompt_cache_key")
    echo: Callable[[Json], Json] = lambda body: {}  # noqa: ARG005
    completed: Callable[[Json, ReplyContext], Json] = lambda reply, context: reply  # noqa: ARG005
    counting: Counting | None = None
    own_names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    without_packed_seals: Callable[[Json], Json] = lambda body: body
    encode_request: Callable[[Request, Capabilities], tuple[Json, tuple[Loss, ...]]] | None = None
    decode_reply: Callable[[Json, Classify], list[Event]] | None = None
    decoder: Callable[[Classify], Decoder] | None = None
    tap: Callable[[Classify, ReplyContext], Tap] | None = None
    unspeakable_stops: Callable[[tuple[str, ...]], tuple[str, ...]] = lambda stops: stops
    refuses_with: int = 422
    client_headers: tuple[str, ...] = ()
    request_id_header: str = ""
    has_custom_tools: bool = False
    tool_names: re.Pattern[str] = _TOOL_NAMES
    stream_carries_reply: bool = False
