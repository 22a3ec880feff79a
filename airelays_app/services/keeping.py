"""What is kept of a reply: whoever keeps it hears how it ended before its end is handed on."""

from typing import Protocol

from airelays_app.dialects.base import Json
from airelays_app.dialects.responses.reply import output_items
from airelays_app.services.generation import Prepared
from airelays_app.services.lanes import TappedLane


class Keeper(Protocol):
    """Keeps something of one reply; it serves all attempts at it, of which one succeeds."""

    def keep(self, prepared: Prepared) -> None:
        """The reply is whole; what this raises makes a failure of it."""

    def fail(self, prepared: Prepared) -> None:
        """The reply has broken off after the client had got some of it; raises nothing."""

    def heartbeat(self) -> None:
        """The reply is still under way; called at least once a second."""

    def release(self) -> None:
        """The reply is over, however it went; raises nothing."""


class Keepers:
    """All who keep something of one reply, as one keeper."""

    def __init__(self, *keepers: Keeper) -> None:
        self._keepers = keepers

    def keep(self, prepared: Prepared) -> None:
        """See :meth:`Keeper.keep`; the first who raises is the last who is told."""
        for keeper in self._keepers:
            keeper.keep(prepared)

    def fail(self, prepared: Prepared) -> None:
        """See :meth:`Keeper.fail`."""
        for keeper in self._keepers:
            keeper.fail(prepared)

    def heartbeat(self) -> None:
        """See :meth:`Keeper.heartbeat`."""
        for keeper in self._keepers:
            keeper.heartbeat()

    def release(self) -> None:
        """See :meth:`Keeper.release`."""
        for keeper in self._keepers:
            keeper.release()


NOBODY = Keepers()
"""Nothing is kept."""


def kept_items(prepared: Prepared) -> list[Json]:
    """Return the Responses items of a whole reply, with the ids that the client has seen."""
    lane = prepared.lane
    dialect = prepared.client_dialect
    if (dialect.replies_in or dialect.name) != "responses" and not isinstance(lane, TappedLane):
        return output_items(lane.reply(), prepared.context)
    output = prepared.reply().get("output")
    return [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
