"""Kept responses: what is kept of a reply, and what its owner can ask about it afterwards."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from socket import socket

from airelays_app.dialects.base import Json
from airelays_app.dialects.responses.request_in import input_items
from airelays_app.errors import NotFound, Unavailable, Unprocessable
from airelays_app.framing.jsontext import dumps, loads
from airelays_app.services.conversation_items import shown_item
from airelays_app.services.following import Follower
from airelays_app.services.generation import Prepared
from airelays_app.services.keeping import kept_items
from airelays_app.services.run_events import LOST, cancelled, failing
from airelays_app.store.batch_writer import Pending
from airelays_app.store.item_ids import numbered, own_id
from airelays_app.store.paging import Order, Page, page_of
from airelays_app.store.response_runs import ResponseRuns
from airelays_app.store.responses import NewResponse, ResponseStore, StoredResponse

_UNDER_WAY = frozenset({"queued", "in_progress"})


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """What is kept of a request beside its reply; ``given_ids`` are those of its own items."""

    owner: str
    input_json: bytes
    previous_id: str | None
    given_ids: Sequence[str]

    def new(self, response: Json, output_ids: Sequence[str] = ()) -> NewResponse:
        """Return the response, which has an id, as it is to be kept."""
        return NewResponse(
            owner=self.owner,
            id=response["id"],
            status=str(response.get("status")),
            previous_id=self.previous_id,
            created_at=int(time.time()),
            input_json=self.input_json,
            response_json=dumps(response),
            item_ids=(*output_ids, *self.given_ids),
        )


@dataclass(frozen=True, slots=True)
class ResponseKeeper:
    """Keeps one reply; with ``promised`` its end is not handed on before it is on the disk."""

    store: ResponseStore
    request: KeptRequest
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
        if own_id(response) is None:
            return None
        output_ids = tuple(filter(None, map(own_id, kept_items(prepared))))
        new = self.request.new(response, output_ids)
        return self.store.add(new, durable=self.promised)


class Responses:
    """The kept responses of all owners; raises NotFound for another owner's as for none."""

    def __init__(self, store: ResponseStore, runs: ResponseRuns) -> None:
        self._store = store
        self._runs = runs

    def retrieve(self, owner: str, response_id: str) -> Json:
        """Return the response object."""
        return response_of(self._get(owner, response_id))

    def cancel(self, owner: str, response_id: str) -> Json:
        """End a response that is made in the background; return it, however it has ended.

        Raises Unprocessable for one that is not made so.
        """
        stored = self._get(owner, response_id)
        if response_of(stored).get("background") is not True:
            raise Unprocessable(
                "Only a response that was asked for with background: true can be cancelled; end "
                "the connection of any other one.",
                param="response_id",
            )
        self._runs.end(stored.number, cancelled, only_if_lost=False)
        return self.retrieve(owner, response_id)

    def followed(
        self, owner: str, response_id: str, *, after: int, watch: socket | None
    ) -> Follower:
        """Return the events of a response behind the sequence number ``after``.

        Raises Unprocessable for one whose events are not kept.
        """
        stored = self._store.get(owner, response_id)
        if not self._runs.has_events(stored.number):
            raise Unprocessable(
                "Only a response that was asked for with background: true and stream: true can be "
                "streamed again.",
                param="stream",
            )
        return self.follower(stored.number, after=after, watch=watch)

    def follower(self, number: int, *, after: int, watch: socket | None) -> Follower:
        """Return the events of the response ``number`` behind the sequence number ``after``."""
        return Follower(self._runs, number, after=after, settle=self._settle, watch=watch)

    def is_running(self, stored: StoredResponse) -> bool:
        """Tell whether a response is still being made; one that nobody makes is ended."""
        state = self._runs.state(stored.number)
        if state == "lost":
            self._settle(stored.number)
        return state == "running"

    def _get(self, owner: str, response_id: str) -> StoredResponse:
        stored = self._store.get(owner, response_id)
        if stored.status in _UNDER_WAY and not self.is_running(stored):
            return self._store.get(owner, response_id)
        return stored

    def _settle(self, number: int) -> None:
        self._runs.end(number, failing(LOST), only_if_lost=True)

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
    return {**response, "status": stored.status}


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
