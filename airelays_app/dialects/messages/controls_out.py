"""How the model is to think and to sample, written as a Messages request says it."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from airelays_app.dialects.base import Json
from airelays_app.dialects.messages.tools_out import forces_a_call
from airelays_app.dialects.messages.turns_out import answers_without_thinking
from airelays_app.neutral.capabilities import Capabilities
from airelays_app.neutral.effort import budget_of_effort, effort_word
from airelays_app.neutral.losses import Loss
from airelays_app.neutral.request import Request, Sampling

_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_LEAST_BUDGET = 1024
_DEFAULTS: Mapping[str, float] = MappingProxyType({"temperature": 1, "top_p": 1})
_NO_FORCED_CALL = Loss("reasoning_effort", "it cannot think before a call that it is forced to")
_NO_THOUGHT_BEFORE = Loss("reasoning_effort", "the call that is answered came without its thinking")


def encode_thinking(
    request: Request, capabilities: Capabilities, body: Json, losses: list[Loss]
) -> bool:
    """Write ``thinking`` and the effort into the body; return whether the model will think."""
    if capabilities.reasoning == "budget":
        return _encode_budget(request, body, losses)
    known = replace(capabilities, efforts=capabilities.efforts or _EFFORTS)
    effort = effort_word(request, known, losses)
    if effort is None and not request.reasoning_summary:
        return False
    if effort == "none":
        body["thinking"] = {"type": "disabled"}
        return False
    if effort:
        body["output_config"] = {"effort": effort}
    if forces_a_call(request):
        losses.append(_NO_FORCED_CALL)
        return False
    display = {"display": "summarized"} if request.reasoning_summary else {}
    body["thinking"] = {"type": "adaptive", **display}
    return True


def _encode_budget(request: Request, body: Json, losses: list[Loss]) -> bool:
    """A budget is part of ``max_tokens``: at most half of it, unless the client chose its own."""
    effort = request.reasoning_effort or ("medium" if request.reasoning_summary else None)
    budget, limit = request.reasoning_budget, body["max_tokens"]
    if effort == "none":
        body["thinking"] = {"type": "disabled"}
        return False
    if budget is None and effort is None:
        return False
    budget = min(budget_of_effort(effort or ""), limit // 2) if budget is None else budget
    budget = min(budget, limit - 1)
    if forces_a_call(request):
        losses.append(_NO_FORCED_CALL)
        return False
    if answers_without_thinking(body["messages"]):
        losses.append(_NO_THOUGHT_BEFORE)
        return False
    if budget < _LEAST_BUDGET:
        losses.append(Loss("reasoning_effort", "the token limit leaves no room for it"))
        return False
    body["thinking"] = {"type": "enabled", "budget_tokens": budget}
    return True


def encode_sampling(
    sampling: Sampling, body: Json, losses: list[Loss], *, samples: bool, thinks: bool
) -> None:
    """Write the knobs that the model has; what it lacks is noted, unless it asks for nothing."""
    given = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "seed": sampling.seed,
        "logit_bias": sampling.logit_bias,
    }
    for name, value in given.items():
        if value is None:
            continue
        why = _why_not(name, sampling, samples=samples, thinks=thinks)
        if not why:
            body[name] = value
        elif value != _DEFAULTS.get(name):
            losses.append(Loss(name, why))
    if body.get("temperature", 0) > 1:
        body["temperature"] = 1
        losses.append(Loss("temperature", "1 is the most that this upstream takes"))


def _why_not(name: str, sampling: Sampling, *, samples: bool, thinks: bool) -> str:
    """Return why a knob cannot be turned; empty if it can."""
    if name not in ("temperature", "top_p", "top_k"):
        return "Messages has no such field"
    if not samples:
        return "this model has no sampling parameters"
    if thinks and not (name == "top_p" and (sampling.top_p or 0) >= 0.95):
        return "a model that thinks chooses it itself"
    if name == "top_p" and sampling.temperature is not None:
        return "this upstream takes temperature or top_p, not both"
    return ""
