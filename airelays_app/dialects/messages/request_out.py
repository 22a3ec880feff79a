"""The neutral request, written as a Messages request.

What single models refuse is in the capabilities that a provider gives; the rest are rules of the
dialect (Anthropic's API documentation, seen 2026-11-22).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.messages.controls_out import encode_sampling, encode_thinking
from airelays_app.dialects.messages.tools_out import encode_tools
from airelays_app.dialects.messages.turns_out import encode_conversation
from airelays_app.neutral.capabilities import AS_THE_DIALECT_SAYS, Capabilities
from airelays_app.neutral.losses import Loss
from airelays_app.neutral.request import OutputFormat, Request

DEFAULT_MAX_TOKENS = 4096
"""For models of which nothing is known: the dialect has no request without a limit."""

_TIERS: Mapping[str, str] = MappingProxyType({"auto": "auto", "default": "standard_only"})


def encode_request(
    request: Request, capabilities: Capabilities = AS_THE_DIALECT_SAYS
) -> tuple[Json, tuple[Loss, ...]]:
    """Return the body and what it has no place for; raises Unprocessable."""
    losses: list[Loss] = []
    limit = request.max_output_tokens or capabilities.max_output_tokens or DEFAULT_MAX_TOKENS
    body: Json = {"model": request.model, "max_tokens": limit}
    system, messages = encode_conversation(request, losses)
    if system:
        body["system"] = system
    body["messages"] = messages
    encode_tools(request, body, losses)
    body["stream"] = request.stream
    thinks = encode_thinking(request, capabilities, body, losses)
    encode_sampling(request.sampling, body, losses, samples=capabilities.samples, thinks=thinks)
    _encode_rest(request, body)
    _note_lost_hints(request, losses)
    return body, tuple(losses)


def unspeakable_stops(stops: tuple[str, ...]) -> tuple[str, ...]:
    """Return the stop sequences that are refused here: those of white space alone."""
    return tuple(stop for stop in stops if not stop.strip())


def _encode_rest(request: Request, body: Json) -> None:
    unspeakable = unspeakable_stops(request.sampling.stop)
    stops = [stop for stop in request.sampling.stop if stop not in unspeakable]
    if stops:
        body["stop_sequences"] = stops
    if request.format and request.format.kind != "text":
        given = body.get("output_config", {})
        body["output_config"] = {**given, "format": _encode_format(request.format)}
    hints = request.hints
    if user := hints.user or hints.safety_identifier:
        body["metadata"] = {"user_id": user}
    if tier := _TIERS.get(hints.service_tier or ""):
        body["service_tier"] = tier
    if hints.cache:
        body["cache_control"] = hints.cache


def _encode_format(format_: OutputFormat) -> Json:
    """Return the format; any object at all is a schema too, and whether it is taken is seen."""
    return {"type": "json_schema", "schema": format_.schema or {"type": "object"}}


def _note_lost_hints(request: Request, losses: list[Loss]) -> None:
    hints = request.hints
    twice = hints.user is not None and hints.safety_identifier not in (None, hints.user)
    lost: dict[str, Any] = {
        "metadata": hints.metadata,
        "safety_identifier": twice,
        "service_tier": hints.service_tier if hints.service_tier not in _TIERS else None,
        "prompt_cache_key": hints.prompt_cache_key,
        "prompt_cache_retention": hints.prompt_cache_retention,
        # What a client wants included beside the seals, which are always there.
        "include": len(hints.include) > int(request.wants_seals),
        "verbosity": request.verbosity,
    }
    losses += [Loss(name, "Messages has no such field") for name, value in lost.items() if value]
