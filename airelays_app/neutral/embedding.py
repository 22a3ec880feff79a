"""Texts that become vectors, whichever API asks for them and whichever makes them."""

from dataclasses import dataclass

from airelays_app.neutral.usage import Usage


@dataclass(frozen=True, slots=True)
class Embedding:
    """What is asked for; ``dimensions`` is how long each vector is to be, if that is said."""

    texts: tuple[str, ...]
    dimensions: int | None = None


@dataclass(frozen=True, slots=True)
class Vectors:
    """One for each text, in their order; ``usage`` counts the texts' tokens, if that is said."""

    values: tuple[list[float], ...]
    usage: Usage | None = None
