"""Kept responses: what is kept of a reply, and what its owner can ask about it afterwards."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from airelays_app.dialects.base import Json
from airelays_app.dialects.responses.request_in import input_items
from airelays_app.errors import NotFound, Unavailable
from airelays_app.framing.jsontext import dumps, loads
from airelays_app.services.conversation_items import shown_item
from airelays_app.services.generation import Prepared
from airelays_app.services.keeping import kept_items
from airelays_app.store.batch_writer import Pending
from airelays_app.store.item_ids import numbered, own_id
from airelays_app.store.paging import Order, Page, page_of
from airelays_app.store.responses import NewResponse, ResponseStore, StoredResponse


@dataclass(frozen=True, slots=True)
class ResponseKeeper:
    """Keeps one reply; with ``promised`` its end is not handed on before it is on the disk."""

    store: ResponseStore
    owner: str
    input_json: bytes
    previous_id: str | None
    given_ids: Sequence[str]
    promised: bool

    def keep(self, prepared: Prepared) -> None:
        """Keep the whole reply; raises Unavailable if it was promised and cannot be."""
        if self.promised:
            if pending := self._add(prepared):
                pending.wait()
            return
        self.fail(prepared)

    def fail(self, prepared: Prepared) -> None:
        """Keep what there is of it, if that can be done."""
        with suppress(Unavailable):  # the writer has logged it
            self._add(prepared)

    def heartbeat(self) -> None:
        """Nothing is held that could be lost."""

    def release(self) -> None:
        """Nothing is held."""

    def _add(self, prepared: Prepared) -> Pending | None:
        """Queue the reply, unless it has no id by which it could be asked for."""
        response = {**prepared.reply(), "store": True}
        response_id = own_id(response)
        if response_id is None:
            return None
        output_ids = filter(None, map(own_id, kept_items(prepared)))
        new = NewResponse(
            owner=self.owner,
            id=response_id,
            status=str(response.get("status")),
            previous_id=self.previous_id,
            created_at=int(time.time()),
            input_json=self.input_json,
            response_json=dumps(response),
            item_ids=(*output_ids, *self.given_ids),
        )
        return self.store.add(new, durable=self.promised)


class Responses:
    """The kept responses of all owners; raises NotFound for another owner's as for none."""

    def __init__(self, store: ResponseStore) -> None:
        self._store = store

    def retrieve(self, owner: str, response_id: str) -> Json:
        """Return the response object."""
        return response_of(self._store.get(owner, response_id))

    def delete(self, owner: str, response_id: str) -> None:
        """Forget a response."""
        self._store.delete(owner, response_id)

    def input_items(
        self, owner: str, response_id: str, *, limit: int, order: Order, after: str | None
    ) -> Page[Json]:
        """Return up to ``limit`` of the items that the request brought, as clients read them."""
        items = [shown_item(item) for item in given_items(self._store.get(owner, response_id))]
        if order == "desc":
            items.reverse()
        start = 0 if after is None else _place_of(after, items) + 1
        found = [(str(item["id"]), item) for item in items[start : start + limit + 1]]
        return page_of(found, limit=limit)


def response_of(stored: StoredResponse) -> Json:
    """Return the response object that was kept."""
    response: Json = loads(stored.response_json)
    return response


def given_items(stored: StoredResponse) -> list[Json]:
    """Return the items that the request brought, each with an id."""
    given = input_items(loads(stored.input_json))
    return list(numbered((item for _, item in given), stored.number))


def made_items(stored: StoredResponse) -> list[Json]:
    """Return the items of the reply."""
    output = response_of(stored).get("output")
    return [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []


def _place_of(item_id: str, items: Sequence[Json]) -> int:
    for index, item in enumerate(items):
        if item["id"] == item_id:
            return index
    raise NotFound("There is no item with this id in the response's input.", param="after")
