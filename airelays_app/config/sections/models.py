"""``[models]``, ``[routing]`` and ``[compat]``: names of models and what clients may ask for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from airelays_app.config.setting import row


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The catalogue and the names under which models are offered."""

    default: str = field(
        default="",
        metadata=row(
            "MODELS_DEFAULT",
            "The model that airelays ask and the printed client settings use. Empty takes the "
            "first one of the catalogue.",
        ),
    )
    aliases: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}),
        metadata=row(
            "MODELS_ALIASES",
            'Further names for models, such as { gpt-4o = "gpt-5.5" }, for clients whose model '
            "name cannot be changed. Quote names that contain a dot.",
        ),
    )
    cache_ttl_seconds: int = field(
        default=300,
        metadata=row(
            "MODELS_CACHE_TTL_SECONDS",
            "How long a provider's list of models is remembered. The old list is still served "
            "while a new one is fetched.",
            minimum=0,
            maximum=86400,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Which provider answers."""

    default_provider: str = field(
        default="",
        metadata=row(
            "DEFAULT_PROVIDER",
            "The provider that answers for a model name without a provider in front. Empty takes "
            "the first that is ready: the subscription, then vendors' APIs, then your own servers, "
            "then the local model.",
        ),
    )

    fallbacks: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}),
        metadata=row(
            "ROUTING_FALLBACKS",
            "Models to go on with when one's quota is used up or its server is down, such as "
            '{ "gpt-5.5" = "box/qwen3, local/smollm2" }. "*" stands for any other model.',
        ),
    )
    require_prefix: bool = field(
        default=False,
        metadata=row(
            "REQUIRE_PREFIX",
            "Whether a model must be named with its provider, as in codex/gpt-5.5. Bare names are "
            "refused with 400 then; aliases still work.",
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Realtime:
    """Conversations over a WebSocket."""

    enabled: bool = field(
        default=True,
        metadata=row(
            "REALTIME_ENABLED",
            "Whether GET /v1/realtime is joined to a provider that has realtime conversations. "
            "Turn it off to refuse them with 501.",
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Compat:
    """Concessions to clients that cannot be configured."""

    token_limits: Literal["reject", "ignore", "forward"] = field(
        default="reject",
        metadata=row(
            "COMPAT_TOKEN_LIMITS",
            "What to do with token limits that the subscription backend does not accept: reject "
            "them with 422, ignore them and say so in a header, or forward them. Use ignore for "
            "clients that always send one.",
        ),
    )
