"""What a provider is: one upstream of the owner, with its rows of quirks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

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
        """Return the call that lists the models; None when they are configured."""

    def read_models(self, body: Json) -> list[Model]:
        """Return the models in the answer to it; raises UpstreamError."""

    def configured_models(self) -> list[Model]:
        """Return the models that the owner has listed."""

    def is_ready(self) -> bool:
        """Say whether calls can be made; asked with each request for a bare model name."""

    def status(self) -> Json:
        """Return what status pages show: ``ready`` and why not; no network, no secret."""
