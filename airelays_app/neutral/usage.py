"""Token counts that never overlap, so that no dialect counts a token twice."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Disjoint counts of one reply, in tokens.

    ``input`` leaves out what was read from or written to the upstream's prompt cache;
    ``output`` leaves out reasoning. The dialects add them up in their own arithmetic.
    """

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def input_total(self) -> int:
        """Everything that was sent, cached or not."""
        return self.input + self.cache_read + self.cache_write

    @property
    def output_total(self) -> int:
        """Everything that was generated, reasoning included."""
        return self.output + self.reasoning

    @property
    def total(self) -> int:
        """Everything."""
        return self.input_total + self.output_total


def usage_of_totals(
    *,
    input_total: int,
    output_total: int,
    cache_read: int = 0,
    cache_write: int = 0,
    reasoning: int = 0,
) -> Usage:
    """Return disjoint counts from a vendor's overlapping totals; never a negative count."""
    return Usage(
        input=max(0, input_total - cache_read - cache_write),
        cache_read=cache_read,
        cache_write=cache_write,
        output=max(0, output_total - reasoning),
        reasoning=reasoning,
    )
