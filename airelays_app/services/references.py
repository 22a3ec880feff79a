"""What a Responses request refers to: an earlier response, or single items of earlier ones.

Upstreams keep none of it, so what is meant is sent along in full.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from airelays_app.dialects.base import Json
from airelays_app.errors import BadRequest, Conflict, NotFound
from airelays_app.services.responses import Responses, given_items, made_items
from airelays_app.services.summary import is_own_compaction, written_out
from airelays_app.services.turns import replayable
from airelays_app.store.conversations import ConversationStore
from airelays_app.store.responses import ResponseStore

_RETRY_SECONDS = "2"


@dataclass(frozen=True, slots=True)
class History:
    """What was said before: the items, and the id of the first response."""

    items: tuple[Json, ...]
    first_id: str


class References:
    """Reads what requests refer to; ``max_bytes`` bounds what may come back of it at once."""

    def __init__(
        self,
        store: ResponseStore,
        responses: Responses,
        conversations: ConversationStore,
        *,
        max_bytes: int,
    ) -> None:
        self._store = store
        self._responses = responses
        self._conversations = conversations
        self._max_bytes = max_bytes

    def history(self, owner: str, previous_id: str) -> History:
        """Return all that was said up to a response; raises BadRequest if it is not all there."""
        try:
            chain = self._store.chain(owner, previous_id, max_bytes=self._max_bytes)
        except NotFound as error:
            raise BadRequest(
                "The previous response, or one that it continues, is not kept (any more); send the "
                "whole input instead.",
                param="previous_response_id",
                code="previous_response_not_found",
            ) from error
        if self._responses.is_running(chain[-1]):
            raise Conflict(
                "The previous response is still being made; continue it when it has ended.",
                param="previous_response_id",
                code="response_in_progress",
                headers={"Retry-After": _RETRY_SECONDS},
            )
        said = (item for one in chain for item in (*given_items(one), *made_items(one)))
        return History(replayable(said), chain[0].id)

    def conversation(self, owner: str, conversation: str) -> tuple[Json, ...]:
        """Return all that was said in a conversation; raises NotFound, TooLarge."""
        return replayable(self._conversations.history(conversation, owner=owner))

    def expanded(self, owner: str, body: Json, conversation: str | None) -> Json:
        """Return the body with the items that it refers to or that were compacted here.

        It is the same object if there are none. Raises NotFound for an item that is neither kept
        nor in the conversation.
        """
        items = body.get("input")
        if not isinstance(items, list):
            return body
        if any(map(_is_reference, items)):
            found = self._found(owner, items, conversation)
            items = list(_replaced(items, found))
        if any(map(is_own_compaction, items)):
            items = list(_opened(items))
        return body if items is body["input"] else {**body, "input": items}

    def _found(
        self, owner: str, items: Sequence[object], conversation: str | None
    ) -> Mapping[str, Json]:
        wanted = [item["id"] for item in items if _is_reference(item)]
        found = self._in_conversation(owner, conversation, wanted) if conversation else {}
        missing = [item_id for item_id in wanted if item_id not in found]
        if not missing:
            return found
        holders = self._store.holders(owner, missing, max_bytes=self._max_bytes)
        for holder in {response.number: response for response in holders.values()}.values():
            for item in (*given_items(holder), *made_items(holder)):
                found[str(item.get("id"))] = item
        return found

    def _in_conversation(
        self, owner: str, conversation: str, wanted: Sequence[str]
    ) -> dict[str, Json]:
        history = self._conversations.history(conversation, owner=owner)
        return {item["id"]: item for item in history if item["id"] in wanted}


def _is_reference(item: object) -> TypeGuard[Json]:
    """An id alone is one, too: the type may be left out (OpenAI API reference, 2026-11-22)."""
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        return False
    kind = item.get("type")
    return kind == "item_reference" or (kind is None and item.keys() <= {"id", "type"})


def _opened(items: Sequence[object]) -> Iterator[object]:
    for index, item in enumerate(items):
        if isinstance(item, dict) and is_own_compaction(item):
            yield from written_out(item, f"input[{index}]")
        else:
            yield item


def _replaced(items: Sequence[object], found: Mapping[str, Json]) -> Iterator[object]:
    for index, item in enumerate(items):
        if not _is_reference(item):
            yield item
        elif item["id"] in found:
            yield from replayable([found[item["id"]]])
        else:
            raise NotFound(
                f"input[{index}] refers to an item that is not kept. Replies are kept unless store "
                "is false.",
                param=f"input[{index}].id",
            )
