"""What a provider is: one upstream of the owner, with its rows of quirks."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol

from airelays_app.dialects.base import Json, ReplyContext, Tap
from airelays_app.neutral.capabilities import Capabilities
from airelays_app.neutral.events import Event
from airelays_app.neutral.failure import Failure
from airelays_app.neutral.losses import Loss
from airelays_app.upstream.request import OutboundRequest, Payload


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a parameter is refused with 422.

    ``harmless`` values ask for nothing and pass (null always does); with ``only``, just these
    values are refused.
    """

    why: str
    harmless: tuple[Any, ...] = ()
    only: tuple[Any, ...] = ()

    def refuses(self, value: Any) -> bool:
        """Tell whether ``value`` is refused."""
        if value is None:
            return False
        listed = any(
            value == row and type(value) is type(row) for row in self.only or self.harmless
        )
        return listed if self.only else not listed


@dataclass(frozen=True, slots=True)
class FieldRules:
    """What an upstream cannot do on one route, as data.

    ``refused`` maps a field, or a dotted path into an object, to the reason; ``ignored`` names
    fields that are left out before the call and disclosed.
    """

    refused: Mapping[str, Refused] = field(default_factory=lambda: MappingProxyType({}))
    ignored: frozenset[str] = frozenset()


class EventFilter(Protocol):
    """Rewrites events between an upstream's decoder and the client's encoder."""

    def feed(self, events: Iterable[Event]) -> list[Event]:
        """Return the events, rewritten."""


@dataclass(frozen=True, slots=True)
class Adapted:
    """A body as an upstream takes it; ``filter`` undoes in the reply what was done to it."""

    body: Json
    losses: tuple[Loss, ...] = ()
    filter: EventFilter | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """One entry of a provider's catalogue; ``native`` is what the vendor said of it."""

    id: str
    created: int = 0
    owned_by: str = ""
    native: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a provider needs to know to address one call.

    ``model`` is for upstreams that are told it in the path. ``session`` names the conversation, for
    upstreams that keep a cache per session. ``headers`` are those of the dialect that the client
    sent, by their names in lower case.
    """

    dialect: str
    body: bytes
    stream: bool
    model: str = ""
    session: str | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Relayed:
    """A call that is relayed as it is.

    ``target`` is the raw path below the provider's base URL, with its query; where it says
    ``{model}``, ``model`` is to be told. ``headers`` are the client's, without credentials.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes | Payload | None = None
    model: str = ""


BatchEnd = Literal["completed", "failed", "expired", "cancelled"]


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One request: a body in the provider's dialect, under an id of ours that is unique."""

    custom_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class BatchJob:
    """Requests in one ``dialect`` for one model; ``id`` is ours."""

    id: str
    dialect: str
    model: str
    lines: Sequence[BatchLine]


@dataclass(frozen=True, slots=True)
class SoughtBatch:
    """A job of ``size`` requests that was sent at ``sent_at`` (Unix seconds), or was about to be.

    ``known`` are the provider's ids of other jobs.
    """

    id: str
    size: int
    sent_at: int
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """How far it is: how it has ended, None while it runs, and ``why`` in the provider's codes."""

    end: BatchEnd | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class BatchReply:
    """One result: the answer that the request would have had by itself."""

    custom_id: str
    status: int
    body: Json


class BatchUndecidedError(Exception):
    """It cannot be told yet whether the provider has a job."""


class BatchCaller(Protocol):
    """Makes calls to the provider; each raises RelayError for what is not a success."""

    def ask(self, call: Relayed) -> Json:
        """Return the JSON object that answers a call."""

    def lines(self, call: Relayed) -> Generator[Json]:
        """Yield the JSON objects that answer a call, one to a line; a broken one is left out."""


class NativeBatches(Protocol):
    """The batches of one vendor's wire; it keeps nothing."""

    dialects: frozenset[str]
    """In which dialects its requests may be."""
    most_requests: int
    most_bytes: int
    """How much one job may hold."""

    def submit(self, job: BatchJob, caller: BatchCaller) -> str:
        """Have a job run; return the provider's id of it."""

    def find(self, sought: SoughtBatch, caller: BatchCaller) -> str | None:
        """Return the provider's id of a job that may have been sent; None if it has not come.

        Raises BatchUndecidedError while that cannot be told.
        """

    def progress(self, native_id: str, caller: BatchCaller) -> BatchProgress:
        """Return how far a job is."""

    def cancel(self, native_id: str, caller: BatchCaller) -> None:
        """Have a job end early; what it has done by then it still tells."""

    def replies(self, native_id: str, caller: BatchCaller) -> Iterator[BatchReply]:
        """Yield the results of a job that has ended, in any order; what was not run has none."""


class Provider(Protocol):
    """One upstream of the owner."""

    name: str
    kind: str
    account: str
    """Which of the owner's accounts at this upstream it calls with; empty for the only one."""
    dialects: tuple[str, ...]
    """What it is spoken to in, the preferred one first."""
    streams_only: bool
    """It answers nothing but streams; a whole reply is collected from one."""
    limits_per_model: bool
    """Whether a used-up quota or an overload says nothing of its other models."""
    renews: bool
    """Its credentials can be renewed."""
    login_advice: str
    """What to do when it rejects the credentials."""
    passed_headers: tuple[str, ...]
    """Beginnings of the names of its response headers that the client gets too."""
    operations: Mapping[str, str]
    """What it does for clients as it is: the path below its base URL by operation."""
    passthrough: bool
    """Whether its owner lets clients make any call to it."""
    base_path: str
    """The path of its base URL."""
    batches: NativeBatches | None
    """Its own batches, if it has them."""

    def secrets(self) -> Sequence[str]:
        """Return the credentials that it is sent: what it repeats of them is hidden."""

    def rules(self, dialect: str) -> FieldRules:
        """Return what it cannot do for clients of ``dialect``."""

    def capabilities(self, model: str) -> Capabilities:
        """Return what ``model`` can be asked for."""

    def adapt(self, body: Json, dialect: str) -> Adapted:
        """Return ``body`` as this upstream takes it: the same object if nothing has to change.

        ``dialect`` is the client's: its words are used for what is refused only here, with
        Unprocessable.
        """

    def outbound(self, call: Outgoing) -> OutboundRequest:
        """Return the call, credentials included; raises UpstreamLoginError, Unavailable."""

    def relayed(self, call: Relayed) -> OutboundRequest:
        """Return a call that is relayed as it is, credentials included; raises like outbound."""

    def renew(self, sent: OutboundRequest) -> None:
        """After a 401 to ``sent``: renew the credentials; raises UpstreamLoginError."""

    def tap(self, dialect: str, context: ReplyContext) -> Tap:
        """Return what reads along a stream of ``dialect``."""

    def classify(self, error: Mapping[str, Any]) -> Failure:
        """Return what an error object within a stream means."""

    def refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Return what an error answer means."""

    def models_request(self) -> OutboundRequest | None:
        """Return the call that lists the models; None where that takes none.

        Raises Unavailable, UpstreamLoginError.
        """

    def read_models(self, body: Json) -> list[Model]:
        """Return the models in the answer to it; raises UpstreamError."""

    def configured_models(self) -> list[Model]:
        """Return the models that are known without asking: where the owner has listed them."""

    def is_ready(self) -> bool:
        """Say whether calls can be made; asked with each request for a bare model name."""

    def status(self) -> Json:
        """Return what status pages show: ``ready`` and why not; no network, no secret."""
