"""The neutral request, written as a Gemini request; model and streaming stand in the path.

What single models refuse is in the capabilities that a provider gives; the rest are rules of the
API (API reference, "GenerationConfig", seen 2026-11-25).
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.gemini.request_in import CONFIG, THINKING
from airelays_app.dialects.gemini.tools_out import encode_tools
from airelays_app.dialects.gemini.turns_out import encode_conversation
from airelays_app.neutral.capabilities import AS_THE_DIALECT_SAYS, Capabilities
from airelays_app.neutral.effort import budget_of_effort, effort_word
from airelays_app.neutral.losses import Loss
from airelays_app.neutral.request import Request, has_cache_hints

MOST_STOPS = 5

_EFFORTS = ("minimal", "low", "medium", "high")
_TIERS: Mapping[str, str | None] = MappingProxyType(
    {"auto": None, "default": "standard", "flex": "flex", "priority": "priority"}
)


def encode_request(
    request: Request, capabilities: Capabilities = AS_THE_DIALECT_SAYS
) -> tuple[Json, tuple[Loss, ...]]:
    """Return the body and what it has no place for; raises Unprocessable."""
    losses: list[Loss] = []
    body: Json = {}
    system, contents = encode_conversation(request, losses, seals_calls=capabilities.seals_calls)
    if system:
        body["systemInstruction"] = {"parts": system}
    body["contents"] = contents
    encode_tools(request, body, losses)
    config = _config(request)
    if thinking := _thinking(request, capabilities, losses):
        config[THINKING] = thinking
    if config:
        body[CONFIG] = config
    if tier := _TIERS.get(request.hints.service_tier or ""):
        body["serviceTier"] = tier
    _note_lost_hints(request, losses)
    return body, tuple(losses)


def unspeakable_stops(stops: tuple[str, ...]) -> tuple[str, ...]:
    """Return the stop sequences beyond the five that are taken."""
    return stops[MOST_STOPS:]


def _config(request: Request) -> Json:
    sampling = request.sampling
    fields: dict[str, Any] = {
        "maxOutputTokens": request.max_output_tokens,
        "temperature": sampling.temperature,
        "topP": sampling.top_p,
        "topK": sampling.top_k,
        "presencePenalty": sampling.presence_penalty,
        "frequencyPenalty": sampling.frequency_penalty,
        "seed": sampling.seed,
        "stopSequences": list(sampling.stop[:MOST_STOPS]) or None,
    }
    if request.format and request.format.kind != "text":
        fields["responseMimeType"] = "application/json"
        fields["responseJsonSchema"] = request.format.schema
    return {name: value for name, value in fields.items() if value is not None}


def _thinking(request: Request, capabilities: Capabilities, losses: list[Loss]) -> Json:
    shown = {"includeThoughts": True} if request.reasoning_summary else {}
    if capabilities.reasoning == "none":
        effort_word(request, capabilities, losses)
        return {}
    if capabilities.reasoning == "budget":
        return shown | _budget(request, capabilities, losses)
    known = replace(capabilities, efforts=capabilities.efforts or _EFFORTS)
    effort = effort_word(request, known, losses)
    return shown | ({"thinkingLevel": effort.upper()} if effort else {})


def _budget(request: Request, capabilities: Capabilities, losses: list[Loss]) -> Json:
    """Return the budget within what the model takes; another one than asked for is disclosed."""
    wanted = request.reasoning_budget
    if wanted is None and request.reasoning_effort:
        word = request.reasoning_effort
        wanted = 0 if word == "none" else budget_of_effort(word)
    if wanted is None:
        return {}
    least, most = capabilities.budgets
    budget = min(max(wanted, least), most)
    if wanted < least:
        losses.append(Loss("reasoning_effort", f"this model thinks at least {least} tokens"))
    return {"thinkingBudget": budget}


def _note_lost_hints(request: Request, losses: list[Loss]) -> None:
    hints = request.hints
    lost: dict[str, Any] = {
        "logit_bias": request.sampling.logit_bias,
        "user": hints.user,
        "safety_identifier": hints.safety_identifier,
        "metadata": hints.metadata,
        "service_tier": hints.service_tier if hints.service_tier not in _TIERS else None,
        "prompt_cache_key": hints.prompt_cache_key,
        "prompt_cache_retention": hints.prompt_cache_retention,
        # What a client wants included beside the seals, which are always there.
        "include": len(hints.include) > int(request.wants_seals),
        "verbosity": request.verbosity,
        "cache_control": has_cache_hints(request),
    }
    losses += [Loss(name, "Gemini has no such field") for name, value in lost.items() if value]
