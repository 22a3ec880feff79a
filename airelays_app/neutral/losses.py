"""What could not be carried from one dialect to another; the client is told of all of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from airelays_app.errors import Unprocessable
from airelays_app.neutral.request import Opaque


@dataclass(frozen=True, slots=True)
class Loss:
    """One field or part that the target has no place for.

    ``path`` is the field as the client wrote it (``logit_bias``, ``messages[3].audio``); it is
    named in ``x-airelays-ignored-parameters``. Whatever would change the meaning is no loss but
    an error.
    """

    path: str
    why: str


def left_out(part: Opaque) -> Loss:
    """Return the loss of a part for which there is no word; raises Unprocessable if it matters."""
    if part.essential:
        raise Unprocessable(
            f"{part.path} can only be read where it was made. Go on with that model, or send what "
            "was said instead.",
            param=part.path,
        )
    return Loss(part.path, "the upstream has no place for it")


def ignored_parameters(
    losses: Iterable[Loss], names: Mapping[str, str] = MappingProxyType({})
) -> tuple[str, ...]:
    """Return the paths that must be disclosed, each once, in order.

    ``names`` has the client's words for what encoders call by OpenAI's.
    """
    return tuple(dict.fromkeys(names.get(loss.path, loss.path) for loss in losses))
