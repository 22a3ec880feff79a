"""``[providers.NAME]``: further upstreams, one table each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from airelays_app.config import checks
from airelays_app.config.setting import row

PROVIDER_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "codex": "the subscription backend that airelays login signs in to",
        "anthropic": "Anthropic's API: give an api_key",
        "gemini": "Google's Gemini API: give an api_key of Google AI Studio",
        "openai": "OpenAI's API",
        "azure": "OpenAI's models at Azure",
        "groq": "Groq's API",
        "openrouter": "OpenRouter's API",
        "deepseek": "DeepSeek's API",
        "xai": "xAI's API",
        "mistral": "Mistral's API",
        "ollama": "an Ollama server",
        "vllm": "a vLLM server",
        "llamacpp": "a llama.cpp server",
        "lmstudio": "an LM Studio server",
        "compatible": "any server that speaks the OpenAI dialects: give its base_url",
        "local": "the model server that runs on this machine",
    }
)
"""The kinds of provider, and what each is."""

BUILT_IN_PROVIDERS = ("codex", "local")
"""Providers that exist without a table of their own."""

FOUND_BY_KEY = ("anthropic", "gemini", "openai", "groq", "openrouter", "deepseek", "xai")
"""Kinds of provider that are there without a table too, where the environment has their key."""

UPSTREAM_DIALECTS = ("responses", "chat", "messages", "gemini")
"""The dialects in which a provider can be addressed."""

RESERVED_NAMES = frozenset(
    "admin airelays assets health healthz metrics no-tools oauth openapi.json p responses "
    "realtime swagger usage user v1 v1beta".split()
)
"""Names that are the first segment of a path of ours, so that no provider can have them."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)


def check_provider_name(name: str) -> None:
    """Raise ValueError unless ``name`` can stand in a path and before a model's name."""
    if not _NAME.fullmatch(name):
        raise ValueError("must be a provider name of lower-case letters, digits, '.', '_' and '-'")
    if name in RESERVED_NAMES:
        raise ValueError("is a reserved word and cannot name a provider")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One upstream of the owner, known to clients as ``NAME/model``."""

    name: str
    kind: str = field(
        default="compatible",
        metadata=row(
            "KIND",
            "What the provider is: compatible for any server that speaks OpenAI's dialects, or one "
            "of the kinds that docs/providers/ describes. For a provider that is called like its "
            "kind this may be left out.",
            check=checks.one_of(*PROVIDER_KINDS),
        ),
    )
    enabled: bool = field(
        default=True,
        metadata=row("ENABLED", "Whether the provider is used. Turn it off to keep its settings."),
    )
    base_url: str = field(
        default="",
        metadata=row(
            "BASE_URL",
            "The base URL of its API, with /v1 where it has one, such as "
            "http://192.168.1.20:11434/v1. Needed for the kind compatible.",
            check=checks.optional_url,
        ),
    )
    api_key: str = field(
        default="",
        repr=False,
        metadata=row(
            "API_KEY",
            "The key sent to it. Leave it out where none is needed; better set it by the "
            "environment than in the file.",
            check=checks.header_text,
            secret=True,
        ),
    )
    api_keys: tuple[str, ...] = field(
        default=(),
        repr=False,
        metadata=row(
            "API_KEYS",
            "Further keys of yours for it. Requests are spread over all of them, and go on with "
            "another one when the quota of one is used up.",
            check=checks.header_texts,
            secret=True,
        ),
    )
    api_key_env: str = field(
        default="",
        metadata=row(
            "API_KEY_ENV",
            "The environment variable that holds the key, for keys that are already there under "
            "another name.",
            check=checks.variable,
        ),
    )
    headers: Mapping[str, str] = field(
        repr=False,
        default_factory=lambda: MappingProxyType({}),
        metadata=row(
            "HEADERS",
            "Further headers sent with each call, for gateways that need them.",
            check=checks.headers,
            secret=True,
        ),
    )
    models: tuple[str, ...] = field(
        default=(),
        metadata=row(
            "MODELS",
            "The models to offer. Empty asks the provider; set it when it does not list them or "
            "lists too many.",
        ),
    )
    dialects: tuple[str, ...] = field(
        default=(),
        metadata=row(
            "DIALECTS",
            "The dialects it speaks, of " + ", ".join(UPSTREAM_DIALECTS) + ", the preferred one "
            "first. Empty takes what its kind usually speaks.",
            check=checks.some_of(*UPSTREAM_DIALECTS),
        ),
    )
    passthrough: bool = field(
        default=False,
        metadata=row(
            "PASSTHROUGH",
            "Whether any call below /p/NAME/ is relayed to it as it is, with its credentials. "
            "That covers everything its API offers, files and billing included.",
        ),
    )
    timeout_seconds: float = field(
        default=0.0,
        metadata=row(
            "TIMEOUT_SECONDS",
            "How long it may stay silent; 0 takes upstream.request_timeout_seconds.",
            minimum=0,
            maximum=86400,
        ),
    )
    ca_bundle: Path | None = field(
        default=None,
        metadata=row(
            "CA_BUNDLE",
            "A PEM file of further authorities to trust for this provider, such as your own.",
        ),
    )
