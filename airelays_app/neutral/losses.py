"""What could not be carried from one dialect to another; the client is told of all of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Loss:
    """One field or part that the target has no place for.

    ``path`` is the field as the client wrote it (``logit_bias``, ``messages[3].audio``); it is
    named in ``x-airelays-ignored-parameters``. Whatever would change the meaning is no loss but
    an error.
    """

    path: str
    why: str


def ignored_parameters(
    losses: Iterable[Loss], names: Mapping[str, str] = MappingProxyType({})
) -> tuple[str, ...]:
    """Return the paths that must be disclosed, each once, in order.

    ``names`` has the client's words for what encoders call by OpenAI's.
    """
    return tuple(dict.fromkeys(names.get(loss.path, loss.path) for loss in losses))
