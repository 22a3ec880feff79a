"""A turn of a stored conversation: what was said before, and what this turn adds."""

import logging
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from airelays_app.dialects.base import Dialect, Json
from airelays_app.dialects.fields import wrong_type
from airelays_app.dialects.responses.request_in import input_items
from airelays_app.dialects.responses.request_out import encode_messages
from airelays_app.errors import Unavailable
from airelays_app.services.generation import Prepared
from airelays_app.services.keeping import kept_items
from airelays_app.services.summary import is_own_compaction, written_out
from airelays_app.store.conversation_turns import TurnLock
from airelays_app.store.conversations import ConversationStore

_RELEASE_TRIES = 60
_RELEASE_PAUSE_SECONDS = 2.0

_log = logging.getLogger(__name__)


def conversation_id(body: Json) -> str | None:
    """Return the id in ``conversation``: a string, or an object with an ``id``."""
    value = body.get("conversation")
    if isinstance(value, dict):
        value = value.get("id")
        if value is None:
            raise wrong_type("conversation.id", "a conversation id")
    if value is None or isinstance(value, str):
        return value or None
    raise wrong_type("conversation", "a conversation id or an object with an id")


@dataclass(slots=True)
class Turn:
    """One running turn, a keeper of its reply: appended when whole, else given up."""

    lock: TurnLock
    history: tuple[Json, ...]
    input: list[Json]

    def keep(self, prepared: Prepared) -> None:
        """Append what was asked and answered, all of it or nothing."""
        self.lock.commit(
            input_items=self.input,
            output_items=kept_items(prepared),
            response_id=prepared.reply_id(),
        )

    def fail(self, prepared: Prepared) -> None:
        """What was not answered was not said."""

    def heartbeat(self) -> None:
        """Keep the conversation reserved."""
        self.lock.renew()

    def release(self) -> None:
        """Let the next turn begin: at once, or while the store is down as soon as it is back.

        It never raises, because there is always something more important to tell.
        """
        try:
            self.lock.release()
        except Unavailable as error:
            _log.warning("a conversation stays reserved until its store is back: %s", error)
            with suppress(RuntimeError):  # without a further thread it ends with its lease
                threading.Thread(target=self._release_later, daemon=True).start()

    def _release_later(self) -> None:
        """Try again for as long as a lease may last."""
        for _ in range(_RELEASE_TRIES):
            time.sleep(_RELEASE_PAUSE_SECONDS)
            with suppress(Unavailable):
                self.lock.release()
                return


def begin_turn(
    conversations: ConversationStore, conversation: str, *, owner: str, dialect: Dialect, body: Json
) -> Turn:
    """Reserve the conversation and read its history; raises NotFound, Conflict, Unprocessable."""
    said = own_items(dialect, body)
    lock = conversations.begin_turn(conversation, owner=owner)
    turn = Turn(lock, (), said)
    try:
        history = conversations.history(conversation, owner=owner)
    except BaseException:
        turn.release()
        raise
    turn.history = replayable(history)
    return turn


def own_items(dialect: Dialect, body: Json) -> list[Json]:
    """Return what this request itself says, as Responses items; steering text is not kept."""
    if dialect.name == "responses":
        return [item for _, item in input_items(body.get("input"))]
    request, _ = dialect.decode_request(body)
    return list(encode_messages(request.messages, []))


def replayable(items: Iterable[Json]) -> tuple[Json, ...]:
    """Return stored items as they are sent again: ids and states are of the store alone.

    Reasoning can go back with its seal only, and what was compacted here is written out.
    """
    return tuple(
        {name: value for name, value in each.items() if name not in ("id", "status")}
        for item in items
        for each in (
            written_out(item, "conversation.items") if is_own_compaction(item) else (item,)
        )
        if each.get("type") != "reasoning" or each.get("encrypted_content")
    )
