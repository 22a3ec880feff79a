"""Anthropic's API: Messages, called with an API key.

Addresses, headers and errors: Anthropic's API documentation and anthropic-python 2.14, seen
2026-11-22.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from airelays_app.dialects.base import Json
from airelays_app.errors import Unprocessable
from airelays_app.neutral.capabilities import Capabilities
from airelays_app.neutral.losses import Loss
from airelays_app.providers.anthropic.batches import AnthropicBatches
from airelays_app.providers.anthropic.models import capabilities_of
from airelays_app.providers.anthropic.schema import Closing
from airelays_app.providers.base import Adapted, FieldRules, Model, NativeBatches, Refused
from airelays_app.providers.compatible import CompatibleOptions
from airelays_app.providers.keyed import KeyedProvider
from airelays_app.upstream.failures import FailureRules
from airelays_app.upstream.request import OutboundRequest

BASE_URL = "https://api.anthropic.com/v1"
VERSION = "2023-06-01"
"""The version of the API for clients that name none."""

RULES = FailureRules(
    limit=frozenset({"rate_limit_error", "billing_error"}),
    client=frozenset({"invalid_request_error", "request_too_large", "not_found_error"}),
    auth=frozenset({"authentication_error", "permission_error"}),
)
_NO_JSON_OBJECT = Refused(
    "it takes schemas of closed objects only; use json_schema", only=("json_object",)
)
_RULES: Mapping[str, FieldRules] = MappingProxyType(
    {
        "chat": FieldRules(MappingProxyType({"response_format.type": _NO_JSON_OBJECT})),
        "responses": FieldRules(MappingProxyType({"text.format.type": _NO_JSON_OBJECT})),
    }
)
_ANY_OBJECT = {"type": "object"}
_FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "chat": "response_format.json_schema.schema",
        "responses": "text.format.schema",
        "gemini": "generationConfig.responseSchema",
    }
)


class AnthropicProvider(KeyedProvider):
    """The owner's account at Anthropic."""

    kind = "anthropic"
    key_header = "x-api-key"
    passed_headers: tuple[str, ...] = ("anthropic-ratelimit-",)
    failure_rules = RULES
    batches: NativeBatches | None = AnthropicBatches()
    default_headers: Mapping[str, str] = MappingProxyType({"anthropic-version": VERSION})

    def __init__(self, name: str, options: CompatibleOptions) -> None:
        spoken = replace(
            options,
            base_url=options.base_url or BASE_URL,
            dialects=("messages",),
            operations=MappingProxyType({}),
        )
        super().__init__(name, spoken)

    def rules(self, dialect: str) -> FieldRules:
        """Return what Anthropic's API cannot do for clients of ``dialect``."""
        return _RULES.get(dialect, FieldRules())

    def capabilities(self, model: str) -> Capabilities:
        """Return what ``model`` can be asked for."""
        return capabilities_of(model)

    def adapt(self, body: Json, dialect: str) -> Adapted:
        """Return the body as it is, but for the schema of a client of another dialect."""
        config = body.get("output_config")
        format_ = config.get("format") if isinstance(config, dict) else None
        if dialect == "messages" or not isinstance(config, dict) or not format_:
            return Adapted(body)
        path = _FORMATS.get(dialect, "output_config.format.schema")
        if format_["schema"] == _ANY_OBJECT:
            raise Unprocessable(f"{path} is required: {_NO_JSON_OBJECT.why}.", param=path)
        closing = Closing(path)
        schema = closing.closed(format_["schema"])
        changed = {**config, "format": {**format_, "schema": schema}}
        losses = tuple(Loss(path, "bounds are not enforced") for path in closing.loosened)
        return Adapted({**body, "output_config": changed}, losses)

    def models_request(self) -> OutboundRequest:
        """Return the call that lists all models at once."""
        return self._request("GET", "/models?limit=1000", stream=False)

    def _model(self, entry: Json) -> Model:
        return Model(
            str(entry.get("id", "")),
            created=_seconds_of(entry.get("created_at")),
            owned_by=self.name,
            native=entry,
        )


def _seconds_of(moment: object) -> int:
    """Return an RFC 3339 time in unix seconds; 0 for what is none."""
    try:
        return int(datetime.fromisoformat(str(moment)).timestamp())
    except ValueError:
        return 0
