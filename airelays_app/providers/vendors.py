"""Vendors and servers that speak OpenAI's dialects, each a row: where it is and how it differs.

The rows come from the vendors' documentation and their users' error reports; none of these APIs was
called from here, except llama.cpp's.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.errors import Unprocessable
from airelays_app.neutral.capabilities import Capabilities
from airelays_app.neutral.losses import Loss
from airelays_app.providers.base import Adapted, FieldRules, NativeBatches, Provider, Refused
from airelays_app.providers.compatible import CompatibleOptions, CompatibleProvider
from airelays_app.providers.mistral_batches import MistralBatches
from airelays_app.providers.openai_batches import OpenAIBatches
from airelays_app.providers.xai_batches import XAIBatches

_ID_LENGTH = 9
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class KeyVariable:
    """Where a vendor's own tools look for its key, and how its keys begin."""

    name: str
    beginning: str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vendor:
    """One row; ``source`` says where it was read, and when.

    ``refused`` are fields of its own dialect that cannot be honoured; ``dropped`` are fields that
    it answers with an error and that are left out and disclosed; ``renamed`` are fields that it
    knows under another name. ``message_dropped`` are fields of a message, left out likewise.
    ``call_ids`` matches the ids that calls may have, if not any; others are written otherwise.
    ``wants_thought`` says that it refuses answers of its own without their ``reasoning_content``.
    ``operations`` names what it does beside replies, ``batches`` are its own. ``own_models`` is
    what the names of its own models begin with, where all others begin with their vendor's.
    ``schemas_only_in_chat`` says that in its other dialects it ignores, without a word, that the
    answer must be JSON.
    """

    base_url: str
    source: str
    dialects: tuple[str, ...] = ("chat",)
    key: KeyVariable | None = None
    operations: tuple[str, ...] = ()
    own_models: str = ""
    refused: Mapping[str, Refused] = field(default_factory=lambda: MappingProxyType({}))
    dropped: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    message_dropped: frozenset[str] = frozenset()
    call_ids: re.Pattern[str] | None = None
    wants_thought: bool = False
    schemas_only_in_chat: bool = False
    batches: NativeBatches | None = None


_REALTIME = ("realtime", "realtime/sessions")
_AUDIO = ("audio/speech", "audio/transcriptions", "audio/translations")
_IMAGES = ("images/edits", "images/generations", "images/variations")

VENDORS: Mapping[str, Vendor] = MappingProxyType(
    {
        "openai": Vendor(
            "https://api.openai.com/v1",
            source="platform.openai.com/docs/api-reference, 2026-11-22",
            dialects=("responses", "chat"),
            key=KeyVariable("OPENAI_API_KEY", "sk-"),
            operations=("embeddings", "moderations", *_REALTIME, *_AUDIO, *_IMAGES),
            batches=OpenAIBatches(("responses", "chat"), files_expire=True),
        ),
        "azure": Vendor(
            "",
            source="learn.microsoft.com (the v1 API; its key is a bearer token), 2026-11-22",
            dialects=("responses", "chat"),
            operations=("embeddings", *_REALTIME, *_AUDIO, *_IMAGES),
        ),
        "groq": Vendor(
            "https://api.groq.com/openai/v1",
            source="console.groq.com/docs/openai; groq-api-cookbook pull request 72 (batches); "
            "jan issue 8136, kai issue 265: reasoning_content is 400; 2026-11-25",
            key=KeyVariable("GROQ_API_KEY", "gsk_"),
            operations=_AUDIO,
            batches=OpenAIBatches(("chat",), files_expire=False),
            refused=MappingProxyType({"n": Refused("it makes one choice", harmless=(1,))}),
            dropped=frozenset({"logit_bias", "logprobs", "top_logprobs"}),
            message_dropped=frozenset({"name", "reasoning_content"}),
        ),
        "openrouter": Vendor(
            "https://openrouter.ai/api/v1",
            source="openrouter.ai/docs, 2026-11-22",
            key=KeyVariable("OPENROUTER_API_KEY", "sk-or-"),
            operations=("embeddings",),
            own_models="openrouter/",
        ),
        "deepseek": Vendor(
            "https://api.deepseek.com/v1",
            source="api-docs.deepseek.com; llm-exe issue 662; openai-agents-js issue 791, "
            "llm-gateway issue 992: its thought must come back, empty at least; 2026-11-25",
            key=KeyVariable("DEEPSEEK_API_KEY", "sk-"),
            refused=MappingProxyType(
                {
                    "response_format.type": Refused(
                        "it takes no schema; use json_object", only=("json_schema",)
                    )
                }
            ),
            wants_thought=True,
        ),
        "xai": Vendor(
            "https://api.x.ai/v1",
            source="docs.x.ai/docs/api-reference; NativeTavern issue 83, uni-api issue 105: "
            "a penalty is 400, even of 0; 2026-11-25",
            dialects=("responses", "chat"),
            key=KeyVariable("XAI_API_KEY", "xai-"),
            operations=("images/generations",),
            batches=XAIBatches(),
            dropped=frozenset({"frequency_penalty", "presence_penalty"}),
        ),
        "mistral": Vendor(
            "https://api.mistral.ai/v1",
            source="docs.mistral.ai; eca issue 231, OpenHands-CLI issue 83, crush issue 1590: "
            "unknown fields are 422; its streams end with usage in any case; eca issue 233, "
            "opencode issue 1680: other ids are 400; 2026-11-25",
            operations=("embeddings", "audio/transcriptions"),
            batches=MistralBatches(),
            dropped=frozenset(
                {
                    *("logit_bias", "logprobs", "metadata", "service_tier", "store"),
                    *("stream_options", "top_logprobs", "user"),
                }
            ),
            renamed=MappingProxyType(
                {"max_completion_tokens": "max_tokens", "seed": "random_seed"}
            ),
            message_dropped=frozenset({"name", "reasoning_content"}),
            call_ids=re.compile(r"[A-Za-z0-9]{9}", re.ASCII),
        ),
        "ollama": Vendor(
            "http://127.0.0.1:11434/v1",
            source="docs.ollama.com, 2026-11-22",
            operations=("embeddings",),
        ),
        "vllm": Vendor(
            "http://127.0.0.1:8000/v1",
            source="docs.vllm.ai, 2026-11-22",
            dialects=("chat", "responses"),
            operations=("embeddings", "audio/transcriptions", "audio/translations"),
        ),
        "llamacpp": Vendor(
            "",
            source="llama.cpp's server, run (its usual port is the relay's own), 2026-11-25: only "
            "in chat does it heed schemas and say in every case why an answer ended",
            operations=("embeddings", "chat/completions/input_tokens"),
            schemas_only_in_chat=True,
        ),
        "lmstudio": Vendor(
            "http://127.0.0.1:1234/v1",
            source="lmstudio.ai/docs, 2026-11-22",
            dialects=("chat", "responses"),
            operations=("embeddings",),
        ),
    }
)
"""By kind."""

_DISCLOSED_NOT = frozenset({"stream_options", "store", "metadata"})
"""Dropped fields whose absence changes nothing of the reply."""

_FORMATS = (("text", "format"), ("output_config", "format"))
"""Where Responses and Messages say that the answer must be JSON."""
_JSON_FORMATS = ("json_schema", "json_object")


class VendorProvider(CompatibleProvider):
    """The owner's account at one of these vendors, or a server of one of these kinds."""

    def __init__(self, kind: str, name: str, options: CompatibleOptions) -> None:
        vendor = VENDORS[kind]
        spoken = replace(
            options,
            base_url=options.base_url or vendor.base_url,
            dialects=options.dialects or vendor.dialects,
            operations={name: f"/{name}" for name in vendor.operations},
        )
        super().__init__(name, spoken)
        self.kind = kind
        self.batches = vendor.batches
        self._vendor = vendor
        self._rules = FieldRules(vendor.refused)

    def rules(self, dialect: str) -> FieldRules:
        """Return what it cannot do for clients of its own dialect."""
        return self._rules if dialect == "chat" else FieldRules()

    def capabilities(self, model: str) -> Capabilities:
        """Return what its models can be asked for, as far as that is known of all of them."""
        return replace(super().capabilities(model), wants_thought=self._vendor.wants_thought)

    def adapt(self, body: Json, dialect: str) -> Adapted:  # noqa: ARG002
        """Return the body without what it refuses, and with its own names for the rest.

        Raises Unprocessable for a schema that it would ignore.
        """
        vendor = self._vendor
        if vendor.schemas_only_in_chat:
            self._refuse_ignored_schema(body)
        if vendor.own_models and "/" not in body.get("model", "/"):
            body = {**body, "model": f"{vendor.own_models}{body['model']}"}
        if not (vendor.dropped or vendor.renamed or vendor.message_dropped or vendor.wants_thought):
            return Adapted(body)
        losses = tuple(
            Loss(name, f"{self.name} does not take it")
            for name in sorted(vendor.dropped - _DISCLOSED_NOT)
            if body.get(name) not in (None, False)
        )
        kept = {
            vendor.renamed.get(name, name): value
            for name, value in body.items()
            if name not in vendor.dropped
        }
        if "messages" in kept:
            kept["messages"] = [self._message(message) for message in kept["messages"]]
        return Adapted(body if kept == body else kept, losses)

    def _refuse_ignored_schema(self, body: Json) -> None:
        for holder, name in _FORMATS:
            if _asks_for_json(body.get(holder), name):
                raise Unprocessable(
                    f"{self.name} heeds {holder}.{name} only if it is spoken to in chat: its owner "
                    f"can put that first in providers.{self.name}.dialects.",
                    param=f"{holder}.{name}",
                )

    def is_ready(self) -> bool:
        """It is ready once it has the key that it wants."""
        return self._vendor.key is None or bool(self._options.api_key)

    def _message(self, message: Any) -> Any:
        if not isinstance(message, dict):
            return message
        dropped, ids = self._vendor.message_dropped, self._vendor.call_ids
        kept = {name: value for name, value in message.items() if name not in dropped}
        if self._vendor.wants_thought and message.get("role") == "assistant":
            kept.setdefault("reasoning_content", "")
        return _with_ids(kept, ids) if ids else kept


def _with_ids(message: Json, legal: re.Pattern[str]) -> Json:
    """Return the message with ids of calls that are ``legal``, the same for call and result."""
    changed = dict(message)
    if isinstance(id_ := message.get("tool_call_id"), str):
        changed["tool_call_id"] = _legal_id(id_, legal)
    if isinstance(calls := message.get("tool_calls"), list):
        changed["tool_calls"] = [_call_with_id(call, legal) for call in calls]
    return changed


def _call_with_id(call: Any, legal: re.Pattern[str]) -> Any:
    id_ = call.get("id") if isinstance(call, dict) else None
    return {**call, "id": _legal_id(id_, legal)} if isinstance(id_, str) else call


def _legal_id(id_: str, legal: re.Pattern[str]) -> str:
    if legal.fullmatch(id_):
        return id_
    return hashlib.sha256(id_.encode("utf-8", "surrogatepass")).hexdigest()[:_ID_LENGTH]


def _asks_for_json(holder: Any, name: str) -> bool:
    form = holder.get(name) if isinstance(holder, dict) else None
    return isinstance(form, dict) and form.get("type") in _JSON_FORMATS


def vendor_maker(kind: str) -> Callable[[str, CompatibleOptions], Provider]:
    """Return what makes a provider of ``kind`` from its name and options."""
    return lambda name, options: VendorProvider(kind, name, options)
