"""What Google's models can be asked for, by the beginning of their names.

Sources, seen 2026-11-25: Google's pages "Gemini thinking" and "Thought signatures" and its guides
to Gemini 3, 3.1 and 3.5. A model that is not listed is taken for one of tomorrow: it is like the
newest.
"""

from collections.abc import Mapping
from types import MappingProxyType

from airelays_app.neutral.capabilities import Capabilities

_NEWEST = Capabilities(efforts=("minimal", "low", "medium", "high"), seals_calls=True)
_THINKS_NOT = Capabilities(reasoning="none")

_ROWS: Mapping[str, Capabilities] = MappingProxyType(
    {
        "gemini-3-pro": Capabilities(efforts=("low", "high"), seals_calls=True),
        "gemini-3.1-pro": Capabilities(efforts=("low", "medium", "high"), seals_calls=True),
        "gemini-2.5-pro": Capabilities(reasoning="budget", budgets=(128, 32_768)),
        "gemini-2.5": Capabilities(reasoning="budget", budgets=(0, 24_576)),
        "gemini-2.0": _THINKS_NOT,
        "gemini-1": _THINKS_NOT,
        "gemma": _THINKS_NOT,
    }
)
"""The first row whose beginning fits counts."""


def capabilities_of(model: str) -> Capabilities:
    """Return what ``model`` can be asked for."""
    rows = (row for beginning, row in _ROWS.items() if model.startswith(beginning))
    return next(rows, _NEWEST)
