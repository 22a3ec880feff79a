"""How hard to think, in words and in tokens."""

from collections.abc import Sequence

from airelays_app.neutral.capabilities import Capabilities
from airelays_app.neutral.losses import Loss
from airelays_app.neutral.request import Request

_WEAKEST_FIRST = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_BUDGETS = {"minimal": 1024, "low": 4096, "medium": 10_240, "high": 20_480, "xhigh": 32_000}


def nearest_effort(effort: str, known: Sequence[str]) -> str:
    """Return the word of ``known`` that comes nearest, a stronger one if two do.

    A word that nobody knows stays as it is: the upstream will say what it thinks of it.
    """
    if effort in known or effort not in _WEAKEST_FIRST:
        return effort
    wanted = _WEAKEST_FIRST.index(effort)
    ranked = [word for word in known if word in _WEAKEST_FIRST]
    return min(
        reversed(ranked), key=lambda w: abs(_WEAKEST_FIRST.index(w) - wanted), default=effort
    )


def effort_of_budget(tokens: int) -> str:
    """Return the word for a budget of ``tokens``; ``low`` is the least that all models know."""
    return [word for word, budget in _BUDGETS.items() if budget <= max(tokens, _BUDGETS["low"])][-1]


def budget_of_effort(effort: str) -> int:
    """Return a budget in tokens for a word; the largest for one that is not known."""
    return _BUDGETS.get(effort, _BUDGETS["xhigh"])


def effort_word(request: Request, capabilities: Capabilities, losses: list[Loss]) -> str | None:
    """Return how hard ``request`` asks a model to think, in a word that the model knows.

    None if the client did not say. Another word than the client's is disclosed.
    """
    if capabilities.reasoning == "none":
        if request.reasoning_effort not in (None, "none") or request.reasoning_budget:
            losses.append(Loss("reasoning_effort", "this model does not reason"))
        return None
    if request.reasoning_effort is None:
        budget = request.reasoning_budget
        return effort_of_budget(budget) if budget is not None else None
    known = capabilities.efforts
    effort = nearest_effort(request.reasoning_effort, known) if known else request.reasoning_effort
    if effort != request.reasoning_effort:
        losses.append(Loss("reasoning_effort", f"this model knows {', '.join(known)}"))
    return effort
