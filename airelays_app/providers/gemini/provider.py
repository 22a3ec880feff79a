"""Google's Gemini API, as Google AI Studio gives keys for it.

Addresses, headers and errors: Google's API reference and public reports, seen 2026-11-25. A key
that is not valid is a 400 there; what is wrong is in the error's details.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from airelays_app.dialects.base import Json
from airelays_app.errors import UpstreamError
from airelays_app.neutral.capabilities import Capabilities
from airelays_app.providers.base import Model, NativeBatches
from airelays_app.providers.compatible import CompatibleOptions
from airelays_app.providers.gemini.batches import GeminiBatches
from airelays_app.providers.gemini.models import capabilities_of
from airelays_app.providers.keyed import KeyedProvider
from airelays_app.upstream.failures import FailureRules
from airelays_app.upstream.request import OutboundRequest

BASE_URL = "https://generativelanguage.googleapis.com/v1beta"
_OPENAI = "/openai/"
"""Below it OpenAI's own clients are served; it wants the key as theirs send it, and only once."""

OPERATIONS: Mapping[str, str] = MappingProxyType(
    {
        "embeddings": f"{_OPENAI}embeddings",
        **{
            verb: f"/{{model}}:{verb}"
            for verb in ("countTokens", "embedContent", "batchEmbedContents")
        },
    }
)
RULES = FailureRules(
    limit=frozenset({"resource_exhausted"}),
    client=frozenset({"invalid_argument", "failed_precondition", "not_found", "out_of_range"}),
    auth=frozenset({"unauthenticated", "permission_denied", "api_key_invalid"}),
)
_USEFUL = frozenset({"generateContent", "embedContent"})
"""Methods of which a model must have one to be listed."""


class GeminiProvider(KeyedProvider):
    """The owner's account at Google AI Studio."""

    kind = "gemini"
    key_header = "x-goog-api-key"
    passed_headers: tuple[str, ...] = ()
    failure_rules = RULES
    batches: NativeBatches | None = GeminiBatches()

    def __init__(self, name: str, options: CompatibleOptions) -> None:
        spoken = replace(
            options,
            base_url=options.base_url or BASE_URL,
            dialects=("gemini",),
            operations=OPERATIONS,
        )
        super().__init__(name, spoken)

    def capabilities(self, model: str) -> Capabilities:
        """Return what ``model`` can be asked for."""
        return capabilities_of(model)

    def models_request(self) -> OutboundRequest:
        """Return the call that lists all models at once."""
        return self._request("GET", "/models?pageSize=1000", stream=False)

    def read_models(self, body: Json) -> list[Model]:
        """Return the models that answer or embed; raises UpstreamError."""
        models = body.get("models")
        if not isinstance(models, list):
            raise UpstreamError(f"{self.name} did not answer with a list of models.")
        return [self._model(entry) for entry in models if _is_useful(entry)]

    def _model(self, entry: Json) -> Model:
        name = str(entry.get("name", "")).removeprefix("models/")
        return Model(name, owned_by=self.name, native=entry)

    def _credentials(self, path: str) -> dict[str, str]:
        found = super()._credentials(path)
        if not path.startswith(_OPENAI):
            return found
        return {"Authorization": f"Bearer {found[self.key_header]}"}


def _is_useful(entry: object) -> bool:
    methods = entry.get("supportedGenerationMethods") if isinstance(entry, dict) else None
    return isinstance(methods, list) and not _USEFUL.isdisjoint(methods)
