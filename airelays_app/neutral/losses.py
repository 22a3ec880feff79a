"""What could not be carried from one dialect to another; the client is told of all of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Loss:
    """One field or part that the target has no place for.

    ``path`` is the field as the client wrote it (``logit_bias``, ``messages[3].audio``); it is
    named in ``x-airelays-ignored-parameters``. Whatever would change the meaning is no loss but
    an error.
    """

    path: str
    why: str


def ignored_parameters(losses: tuple[Loss, ...]) -> tuple[str, ...]:
    """Return the paths that must be disclosed, each once, in order."""
    return tuple(dict.fromkeys(loss.path for loss in losses))
