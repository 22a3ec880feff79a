"""The ChatGPT subscription backend: Responses over SSE, with quirks.

Addresses, headers and quirks: AIRelays 0.22.0 and openai/codex sources, seen 2026-11-22.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

from airelays_app.dialects.base import Json, ReplyContext, Tap
from airelays_app.dialects.responses.tap import ResponsesCompleter
from airelays_app.errors import UpstreamError
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
from airelays_app.providers.codex.body import TokenLimits, adapt, field_rules
from airelays_app.providers.codex.session import Access, CodexSession
from airelays_app.providers.codex.usage import normalise_usage
from airelays_app.upstream.failures import FailureRules, classify, classify_event
from airelays_app.upstream.request import OutboundRequest, Payload

RULES = FailureRules(
    limit=frozenset(
        {
            "usage_limit_reached",
            "rate_limit_reached",
            "rate_limit_exceeded",
            "insufficient_quota",
            "usage_not_included",
        }
    ),
    client=frozenset(
        {
            "invalid_request_error",
            "context_length_exceeded",
            "invalid_prompt",
            "invalid_value",
            "unsupported_value",
            "unsupported_parameter",
            "unknown_parameter",
            "string_above_max_length",
        }
    ),
)


_CAPABILITIES = Capabilities(efforts=("none", "minimal", "low", "medium", "high", "xhigh"))
"""The backend's catalogue goes up to ``xhigh`` (seen 2026-11-22)."""


@dataclass(frozen=True, slots=True)
class CodexOptions:
    """Where the backend is and how it is called; times in seconds."""

    base_url: str
    client_version: str
    originator: str
    user_agent: str
    token_limits: TokenLimits = "reject"  # noqa: S105 - a setting's value
    connect_timeout: float = 10.0
    read_timeout: float = 600.0
    models: tuple[str, ...] = ()
    passthrough: bool = False


class CodexProvider:
    """The owner's ChatGPT subscription."""

    kind = "codex"
    dialects: tuple[str, ...] = ("responses",)
    streams_only = True
    limits_per_model = False
    batches: NativeBatches | None = None
    renews = True
    login_advice = "Run: airelays login"
    passed_headers: tuple[str, ...] = ("x-ratelimit-", "x-codex-")
    operations: Mapping[str, str] = MappingProxyType({})

    def __init__(
        self, name: str, options: CodexOptions, session: CodexSession, *, account: str = ""
    ) -> None:
        self.name = name
        self.account = account
        self.passthrough = options.passthrough
        self.base_path = urlsplit(options.base_url).path
        self._options = options
        self._session = session
        self._rules = {
            dialect: field_rules(dialect, options.token_limits)
            for dialect in ("responses", "chat", "completions", "messages", "gemini")
        }

    def secrets(self) -> Sequence[str]:
        """Return the access token."""
        return self._session.secrets()

    def rules(self, dialect: str) -> FieldRules:
        """Return what the backend refuses and ignores."""
        return self._rules[dialect]

    def capabilities(self, model: str) -> Capabilities:  # noqa: ARG002
        """Return what the backend's models know."""
        return _CAPABILITIES

    def adapt(self, body: Json, dialect: str) -> Adapted:
        """Return the body as the backend takes it."""
        return adapt(body, dialect)

    def outbound(self, call: Outgoing) -> OutboundRequest:
        """Return the call; raises UpstreamLoginError without a usable login."""
        extra = {"session_id": call.session} if call.session else {}
        headers = {
            "Accept": "text/event-stream",
            "Content-Type": "application/json",
            **extra,
        }
        url = f"{self._base_url}/responses"
        return self._request("POST", url, headers=headers, body=call.body)

    def relayed(self, call: Relayed) -> OutboundRequest:
        """Return the call with the owner's login; raises UpstreamLoginError without one."""
        url = self._base_url + call.target
        return self._request(call.method, url, headers=call.headers, body=call.body)

    def renew(self, sent: OutboundRequest) -> None:
        """Renew the token that ``sent`` carried; raises UpstreamLoginError if that is refused."""
        self._session.renew(sent.headers["Authorization"].removeprefix("Bearer "))

    def tap(self, dialect: str, context: ReplyContext) -> Tap:  # noqa: ARG002
        """The backend's stream leaves things out, so it is completed on the way."""
        return ResponsesCompleter(self.classify, context)

    def classify(self, error: Mapping[str, object]) -> Failure:
        """Return what an error object within a stream means."""
        return classify_event(error, RULES, secrets=self.secrets())

    def refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Return what an error answer means."""
        return classify(status, headers, body, RULES, secrets=self.secrets())

    def models_request(self) -> OutboundRequest:
        """Return the call that lists the models."""
        url = f"{self._base_url}/models?client_version={self._options.client_version}"
        return self._request("GET", url, headers={"Accept": "application/json"})

    def usage_request(self) -> OutboundRequest:
        """Return the call that tells the subscription's usage."""
        url = f"{self._base_url.removesuffix('/codex')}/wham/usage"
        return self._request("GET", url, headers={"Accept": "application/json"})

    def read_usage(self, payload: Json, *, captured_at: float) -> Json:
        """Return the usage in the answer received ``captured_at`` Unix seconds."""
        return normalise_usage(payload, captured_at=captured_at)

    def read_models(self, body: Json) -> list[Model]:
        """Return the models of the backend's list, in its order; raises UpstreamError."""
        models = body.get("models")
        if not isinstance(models, list):
            raise UpstreamError("The subscription backend did not answer with a list of models.")
        return [
            Model(entry["slug"], owned_by="airelays-upstream", native=entry)
            for entry in models
            if isinstance(entry, dict) and isinstance(entry.get("slug"), str)
        ]

    def configured_models(self) -> list[Model]:
        """Return the models that the owner has listed."""
        return [Model(id_, owned_by="airelays-upstream") for id_ in self._options.models]

    def is_ready(self) -> bool:
        """It is ready while its login lives or can be renewed."""
        return self._session.is_ready()

    def status(self) -> Json:
        """Return the login's status, without secrets."""
        return {**self._session.status(), "ready": self.is_ready()}

    @property
    def _base_url(self) -> str:
        return self._options.base_url.rstrip("/")

    def _request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | Payload | None = None,
    ) -> OutboundRequest:
        options = self._options
        return OutboundRequest(
            method,
            url,
            {**self._identity(self._session.access()), **_without_identity(headers)},
            body=body,
            connect_timeout=options.connect_timeout,
            read_timeout=options.read_timeout,
        )

    def _identity(self, access: Access) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {access.token}",
            "ChatGPT-Account-ID": access.account_id,
            "originator": self._options.originator,
            "User-Agent": self._options.user_agent,
        }


def _without_identity(headers: Mapping[str, str]) -> dict[str, str]:
    """Leave out what a client says about who it is: the login's owner is the caller."""
    return {name: value for name, value in headers.items() if name.lower() not in _IDENTITY}


_IDENTITY = frozenset({"authorization", "chatgpt-account-id", "originator", "user-agent"})
