"""The model on this machine: a compatible server that AIRelays starts itself."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from airelays_app.dialects.base import Json, ReplyContext, Tap
from airelays_app.errors import NotFound
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
from airelays_app.providers.compatible import CompatibleOptions, CompatibleProvider
from airelays_app.providers.local.calls_in_text import CallsFromText
from airelays_app.providers.local.sampling import varied
from airelays_app.providers.local.supervisor import LocalServer
from airelays_app.providers.local.tools import constrain
from airelays_app.upstream.request import OutboundRequest


class LocalProvider:
    """The supervised model server; started by the first call that needs it.

    It is asked for streams only: llama.cpp ends a stream at once when its client has left, but a
    whole reply only after a second in which nothing else came out of the server (seen 2026-11-25).
    """

    kind = "local"
    account = ""
    dialects: tuple[str, ...] = ("chat",)
    streams_only = True
    limits_per_model = True
    batches: NativeBatches | None = None
    renews = False
    login_advice = "Run: airelays doctor"
    passed_headers: tuple[str, ...] = ("x-ratelimit-",)
    operations: Mapping[str, str] = MappingProxyType(
        {name: f"/v1/{name}" for name in ("embeddings", "chat/completions/input_tokens")}
    )
    base_path = ""

    def __init__(
        self, name: str, server: LocalServer, *, read_timeout: float, passthrough: bool = False
    ) -> None:
        self.name = name
        self.passthrough = passthrough
        self._server = server
        self._read_timeout = read_timeout
        self._wire = CompatibleProvider(name, CompatibleOptions(base_url="http://local/v1"))

    def secrets(self) -> Sequence[str]:
        """Its key is made for one start of the server and repeated by nobody."""
        return ()

    def rules(self, dialect: str) -> FieldRules:
        """Nothing is known to be missing: the server itself says what it refuses."""
        return self._wire.rules(dialect)

    def capabilities(self, model: str) -> Capabilities:
        """Nothing is known beyond what the server itself says."""
        return self._wire.capabilities(model)

    def adapt(self, body: Json, dialect: str) -> Adapted:  # noqa: ARG002
        """Ask for tool calls in the way that so small a model can answer, and for varied words.

        Raises NotFound for any other model: llama.cpp answers to every name (seen 2026-11-25),
        and nobody should take this model's words for those of another.
        """
        self._require_own_model(str(body.get("model")))
        constraint = None
        if "tools" in body or "tool_choice" in body:
            body, constraint = constrain(body)
        if self._server.is_embedded:
            body = varied(body)
        return Adapted(body, filter=CallsFromText(constraint) if constraint else None)

    def _require_own_model(self, asked: str) -> None:
        if asked.lower() != self._server.model.lower():
            raise NotFound(
                f"The model {asked[:200]!r} does not exist. The model on this machine is called "
                f"{self._server.model!r}.",
                param="model",
                code="model_not_found",
            )

    def outbound(self, call: Outgoing) -> OutboundRequest:
        """Return the call; raises Unavailable when the server cannot be started."""
        return self._running().outbound(call)

    def relayed(self, call: Relayed) -> OutboundRequest:
        """Return the call with the server's key; raises Unavailable like outbound.

        All of the server may be called, also what is not below ``/v1``: its slots and tokens.
        """
        return self._running(self.base_path).relayed(call)

    def _running(self, base_path: str = "/v1") -> CompatibleProvider:
        endpoint = self._server.address()
        options = CompatibleOptions(
            base_url=f"{endpoint.base_url}{base_path}",
            api_key=endpoint.api_key,
            read_timeout=self._read_timeout,
            socket_path=str(endpoint.socket_path) if endpoint.socket_path else None,
        )
        return CompatibleProvider(self.name, options)

    def renew(self, sent: OutboundRequest) -> None:
        """The key is the server's own and never expires."""

    def tap(self, dialect: str, context: ReplyContext) -> Tap:
        """Return the dialect's own tap."""
        return self._wire.tap(dialect, context)

    def classify(self, error: Mapping[str, object]) -> Failure:
        """Return what an error object within a stream means."""
        return self._wire.classify(error)

    def refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Return what an error answer means."""
        return self._wire.refusal(status, headers, body)

    def models_request(self) -> None:
        """Listing must not load the model, so nothing is asked; raises Unavailable without it."""
        self._server.require_installed()

    def read_models(self, body: Json) -> list[Model]:
        """Return the models of an OpenAI list."""
        return self._wire.read_models(body)

    def configured_models(self) -> list[Model]:
        """Return the one model, if its weights are there."""
        status = self._server.status()
        return [Model(status.model, owned_by=self.name)] if status.installed else []

    def is_ready(self) -> bool:
        """It is ready when its weights are there."""
        return self._server.status().installed

    @property
    def _missing(self) -> str:
        return "not_installed" if self._server.is_embedded else "no_model_file"

    def status(self) -> Json:
        """Return whether it is ready, and what of the server is known."""
        status = self._server.status()
        return {
            "ready": status.installed,
            "problem": None if status.installed else self._missing,
            "model": status.model,
            "running": status.running,
        }
