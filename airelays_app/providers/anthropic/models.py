"""What Anthropic's models can be asked for, by the beginning of their names.

Sources, seen 2026-11-22: Anthropic's pages on models, thinking and effort and its migration
guides; the models' own refusals in public reports. A model that is not listed is taken for one of
tomorrow: it is like the newest.
"""

from collections.abc import Mapping
from types import MappingProxyType

from airelays_app.neutral.capabilities import Capabilities

_ENOUGH = 32_000
"""The limit for clients that give none, where a model can say as much; Claude Code's own."""

_ALL_EFFORTS = ("low", "medium", "high", "xhigh", "max")

_NEWEST = Capabilities(_ENOUGH, efforts=_ALL_EFFORTS, samples=False)
"""Thinks unless told otherwise, and cannot always be told."""

_MAY_REST = Capabilities(_ENOUGH, efforts=("none", *_ALL_EFFORTS), samples=False)
_FIRST_ADAPTIVE = Capabilities(_ENOUGH, efforts=("none", "low", "medium", "high", "max"))
_WITH_BUDGET = Capabilities(_ENOUGH, reasoning="budget")

_ROWS: Mapping[str, Capabilities] = MappingProxyType(
    {
        "claude-3-7": _WITH_BUDGET,
        "claude-3-5": Capabilities(8192, reasoning="none"),
        "claude-3": Capabilities(4096, reasoning="none"),
        "claude-opus-4-6": _FIRST_ADAPTIVE,
        "claude-sonnet-4-6": _FIRST_ADAPTIVE,
        "claude-opus-4-7": _MAY_REST,
        "claude-opus-4-8": _MAY_REST,
        "claude-opus-4": _WITH_BUDGET,
        "claude-sonnet-4": _WITH_BUDGET,
        "claude-haiku-4": _WITH_BUDGET,
        "claude-opus-5-": _NEWEST,
        "claude-opus-5": _MAY_REST,
        "claude-sonnet-5-": _NEWEST,
        "claude-sonnet-5": _MAY_REST,
        "claude-haiku-5": _MAY_REST,
    }
)
"""The first row whose beginning fits counts."""


def capabilities_of(model: str) -> Capabilities:
    """Return what ``model`` can be asked for."""
    rows = (row for beginning, row in _ROWS.items() if model.startswith(beginning))
    return next(rows, _NEWEST)
