"""Any server that speaks OpenAI's dialects: Ollama, llama.cpp, vLLM, LM Studio, api.openai.com."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import quote, urlsplit

from airelays_app.dialects import DIALECTS
from airelays_app.dialects.base import Json, ReplyContext, Tap
from airelays_app.dialects.gemini.resources import resource_name
from airelays_app.errors import Unprocessable, UpstreamError
from airelays_app.neutral.capabilities import Capabilities
from airelays_app.neutral.failure import Failure
from airelays_app.providers.base import (
    Adapted,
    FieldRules,
    Model,
    NativeBatches,
    Outgoing,
    Relayed,
)
from airelays_app.upstream.failures import FailureRules, classify, classify_event
from airelays_app.upstream.request import OutboundRequest, Payload

PATHS: Mapping[str, str] = MappingProxyType(
    {
        "responses": "/responses",
        "chat": "/chat/completions",
        "messages": "/messages",
        "gemini": "/{model}:generateContent",
    }
)
"""Where each dialect is spoken to, below the base URL (OpenAI's, Anthropic's and Google's API
references, 2026-11-22)."""

_NO_SEGMENTS = frozenset({"", ".", ".."})
_STREAM_PATHS: Mapping[str, str] = MappingProxyType(
    {**PATHS, "gemini": "/{model}:streamGenerateContent?alt=sse"}
)

OPERATIONS: Mapping[str, str] = MappingProxyType(
    {
        name: f"/{name}"
        for name in (
            "audio/speech",
            "audio/transcriptions",
            "audio/translations",
            "embeddings",
            "images/edits",
            "images/generations",
            "images/variations",
            "moderations",
            "realtime",
            "realtime/sessions",
        )
    }
)
"""What OpenAI's API offers beside replies (API reference, 2026-11-22); a server that lacks one
says so itself."""

RULES = FailureRules(
    limit=frozenset({"insufficient_quota", "rate_limit_exceeded", "rate_limit_error"}),
    client=frozenset(
        {"invalid_request_error", "context_length_exceeded", "exceed_context_size_error"}
    ),
    client_sentences=("image input is not supported", "audio input is not supported"),
)
"""The error words of OpenAI and of llama.cpp's server (seen 2026-11-22); the sentences are
llama.cpp's, which answers 500 to what its model cannot see or hear (seen 2026-11-25)."""


_CAPABILITIES = Capabilities(reasoning="budget")
_BESIDE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "messages": ("messages/count_tokens",),
        "responses": ("responses/input_tokens", "responses/compact"),
    }
)
"""What servers may have beside a dialect that they speak (llama.cpp and vLLM, seen 2026-11-22;
OpenAI API reference, seen 2026-11-25)."""


@dataclass(frozen=True, slots=True)
class CompatibleOptions:
    """Where a server is and how it is called; times in seconds."""

    base_url: str
    api_key: str = ""
    account: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    dialects: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    operations: Mapping[str, str] = field(default_factory=lambda: OPERATIONS)
    passthrough: bool = False
    connect_timeout: float = 10.0
    read_timeout: float = 600.0
    socket_path: str | None = None
    ca_bundle: str | None = None


class CompatibleProvider:
    """One such server."""

    kind = "compatible"
    streams_only = False
    limits_per_model = True
    renews = False
    passed_headers: tuple[str, ...] = ("x-ratelimit-",)
    failure_rules = RULES
    default_headers: Mapping[str, str] = MappingProxyType({})
    batches: NativeBatches | None = None

    def __init__(self, name: str, options: CompatibleOptions) -> None:
        self.name = name
        self.account = options.account
        self.login_advice = f"Check the setting providers.{name}.api_key"
        self.dialects = options.dialects or ("chat",)
        beside = (name for dialect in self.dialects for name in _BESIDE.get(dialect, ()))
        self.operations: Mapping[str, str] = {
            **options.operations,
            **{name: f"/{name}" for name in beside},
        }
        self.passthrough = options.passthrough
        self.base_path = urlsplit(options.base_url).path
        self._options = options

    def secrets(self) -> Sequence[str]:
        """Return the key and the values of the owner's own headers."""
        return (self._options.api_key, *self._options.headers.values())

    def rules(self, dialect: str) -> FieldRules:  # noqa: ARG002
        """Nothing is known to be missing: the server itself says what it refuses."""
        return FieldRules()

    def capabilities(self, model: str) -> Capabilities:  # noqa: ARG002
        """Nothing is known of its models; who speaks Messages knows the older way to think."""
        return _CAPABILITIES

    def adapt(self, body: Json, dialect: str) -> Adapted:  # noqa: ARG002
        """Return the body as it is."""
        return Adapted(body)

    def outbound(self, call: Outgoing) -> OutboundRequest:
        """Return the call."""
        headers = {**_spoken(call.body, stream=call.stream), **call.headers}
        paths = _STREAM_PATHS if call.stream else PATHS
        path = _with_model(paths[call.dialect], call.model)
        return self._request("POST", path, body=call.body, stream=call.stream, headers=headers)

    def relayed(self, call: Relayed) -> OutboundRequest:
        """Return the call with this server's key; raises Unprocessable for an odd model."""
        target = _with_model(call.target, call.model) if call.model else call.target
        return self._request(
            call.method, target, body=call.body, stream=False, headers=call.headers
        )

    def renew(self, sent: OutboundRequest) -> None:
        """An API key cannot be renewed."""

    def tap(self, dialect: str, context: ReplyContext) -> Tap:
        """Return the dialect's own tap: these servers' streams are whole."""
        factory = DIALECTS[dialect].tap
        assert factory is not None
        return factory(self.classify, context)

    def classify(self, error: Mapping[str, object]) -> Failure:
        """Return what an error object within a stream means."""
        return classify_event(error, self.failure_rules, secrets=self.secrets())

    def refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Return what an error answer means."""
        return classify(status, headers, body, self.failure_rules, secrets=self.secrets())

    def models_request(self) -> OutboundRequest:
        """Return ``GET /models``."""
        return self._request("GET", "/models", stream=False)

    def read_models(self, body: Json) -> list[Model]:
        """Return the models of an OpenAI list; raises UpstreamError."""
        data = body.get("data")
        if not isinstance(data, list):
            raise UpstreamError(f"{self.name} did not answer with a list of models.")
        return [self._model(entry) for entry in data if _id_of(entry)]

    def configured_models(self) -> list[Model]:
        """Return the models that the owner has listed."""
        return [Model(id_, owned_by=self.name) for id_ in self._options.models]

    def is_ready(self) -> bool:
        """It is ready as soon as it is configured."""
        return True

    def status(self) -> Json:
        """Return whether it is ready, or has not got the key that it wants."""
        is_ready = self.is_ready()
        return {"ready": is_ready, "problem": None if is_ready else "no_key"}

    def _credentials(self, path: str) -> dict[str, str]:  # noqa: ARG002
        """Return what identifies the owner at ``path``, below the base URL."""
        key = self._options.api_key
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _model(self, entry: Json) -> Model:
        created = entry.get("created")
        return Model(
            _id_of(entry),
            created=created if isinstance(created, int) else 0,
            owned_by=str(entry.get("owned_by") or self.name),
            native=entry,
        )

    def _request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | Payload | None = None,
        stream: bool,
        headers: Mapping[str, str] | None = None,
    ) -> OutboundRequest:
        options = self._options
        said = _spoken(body, stream=stream) if headers is None else headers
        return OutboundRequest(
            method,
            options.base_url.rstrip("/") + path,
            _merged(self.default_headers, said, self._credentials(path), options.headers),
            body=body,
            connect_timeout=options.connect_timeout,
            read_timeout=options.read_timeout,
            stream=stream,
            socket_path=options.socket_path,
            ca_bundle=options.ca_bundle,
        )


def _id_of(entry: object) -> str:
    """Return the name in an entry of a catalogue, or nothing.

    Some servers call it ``model`` (release notes of other gateways, seen 2026-11-22).
    """
    named = (entry.get("id"), entry.get("model")) if isinstance(entry, dict) else ()
    return next((name for name in named if name and isinstance(name, str)), "")


def _with_model(path: str, model: str) -> str:
    """Return the path with the model in its place, if it has one there.

    Raises Unprocessable for a name that would lead out of there.
    """
    if "{model}" not in path:
        return path
    if not _NO_SEGMENTS.isdisjoint(model.split("/")):
        raise Unprocessable(f"{model[:100]!r} cannot be the name of a model.", param="model")
    return path.replace("{model}", quote(resource_name(model)))


def _merged(*headers: Mapping[str, str]) -> dict[str, str]:
    """Return all headers, each name once however it is written; the later ones count."""
    merged: dict[str, tuple[str, str]] = {}
    for group in headers:
        merged |= {name.lower(): (name, value) for name, value in group.items()}
    return dict(merged.values())


def _spoken(body: bytes | Payload | None, *, stream: bool) -> dict[str, str]:
    accepted = {"Accept": "text/event-stream" if stream else "application/json"}
    return accepted if body is None else {**accepted, "Content-Type": "application/json"}
