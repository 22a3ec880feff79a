"""What one model of an upstream can be asked for, beyond what its dialect says."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Differences between the models that one dialect reaches; known by the providers.

    ``max_output_tokens`` is sent where a dialect wants a limit and the client gave none.
    ``reasoning`` says how thought is measured: by a word, by a budget of tokens, or not at all
    because there is none; ``efforts`` are the words it knows, weakest first, all of the dialect's
    if it is empty, and ``budgets`` the least and the most tokens. ``samples`` is false for a model
    that refuses sampling parameters. ``seals_calls`` says that a call of an earlier step is refused
    without its seal, even if the model did not make it; ``wants_thought`` that its messages are
    refused without what was shown of their reasoning.
    """

    max_output_tokens: int | None = None
    reasoning: Literal["effort", "budget", "none"] = "effort"
    efforts: tuple[str, ...] = ()
    budgets: tuple[int, int] = (0, 32_768)
    samples: bool = True
    seals_calls: bool = False
    wants_thought: bool = False


AS_THE_DIALECT_SAYS = Capabilities()
