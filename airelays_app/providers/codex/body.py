"""What a Responses body must be for the ChatGPT subscription backend, and what it refuses.

Source of each rule: AIRelays 0.22.0 sources and notes, and what Codex CLI 0.169 sends, seen
2026-11-22; for ``metadata``, ``truncation``, ``prompt_cache_retention``, ``background`` (even
false), the service tiers and system messages, what users of other clients report of the backend's
400s (probes of 2026-04 to 2026-09, seen 2026-11-25).
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import as_object, text_field, wrong_type
from airelays_app.dialects.responses.request_in import SEALS, input_items
from airelays_app.neutral.losses import Loss
from airelays_app.providers.base import Adapted, FieldRules, Refused
from airelays_app.providers.codex.strict_schema import is_strict, strict_schema

TokenLimits = Literal["reject", "ignore", "forward"]

PLACEHOLDER_INSTRUCTIONS = "."
"""The backend refuses a request without instructions; this is the least it takes."""

_NO_JSON_OBJECT = Refused(
    "the subscription backend is not known to honour it; use json_schema", only=("json_object",)
)
_NO_STORE = Refused("the subscription backend stores nothing", harmless=(False,))
_ONE = Refused("the subscription backend makes one", harmless=(1,))
_TEXT_ONLY = Refused("the subscription backend makes text only")
_TOKEN_LIMIT = Refused(
    "the subscription backend accepts no token limit; leave it out, or set compat.token_limits"
)

_REFUSED: Mapping[str, Mapping[str, Refused]] = MappingProxyType(
    {
        "responses": {
            "text.format.type": _NO_JSON_OBJECT,
        },
        "chat": {
            "response_format.type": _NO_JSON_OBJECT,
            "store": _NO_STORE,
            "n": _ONE,
            "audio": _TEXT_ONLY,
            "modalities": Refused("the subscription backend makes text only", harmless=(["text"],)),
            "prediction": Refused("the subscription backend has no predicted output"),
        },
        "completions": {
            "store": _NO_STORE,
            "n": _ONE,
            "best_of": _ONE,
            "echo": Refused("the prompt is not repeated", harmless=(False,)),
            "logprobs": Refused("the subscription backend tells no log probabilities"),
            "suffix": Refused("text cannot be inserted", harmless=("",)),
        },
        "messages": {},
        "gemini": {},
    }
)
_TOKEN_LIMITS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "responses": ("max_output_tokens",),
        "chat": ("max_completion_tokens",),
        "completions": ("max_tokens",),
        "messages": (),
        "gemini": ("generationConfig.maxOutputTokens",),
    }
)
"""Limits that a client may leave out; one of Messages never can, so it is left out here."""
_SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty")
_IDENTITY = ("user", "safety_identifier")
_EVERYWHERE = (*_SAMPLING, *_IDENTITY, "seed", "prompt_cache_retention")
_RESPONSES_ONLY = ("background", "truncation")
_IGNORED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "responses": (*_EVERYWHERE, "stop", "stream_options", *_RESPONSES_ONLY, "top_logprobs"),
        "chat": (*_EVERYWHERE, "logit_bias", "logprobs", "top_logprobs"),
        "completions": (*_EVERYWHERE, "logit_bias"),
        "messages": ("temperature", "top_p", "top_k", "metadata"),
        "gemini": tuple(
            f"generationConfig.{name}"
            for name in (
                *("temperature", "topP", "topK", "seed"),
                *("presencePenalty", "frequencyPenalty"),
            )
        ),
    }
)
_TELLS_METADATA = ("responses", "completions")
"""The dialects whose replies repeat ``metadata``, so that it is of use without the backend."""
_USUAL_TIERS = ("auto", "default")
_MISSING_TIERS = ("flex", "scale")


class _Words(NamedTuple):
    """What a dialect calls the format of the text, its kind, the kinds there are, its schema."""

    format: str
    kind: str
    kinds: str
    schema: str


def _usual_words(path: str) -> _Words:
    return _Words(path, f"{path}.type", "text or json_schema", f"{path}.schema")


_FORMATS: Mapping[str, _Words] = MappingProxyType(
    {
        "chat": _usual_words("response_format.json_schema"),
        "messages": _usual_words("output_config.format"),
        "gemini": _Words(
            "generationConfig",
            "generationConfig.responseMimeType",
            "text/plain, or application/json with a schema, for this model",
            "generationConfig.responseSchema",
        ),
    }
)
_FORMAT = _usual_words("text.format")

_ID_PREFIXES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "message": ("msg_",),
        "reasoning": ("rs_",),
        "function_call": ("fc_",),
        "function_call_output": ("fco_", "fc_"),
        "custom_tool_call": ("ctc_",),
        "custom_tool_call_output": ("ctco_", "ctc_"),
        "web_search_call": ("ws_",),
    }
)
"""Ids that do not begin so are refused as unknown; the items are complete without them."""


def field_rules(dialect: str, token_limits: TokenLimits) -> FieldRules:
    """Return what the backend cannot do for clients of ``dialect``."""
    limits = _TOKEN_LIMITS[dialect]
    refused = dict(_REFUSED[dialect])
    ignored = set(_IGNORED[dialect])
    if token_limits == "reject":  # noqa: S105 - a setting's value
        refused |= dict.fromkeys(limits, _TOKEN_LIMIT)
    if token_limits == "ignore":  # noqa: S105 - a setting's value
        ignored |= set(limits)
    if token_limits != "forward" and dialect in ("chat", "messages"):  # noqa: S105 - as above
        ignored.add("max_tokens")
    return FieldRules(MappingProxyType(refused), frozenset(ignored))


def adapt(body: Json, client_dialect: str) -> Adapted:
    """Return ``body`` as the backend takes it; raises Unprocessable in the client's words."""
    losses: list[Loss] = []
    body = dict(body)
    body["input"] = list(_replayable(body.get("input"), losses))
    instructions = body.get("instructions")
    if not isinstance(instructions, str) or not instructions.strip():
        body["instructions"] = PLACEHOLDER_INSTRUCTIONS
    body["tools"] = _adapted_tools(body.get("tools"))
    if body["tools"] and body.get("tool_choice") is None:
        body["tool_choice"] = "auto"
    if body.pop("metadata", None) and client_dialect not in _TELLS_METADATA:
        losses.append(Loss("metadata", "the subscription backend keeps none"))
    _adapt_tier(body, losses)
    _adapt_format(body, _FORMATS.get(client_dialect, _FORMAT))
    if body.get("store") is not False:
        body["include"] = _with_seals(body.get("include"))
    body["store"] = False
    body["stream"] = True
    return Adapted(body, tuple(losses))


def _with_seals(include: Any) -> Any:
    """A reply that may be continued needs the seal of its reasoning: the backend keeps nothing."""
    if include is None:
        return [SEALS]
    if not isinstance(include, list) or SEALS in include:
        return include
    return [*include, SEALS]


def _adapt_tier(body: Json, losses: list[Loss]) -> None:
    """Leave out the tiers that the backend refuses, the one that it has anyway included."""
    tier = body.get("service_tier")
    if tier in _MISSING_TIERS:
        losses.append(Loss("service_tier", "the subscription backend has no such tier"))
    if tier is None or tier in (*_USUAL_TIERS, *_MISSING_TIERS):
        body.pop("service_tier", None)


def _adapted_tools(tools: Any) -> Any:
    """Say of each function that leaves ``strict`` out whether it can be held to its schema.

    A missing one counts as true, and then the backend takes closed schemas only (AIRelays 0.22.0
    notes, seen 2026-11-22). LangChain 1.7 sends neither ``strict`` nor closed schemas.
    """
    if tools is None:
        return []
    if not isinstance(tools, list):
        return tools
    return [{**tool, "strict": False} if _is_loose(tool) else tool for tool in tools]


def _is_loose(tool: Any) -> bool:
    if not isinstance(tool, dict) or tool.get("type") != "function":
        return False
    parameters = tool.get("parameters")
    if tool.get("strict") is not None or not isinstance(parameters, dict):
        return False
    return not is_strict(parameters)


def _adapt_format(body: Json, words: _Words) -> None:
    """Bring ``text.format`` into the backend's form; the client calls it by ``words``."""
    text = body.get("text")
    if not isinstance(text, dict) or text.get("format") is None:
        return
    format_ = as_object(text["format"], words.format)
    if format_.get("type") == "text":
        return
    if format_.get("type") != "json_schema":
        raise wrong_type(words.kind, words.kinds)
    if not text_field(format_, "name", words.format):
        raise wrong_type(f"{words.format}.name", "a name")
    schema = as_object(format_.get("schema"), words.schema)
    if format_.get("strict") is not False:
        format_ = {**format_, "schema": strict_schema(schema, param=words.schema)}
        body["text"] = {**text, "format": format_}


def _replayable(value: Any, losses: list[Loss]) -> Iterator[Json]:
    """Yield the input items that a backend without storage can take back."""
    for path, item in input_items(value):
        if item.get("type") == "reasoning" and not item.get("encrypted_content"):
            losses.append(Loss(path, "reasoning without its seal cannot be replayed"))
        else:
            yield _acceptable(item)


def _acceptable(item: Json) -> Json:
    """Return the item without a foreign id; system messages are developer messages here.

    A ``status`` of reasoning, which SDKs echo as null, is refused as unknown (release notes of
    other gateways and issues of the openai SDK, seen 2026-11-22).
    """
    kind = item.get("type", "message")
    if kind == "reasoning" and "status" in item:
        item = {name: field for name, field in item.items() if name != "status"}
    prefixes = _ID_PREFIXES.get(kind) if isinstance(kind, str) else None
    id_ = item.get("id")
    if prefixes and id_ is not None and not str(id_).startswith(prefixes):
        item = {name: field for name, field in item.items() if name != "id"}
    if kind == "message" and item.get("role") == "system":
        item = {**item, "role": "developer"}
    return item
