"""Opaque state of an upstream that has to come back with the next turn."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seal:
    """Reasoning state as its vendor wrote it.

    ``dialect`` names the wire it came from and the only one it may be sent back on; ``payload``
    is the vendor's text, byte for byte; ``id`` is the id of the item it belongs to.
    """

    dialect: str
    payload: str
    id: str | None = None
